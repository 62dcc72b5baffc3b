"""The commands of `parley`. Each is a module with `add_arguments(parser)` and `async run(args, settings) ->
int`.

A module is imported only when its command is asked for, so that `parley inbox list` does not wait for the
libraries of Slack, nor `parley --help` for any. This is the one file of bot/ that names modules of handlers/:
it is the top of the house.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

from bot import VERSION
from bot.core import settings_sources
from bot.core.errors import BotError, SetupError
from bot.ops import logs
from bot.ops.operator_errors import explain_error
from bot.text.file_names import escape_unseen
from bot.text.redact import redact_all

COMMANDS = {
    "serve": ("handlers.serve", "run the bot until it is told to stop"),
    "connect": ("handlers.connect", "make the Slack app, or bring it up to date"),
    "sandbox": ("bot.cli.sandbox", "a workspace in the browser, without any account"),
    "check": ("handlers.check", "try settings, tokens, scopes, database and model"),
    "health": ("bot.cli.health", "ask the running bot whether it is fit for work"),
    "inbox": ("bot.cli.inbox", "what waits, what was given up on, and what to do about it"),
    "guard": ("bot.cli.guard", "train and judge what keeps a channel to its subject"),
    "knowledge": ("bot.cli.knowledge", "take documents in, to answer from them"),
    "fields": ("bot.cli.fields", "tables that documents yielded, as CSV or JSONL"),
    "usage": ("bot.cli.usage", "what was used and what it cost, as a table, CSV or JSON"),
    "estimate": ("bot.cli.estimate", "what a text, hours of speech or a training set would cost"),
    "reconcile": ("bot.cli.reconcile", "compare the ledger with the provider's own count"),
    "transcribe": ("bot.cli.transcribe", "recordings to text, captions and English"),
    "backup": ("bot.cli.backup", "copy the database while the bot runs"),
    "move": ("bot.cli.move", "everything from SQLite to PostgreSQL, or back"),
    "retention": ("bot.cli.retention", "how long what people said is kept, and what is due"),
    "forget": ("bot.cli.forget", "erase everything a person said"),
    "privacy": ("bot.cli.privacy", "a page about privacy to publish, made from the settings"),
    "audit": ("bot.cli.audit", "who changed, erased or looked at what, checked for tampering"),
    "settings": ("bot.cli.settings", "print every setting with its default, as .env.example"),
}
MORE_HELP = """\
"parley COMMAND --help" lists the options of a command. Settings come from the
environment, from the file .env in this folder, or from the TOML file that
PARLEY_CONFIG names."""
EXIT_USAGE = 2
EXIT_FAILED = 1


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit status. Problems are told in readable lines, never a traceback."""
    arguments = sys.argv[1:] if argv is None else argv
    parser = _parser(arguments[:1])
    if not arguments:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    args = parser.parse_args(arguments)
    run = _import(args.command).run
    try:
        env_file = find_env_file()
        for unknown in settings_sources.find_unknown(os.environ, env_file=env_file):
            print(f"parley: {unknown}", file=sys.stderr)
        loaded = settings_sources.load(os.environ, env_file=env_file)
        logs.use_for_commands(loaded)
        status = _run(run(args, loaded))
        sys.stdout.flush()
        return status
    except BotError as exc:
        for problem in explain_error(exc):
            print(f"parley: {escape_unseen(redact_all(problem))}", file=sys.stderr)
        return EXIT_USAGE if isinstance(exc, SetupError) else EXIT_FAILED
    except OSError as exc:
        if args.command == "serve":  # whose log tells where it was
            raise
        _give_up_output()
        if isinstance(exc, BrokenPipeError):  # who read has gone, and nothing more can be said to them
            return 0
        print(f"parley: {escape_unseen(str(exc))}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130


def _give_up_output() -> None:
    """What cannot be written is not tried again at the exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def find_env_file() -> Path | None:
    """The file of settings that stands beside the environment, as .env.example does."""
    name = os.environ.get("PARLEY_ENV_FILE", ".env")
    return Path(name) if name else None


def _parser(chosen: list[str]) -> argparse.ArgumentParser:
    """Every command by name; the options of the chosen one only, for its module takes time to import."""
    listed = "\n".join(f"  {name:12}{help}" for name, (_, help) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="parley",
        description=f"The team assistant that lives in your own Slack.\n\ncommands:\n{listed}",
        epilog=MORE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"parley {VERSION}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", help="one of these")
    for name, (_, help) in COMMANDS.items():
        subparser = subparsers.add_parser(name, description=f"{help[0].upper()}{help[1:]}.")
        if name in chosen:
            _import(name).add_arguments(subparser)
    return parser


def _import(command: str) -> ModuleType:
    """A command's module. Whatever it imports stays: it is not searched for garbage meanwhile, which would
    take a tenth of the time."""
    gc.disable()
    try:
        return importlib.import_module(COMMANDS[command][0])
    finally:
        gc.enable()


def _run(command: Coroutine[Any, Any, int]) -> int:
    """On uvloop where there is one; it halves the price of a request."""
    import asyncio

    try:
        import uvloop
    except ImportError:
        return asyncio.run(command)
    return uvloop.run(command)
