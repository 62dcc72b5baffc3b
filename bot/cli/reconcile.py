"""`parley reconcile`: our ledger against a usage export, or against the provider's organisation usage API."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args

import aiohttp
import orjson

from bot.core.errors import Refused, SetupError, Unavailable
from bot.core.settings import Settings
from bot.core.values import RequestKind
from bot.costs.reconcile import (
    ENDPOINTS,
    compare,
    format_differences,
    format_reported,
    read_ours,
    read_reported,
    read_theirs,
)
from bot.provider.model_hosts import find_host_problems, model_url
from bot.provider.tags import Tags
from storage.costs import ledger
from storage.database import open_engine

# The key of an owner of the organisation; the bot itself never needs it, so it is no setting of the bot.
KEY = "OPENAI_ADMIN_KEY"
TIMEOUT_S = 60.0
EXIT_DIFFERENT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An export, or the provider itself and a span of days."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="usage export: CSV, or JSON of the usage API"
    )
    parser.add_argument(
        "--reported",
        action="store_true",
        help="what a gateway said it billed, beside our prices (default: this month's days)",
    )
    parser.add_argument(
        "--tags",
        action="store_true",
        help="the tags that requests carry with PARLEY_TAG_KEY: which team, channel and kind each is",
    )
    parser.add_argument("--provider", action="store_true", help=f"ask the usage API, with the key in {KEY}")
    parser.add_argument(
        "--first",
        type=_day,
        metavar="DAY",
        help="first UTC day, as 2026-10-01 (default: first of the export)",
    )
    parser.add_argument("--last", type=_day, metavar="DAY", help="last UTC day (default: last of the export)")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 when both sides agree, 1 when they differ."""
    if args.tags:
        return await _print_tags(settings)
    if args.reported:
        return await _print_reported(args, settings)
    counted = read_theirs(await _text(args, settings))
    if not counted and not args.first:
        raise SetupError([f"{args.file or 'the usage API'}: there is no usage in it"])
    days = [day for day, _, _ in counted]
    first, last = args.first or min(days), args.last or (max(days) if days else args.first)
    async with open_engine(settings.database, read_only=True) as engine:
        mine = await read_ours(engine, first, last)
        reported = await read_reported(engine, first, last)
    within = {key: count for key, count in counted.items() if first <= key[0] <= last}
    differences = compare(mine, within)
    print(format_differences(differences))
    if reported:
        print(format_reported(reported))
    return EXIT_DIFFERENT if differences else 0


async def _print_reported(args: argparse.Namespace, settings: Settings) -> int:
    """0 when gateways and our prices agree, 1 when they differ."""
    last = args.last or datetime.now(UTC).date()
    async with open_engine(settings.database, read_only=True) as engine:
        found = await read_reported(engine, args.first or last.replace(day=1), last)
    print(format_reported(found))
    return EXIT_DIFFERENT if any(one.differs for one in found) else 0


async def _print_tags(settings: Settings) -> int:
    """Which tag is which team, channel and kind of request."""
    if not settings.tag_key:
        raise SetupError(["PARLEY_TAG_KEY: without it requests carry no tags"])
    tags = Tags(settings.tag_key)
    async with open_engine(settings.database, read_only=True) as engine:
        places = await engine.read(ledger.places)
    for team in dict.fromkeys(row["team"] for row in places):
        print(f"{tags.make('team', team)}  team {team}")
    for row in places:
        print(
            f"{tags.make('channel', row['team'], row['channel'])}  channel {row['channel']} of {row['team']}"
        )
    for kind in get_args(RequestKind):
        print(f"{tags.make('kind', kind)}  kind {kind}")
    return 0


async def _text(args: argparse.Namespace, settings: Settings) -> str:
    if args.provider:
        if problems := find_host_problems(settings):
            raise SetupError(problems)
        last = args.last or datetime.now(UTC).date()
        pages = await fetch(model_url(settings), args.first or last.replace(day=1), last)
        return orjson.dumps(pages).decode()
    try:
        return str(args.file.read_text("utf-8-sig"))
    except (AttributeError, OSError, UnicodeDecodeError) as exc:
        given = f"{args.file} cannot be read: " if args.file else ""
        raise SetupError([f"{given}name a usage export (CSV or JSON), or --provider"]) from exc


async def fetch(base_url: str, first: date, last: date) -> list[dict[str, Any]]:
    """Every page of the organisation usage API for those UTC days. Needs the admin key in the environment."""
    key = os.environ.get(KEY)
    if not key:
        raise SetupError([f"{KEY}: needed to ask the provider for its own count"])
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as session:
        return [
            page
            for endpoint in ENDPOINTS
            for page in await _pages(
                session, f"{base_url.rstrip('/')}/organization/usage/{endpoint}", first, last
            )
        ]


async def _pages(session: aiohttp.ClientSession, url: str, first: date, last: date) -> list[dict[str, Any]]:
    begins = datetime.combine(first, time(), UTC)
    ends = datetime.combine(last + timedelta(days=1), time(), UTC)
    query = {
        "start_time": str(int(begins.timestamp())),
        "end_time": str(int(ends.timestamp())),
        "bucket_width": "1d",
        "group_by": "model",
        "limit": "31",
    }
    pages: list[dict[str, Any]] = []
    while True:
        try:
            async with session.get(url, params=query) as response:
                if response.status == 404:  # this provider does not count such requests
                    return pages
                if response.status >= 400:
                    raise Refused(f"{url}: HTTP {response.status}")
                pages.append(await response.json())
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise Unavailable(f"{url}: {exc}") from exc
        if not pages[-1].get("has_more"):
            return pages
        query["page"] = pages[-1]["next_page"]


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{given!r} is not a day like 2026-10-01") from exc
