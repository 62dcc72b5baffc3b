"""Runs the fake Slack as a process of its own: `python -m bot.sandbox.slack.process --port 0`.

Prints one JSON line with its addresses and tokens when it is ready, and runs until it is signalled.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

import orjson

from bot.sandbox.slack.server import FakeSlack


async def serve(options: argparse.Namespace) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, done.set)
    slack = FakeSlack(
        options.port,
        rate_limits=not options.no_rate_limits,
        recording=not options.no_recording,
        events_url=options.events_url,
    )
    async with slack:
        print(orjson.dumps(slack.addresses).decode(), flush=True)
        await done.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake Slack on this machine.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--events-url", default="", help="deliver by signed HTTP to this address")
    parser.add_argument("--no-rate-limits", action="store_true")
    parser.add_argument("--no-recording", action="store_true", help="keep no requests and deliveries")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
