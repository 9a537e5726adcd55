# SPDX-License-Identifier: MIT
"""The bot of the page "From snapshot to fix": `!seen USER` shows what a member has said lately. It leaks.

What else grows in it is innocent: discord.py's cache of the newest 1000 messages, and the questions that are loaded
during the first minute.
"""
import asyncio
import os

import discord
from discord.ext import commands


class Seen(commands.Cog):
    """Remembers what members have said."""

    def __init__(self):
        self.by_user = {}

    @commands.Cog.listener()
    async def on_message(self, message):
        self.by_user.setdefault(message.author.id, []).append(message)

    @commands.command()
    async def seen(self, context, user: discord.User):
        latest = list(self.by_user.get(user.id, ()))[-5:]
        await context.send("\n".join(f"{message.created_at:%H:%M} {message.content}" for message in latest))


class Question:
    def __init__(self, text, answer):
        self.text = text
        self.answer = answer


class Trivia(commands.Cog):
    """Loads its questions piece by piece, as from a slow database."""

    def __init__(self):
        self.questions = []

    async def cog_load(self):
        self.loading = asyncio.create_task(self.load())

    async def load(self):
        for piece in range(60):
            self.questions += [Question(f"{n} squared?", n * n) for n in range(piece * 100, piece * 100 + 100)]
            await asyncio.sleep(1)


class Bot(commands.Bot):
    async def setup_hook(self):
        await self.add_cog(Seen())
        await self.add_cog(Trivia())


if __name__ == "__main__":
    intents = discord.Intents.default()
    intents.message_content = True
    bot = Bot(command_prefix="!", intents=intents)
    bot.run(os.environ["DISCORD_TOKEN"], root_logger=True)
