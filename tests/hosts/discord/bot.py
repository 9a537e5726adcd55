# SPDX-License-Identifier: MIT
"""An ordinary small bot with an ordinary leak: it keeps every message it has ever seen.

usage: bot.py default|root|file     (three ways in which bots set up logging)

discord.py's own message cache stays on, as in most bots. It holds the newest 1000 of the very objects that `seen`
holds, so the number of live discord.Message objects is len(seen) whenever no event is on its way.
"""
import logging
import sys

import discord

TOKEN = "a.fake.token"


class Bot(discord.Client):
    def __init__(self):
        intents = discord.Intents.default()
        intents.message_content = True
        super().__init__(intents=intents)
        self.seen = []

    async def on_ready(self):
        print(f"bot is ready as {self.user}", flush=True)

    async def on_message(self, message):
        self.seen.append(message)
        print(f"bot holds {len(self.seen)} messages", flush=True)


def main():
    logging_setup = sys.argv[1]
    bot = Bot()
    if logging_setup == "default":
        bot.run(TOKEN)
    elif logging_setup == "root":
        bot.run(TOKEN, root_logger=True)
    elif logging_setup == "file":
        logging.basicConfig(filename="bot.log", level=logging.INFO)
        bot.run(TOKEN, log_handler=None)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
