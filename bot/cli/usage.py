"""`parley usage`: what was used and what it cost, as a table, CSV or JSON, from the database file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.core.calendar import zone
from bot.core.settings import Settings
from bot.costs.viewer import OPERATOR
from bot.ops.control_socket import tell_look
from bot.reports.formats import USUAL, as_csv, as_json, table
from bot.reports.usage import BYS, UsageRow, parse, usage
from storage.costs import ledger
from storage.database import open_engine

FORMATS: dict[str, Callable[[Sequence[UsageRow], Sequence[str]], str]] = {
    "table": table,
    "csv": as_csv,
    "json": as_json,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A span of time, what to add up by, a team, a format."""
    parser.add_argument("span", nargs="?", default="month", help="today, week, month (default) or 2026-10")
    parser.add_argument(
        "--by",
        default="channel,person,model,kind",
        help=f"what to tell apart, separated by commas: {', '.join(BYS)} (default: all but day)",
    )
    parser.add_argument("--team", default="", help="one workspace; default: every one")
    parser.add_argument("--format", choices=FORMATS, default="table")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Reads beside a running bot; changes nothing."""
    today = datetime.now(zone(settings.time_zone)).date()
    span = parse(args.span, today).span
    by = tuple(column for word in args.by.split(",") for column in parse(f"by {word}", today).by)
    async with open_engine(settings.database, read_only=True) as engine:
        teams = [args.team] if args.team else await engine.read(ledger.teams)
        rows: list[UsageRow] = []
        for team in teams:
            rows += await usage(engine, team, span, OPERATOR, by=by)
    columns = ("day", *USUAL) if "day" in by else USUAL
    print(FORMATS[args.format](rows, columns), end="" if args.format == "csv" else "\n")
    shown = f"{span.first} to {span.last} by {', '.join(by)} as {args.format}; {OPERATOR.sees}"
    await tell_look(settings, "usage", shown, team=args.team)
    return 0
