"""`parley knowledge`: documents taken in from this machine, beside a running bot or without one. What is
found of them: bot/cli/knowledge_search.py.

`add --channel C… FILE|FOLDER… --json` prints a list with an object for each file: name, file, state
(searchable, unchanged, failed), problem, document, title, kind, pages, pages_read, skipped and chunks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bot.cli import knowledge_learning, knowledge_search, knowledge_unanswered, teams
from bot.cli.standalone import open_standalone
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.jobs.inbox import Inbox
from bot.knowledge.index import DocumentIndex
from bot.knowledge.ingestion import Documents
from bot.knowledge.local_files import LocalFile, WithoutSlack, add_here
from bot.ops.control_socket import is_running, lines_from_running
from bot.provider.embeddings import embedder_for
from bot.text.file_names import escape_unseen

AddFile = Callable[[LocalFile], Awaitable[dict[str, Any]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """add --channel CHANNEL FILE…, search CHANNEL QUESTION, unanswered, learning"""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="take files in, to answer from them")
    where = adding.add_mutually_exclusive_group(required=True)
    where.add_argument("--channel", metavar="CHANNEL", default="", help="its id (C0123…), or TEAM:CHANNEL")
    where.add_argument("--workspace", action="store_true", help="answer from them everywhere")
    adding.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="files, or folders with files")
    adding.add_argument("--team", default="", help="the workspace's id; not needed where there is only one")
    adding.add_argument("--json", action="store_true", help="print what became of each as JSON")

    searching = actions.add_parser("search", help="what documents have on a question, best first")
    searching.add_argument("channel", metavar="CHANNEL", help="from where it is asked: C0123…, TEAM:CHANNEL")
    searching.add_argument("question", metavar="QUESTION", help="as people ask it")
    searching.add_argument(
        "--team", default="", help="the workspace's id; not needed where there is only one"
    )
    searching.add_argument("--limit", type=int, default=20, metavar="N", help="passages at most")
    searching.add_argument("--json", action="store_true", help="print them as JSON")

    open_ones = actions.add_parser("unanswered", help="what documents could not answer, by meaning")
    open_ones.add_argument(
        "--channel", metavar="CHANNEL", default="", help="of this one: C0123…, TEAM:CHANNEL"
    )
    open_ones.add_argument("--team", default="", help="the workspace's id; else of all there are")
    open_ones.add_argument("--json", action="store_true", help="print them as JSON")
    _add_learning(actions)


def _add_learning(actions: Any) -> None:
    learned = actions.add_parser("learning", help="what channels learned of their answers, with figures")
    learned.add_argument("--channel", metavar="CHANNEL", default="", help="of this one: C0123…, TEAM:CHANNEL")
    learned.add_argument("--team", default="", help="the workspace's id; else of all there are")
    learned.add_argument("--json", action="store_true", help="print them as JSON")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """1 when one of the files could not be taken in, the others are; or when nothing was found."""
    if args.action == "search":
        return await knowledge_search.run(args, settings)
    if args.action == "unanswered":
        return await knowledge_unanswered.run(args, settings)
    if args.action == "learning":
        return await knowledge_learning.run(args, settings)
    named, _, channel = args.channel.rpartition(":")
    files = [pair for path in args.paths for pair in list_files(path)]
    told = []
    async with open_adding(settings) as (add, find_team):
        team = args.team or named or await find_team(channel)
        for path, name in files:
            told.append(await add(LocalFile(team, channel, str(path.absolute()), name)))
            if not args.json:
                print(_describe(told[-1]))
    if args.json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    return int(any(one["state"] == "failed" for one in told))


def list_files(path: Path) -> Iterator[tuple[Path, str]]:
    """A file, or all of a folder, each with what it is called: two of a name in two folders are two."""
    if path.is_file():
        yield path, path.name
    elif not path.is_dir():
        raise SetupError([f"{escape_unseen(str(path))}: there is no such file or folder"])
    else:
        for found in sorted(path.rglob("*")):
            below = found.relative_to(path)
            if found.is_file() and _is_open(below) and _stays_inside(path, found):
                yield found, below.as_posix()


def _stays_inside(folder: Path, found: Path) -> bool:
    """Whoever fills a folder may put a link into it to what others are not to read."""
    real, root = found.resolve(), folder.resolve()
    return real.is_relative_to(root) and _is_open(real.relative_to(root))


def _is_open(below: Path) -> bool:
    return not any(part.startswith(".") for part in below.parts)


@asynccontextmanager
async def open_adding(
    settings: Settings,
) -> AsyncIterator[tuple[AddFile, Callable[[str], Awaitable[str]]]]:
    """What takes a file in, and what finds the workspace of a channel: the running bot's, or with what it
    takes made for this one command."""
    if await is_running(settings):
        yield partial(add_there, settings), _nothing_known
        return
    async with open_standalone(settings) as alone:
        inbox = Inbox(alone.engine)
        await inbox.drain(0)  # what it is given stays for the bot
        documents = Documents(
            settings,
            alone.engine,
            inbox,
            DocumentIndex(alone.engine, embedder_for(settings.embeddings, alone.provider, alone.engine)),
            WithoutSlack(),
            prices=alone.prices,
            calendar=alone.calendar,
        )
        find_team = partial(teams.find_team, alone.engine, in_slack=bool(settings.slack_bot_token))
        yield partial(add_here, documents), find_team


async def add_there(settings: Settings, file: LocalFile) -> dict[str, Any]:
    """Asks the running bot, which tells how far it is until it is done."""
    told: dict[str, Any] = {}
    async for told in lines_from_running(settings, "/knowledge", asdict(file)):
        if "state" not in told and sys.stderr.isatty():
            print(f"{told['name']}: {told['pages_read']} of {told['pages']} pages", file=sys.stderr)
    if "state" not in told:
        return {"name": file.name, "file": file.path, "state": "failed", "problem": "the bot has ended"}
    return told


async def _nothing_known(channel: str) -> str:
    """The running bot knows its own workspace."""
    return ""


def _describe(told: dict[str, Any]) -> str:
    name = escape_unseen(told["name"])
    if told["state"] != "searchable":
        return f"{name}: {told['problem'] or told['state']}"
    pages = f"{told['pages_read']} of {told['pages']} pages, " if told["pages"] else ""
    return f"{name}: {pages}{told['chunks']} passages"
