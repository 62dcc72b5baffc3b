"""The commands of `parley`. Each is a module with `add_arguments(parser)` and `async run(args, settings) ->
int`.

A module is imported only when its command is asked for, so that `parley inbox list` does not wait for the
model SDK. This is the one file of bot/ that names modules of handlers/: it is the top of the house.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from collections.abc import Coroutine
from typing import Any

from bot.core import settings
from bot.core.errors import BotError, SetupError

COMMANDS = {
    "serve": ("handlers.serve", "run the bot until it is told to stop"),
    "sandbox": ("bot.cli.sandbox", "a workspace on this machine, in the browser, without any account"),
    "check": (
        "handlers.check",
        "try settings, tokens, scopes, database and model; one line for each problem",
    ),
    "inbox": ("bot.cli.inbox", "what is waiting, and what was given up on"),
    "guard": ("bot.cli.guard", "train and judge what keeps a channel to its subject"),
    "usage": ("bot.cli.usage", "what was used and what it cost, as a table, CSV or JSON"),
    "estimate": ("bot.cli.estimate", "what a text, hours of speech or a training set would cost"),
    "reconcile": ("bot.cli.reconcile", "compare the ledger with the provider's own count"),
    "transcribe": ("bot.cli.transcribe", "recordings to text, captions and English"),
    "backup": ("bot.cli.backup", "copy the database while the bot runs"),
    "retention": ("bot.cli.retention", "how long what people said is kept, and what is due to be erased"),
    "forget": ("bot.cli.forget", "erase everything a person said, for somebody who cannot do it in Slack"),
    "audit": ("bot.cli.audit", "who changed, erased or looked at what, checked for tampering"),
    "settings": ("bot.cli.settings", "print every setting with its default, as .env.example"),
}
EXIT_USAGE = 2
EXIT_FAILED = 1


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status. Problems are told in readable lines, never a traceback."""
    arguments = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="parley", description="The team assistant that lives in Slack.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=help, description=help)
        if name in arguments[:1]:
            importlib.import_module(module).add_arguments(subparser)
    args = parser.parse_args(arguments)
    run = importlib.import_module(COMMANDS[args.command][0]).run
    try:
        return _run(run(args, settings.load(os.environ)))
    except SetupError as exc:
        for problem in exc.problems:
            print(f"parley: {problem}", file=sys.stderr)
        return EXIT_USAGE
    except BotError as exc:
        print(f"parley: {exc.notice} ({exc})", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130


def _run(command: Coroutine[Any, Any, int]) -> int:
    """On uvloop where there is one; it halves the price of a request."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(command)
    return uvloop.run(command)
