# SPDX-License-Identifier: MIT
"""Runs an unmodified bot against the fake Discord: run_bot.py http://127.0.0.1:PORT SECONDS bot.py [ARGUMENT...]

discord.py has no option for the server. Two class attributes name it: Route.BASE, which comes before every REST path,
and DEFAULT_GATEWAY, because a plain Client never asks GET /gateway where the websocket is. A launcher sets them, not
a sitecustomize: that would import discord in the middle of site, where no real bot does and where the profiler
starts.
"""
import runpy
import signal
import sys

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

server, seconds, bot, *arguments = sys.argv[1:]

Route.BASE = f"{server}/api/v10"
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server).with_scheme("ws")

# A bot whose server has gone reconnects for ever. If the test is killed, nobody else would end it.
signal.alarm(int(seconds))

sys.argv = [bot, *arguments]
runpy.run_path(bot, run_name="__main__")
