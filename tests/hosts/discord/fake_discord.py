# SPDX-License-Identifier: MIT
"""A fake Discord on loopback: the little of the REST API and of the gateway that a bot needs to log in and to listen.

Driven line by line, by a test or by hand:

    stdin    burst COUNT          send COUNT messages at --rate a second, then be quiet again
    stdout   listening PORT       first line
             identified           a bot has its READY and its guild
             sent TOTAL           a burst is over: TOTAL messages so far
             closed CODE          a bot's session has ended: 1000 if the bot closed it, 1006 if it was cut off

It ends when stdin closes, and at the latest after --deadline seconds. What it was asked and does not know goes to
stderr. Needs aiohttp, which discord.py needs too.
"""
import argparse
import asyncio
import json
import sys
import zlib

from aiohttp import WSMsgType, web

import discord_objects as objects

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 9, 10, 11

GOING_AWAY = 1001

# Discord says 41250. A short one lets the heartbeats of discord.py's own thread fall into a test of seconds.
HEARTBEAT_INTERVAL_MS = 3000


def say(*words):
    print(*words, flush=True)


class PlainJson:
    async def send(self, websocket, text):
        await websocket.send_str(text)


class ZlibStream:
    """One zlib stream for the whole connection, flushed after each payload."""

    def __init__(self):
        self.stream = zlib.compressobj()

    async def send(self, websocket, text):
        data = self.stream.compress(text.encode()) + self.stream.flush(zlib.Z_SYNC_FLUSH)
        await websocket.send_bytes(data)


class ZstdStream:
    """The same with Zstandard. discord.py asks for it from 2.5 on, but only where it can import the module itself."""

    def __init__(self):
        try:
            from compression.zstd import ZstdCompressor
            stream = ZstdCompressor()
            self.compress = lambda data: stream.compress(data, ZstdCompressor.FLUSH_BLOCK)
        except ImportError:
            import zstandard
            stream = zstandard.ZstdCompressor().compressobj()
            self.compress = lambda data: stream.compress(data) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    async def send(self, websocket, text):
        await websocket.send_bytes(self.compress(text.encode()))


TRANSPORTS = {None: PlainJson, "zlib-stream": ZlibStream, "zstd-stream": ZstdStream}


class Session:
    """One websocket of one bot."""

    def __init__(self, websocket, transport, gateway_url):
        self.websocket = websocket
        self.transport = transport
        self.gateway_url = gateway_url
        self.sequence = 0
        self.identified = False

    async def send(self, op, data=None):
        payload = {"op": op, "d": data, "s": None, "t": None}
        await self.transport.send(self.websocket, json.dumps(payload))

    async def dispatch(self, event, data):
        self.sequence += 1
        payload = {"op": DISPATCH, "d": data, "s": self.sequence, "t": event}
        await self.transport.send(self.websocket, json.dumps(payload))

    async def serve(self):
        await self.send(HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS})
        async for message in self.websocket:
            if message.type is WSMsgType.TEXT:
                await self.answer(json.loads(message.data)["op"])

    async def answer(self, op):
        if op == HEARTBEAT:
            await self.send(HEARTBEAT_ACK)
        elif op == IDENTIFY:
            await self.dispatch("READY", objects.ready(f"session{id(self):x}", self.gateway_url))
            await self.dispatch("GUILD_CREATE", objects.guild())
            self.identified = True
            say("identified")
        elif op == RESUME:
            # Nothing is kept for replay: false tells the bot to identify anew.
            await self.send(INVALID_SESSION, False)
        else:
            print("gateway: no answer for op", op, file=sys.stderr)


class FakeDiscord:
    def __init__(self, rate, max_messages):
        self.rate = rate
        self.max_messages = max_messages
        self.messages_sent = 0
        self.sessions = set()

    def application(self):
        app = web.Application()
        api = r"/api/v{version:\d+}"
        commands = api + "/applications/{application}/commands"
        guild_commands = api + "/applications/{application}/guilds/{guild}/commands"
        app.add_routes([
            web.get("/", self.gateway),
            web.get(api + "/users/@me", replies(lambda request: objects.self_user())),
            web.get(api + "/oauth2/applications/@me", replies(lambda request: objects.application())),
            web.get(api + "/applications/@me", replies(lambda request: objects.application())),
            web.get(api + "/gateway", replies(lambda request: {"url": gateway_url(request)})),
            web.get(api + "/gateway/bot", replies(lambda request: objects.gateway_bot(gateway_url(request)))),
            web.get(commands, replies(lambda request: [])),
            web.put(commands, replies(lambda request: [])),
            web.get(guild_commands, replies(lambda request: [])),
            web.put(guild_commands, replies(lambda request: [])),
            web.route("*", "/{path:.*}", self.unknown),
        ])
        return app

    async def unknown(self, request):
        print("REST: no answer for", request.method, request.path, file=sys.stderr)
        return json_response({"message": "404: Not Found", "code": 0}, status=404)

    async def gateway(self, request):
        transport = TRANSPORTS[request.query.get("compress")]()
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        session = Session(websocket, transport, gateway_url(request))
        self.sessions.add(session)
        try:
            await session.serve()
        finally:
            self.sessions.discard(session)
            # Where the bot has closed it this does nothing. Otherwise aiohttp would say 1000 as soon as we return.
            await websocket.close(code=GOING_AWAY)
            say("closed", websocket.close_code or 1006)
        return websocket

    async def burst(self, count):
        for _ in range(min(count, self.max_messages - self.messages_sent)):
            self.messages_sent += 1
            message = objects.message(self.messages_sent)
            for session in list(self.sessions):
                if session.identified:
                    await session.dispatch("MESSAGE_CREATE", message)
            await asyncio.sleep(1 / self.rate)
        say("sent", self.messages_sent)

    async def obey(self, lines):
        """Returns when the other end of stdin closes."""
        async for line in lines:
            words = line.decode().split()
            if len(words) == 2 and words[0] == "burst" and words[1].isdigit():
                await self.burst(int(words[1]))
            else:
                print("stdin: not understood:", words, file=sys.stderr)

    async def close(self):
        for session in list(self.sessions):
            await session.websocket.close(code=GOING_AWAY)


def gateway_url(request):
    return f"ws://{request.host}/"


def json_response(data, status=200):
    # discord.py decodes a body only if its type is exactly application/json: web.json_response adds a charset.
    return web.Response(body=json.dumps(data).encode(), content_type="application/json", status=status)


def replies(make_object):
    async def handler(request):
        return json_response(make_object(request))
    return handler


async def stdin_lines():
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


async def serve(arguments):
    discord = FakeDiscord(arguments.rate, arguments.max_messages)
    runner = web.AppRunner(discord.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    say("listening", runner.addresses[0][1])
    try:
        await asyncio.wait_for(discord.obey(await stdin_lines()), arguments.deadline)
    except asyncio.TimeoutError:
        print("the deadline of", arguments.deadline, "seconds is over", file=sys.stderr)
    finally:
        await discord.close()
        await runner.cleanup()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=400, help="messages a second in a burst (%(default)s)")
    parser.add_argument("--max-messages", type=int, default=10000, help="messages in all (%(default)s)")
    parser.add_argument("--deadline", type=float, default=120, help="seconds to live (%(default)s)")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
