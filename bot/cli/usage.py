"""`parley usage`: what was used and what it cost, as a table, CSV or JSON, from the database file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import date, datetime

from bot.cli.access_notes import note_access
from bot.core.calendar import zone
from bot.core.errors import NotUnderstood, SetupError
from bot.core.settings import Settings
from bot.costs.viewer import OPERATOR
from bot.reports.formats import USUAL, as_csv, as_json, table
from bot.reports.usage import BYS, Span, UsageRow, span, usage
from bot.text.typed import tidy
from storage.costs import ledger
from storage.database import open_engine

FORMATS: dict[str, Callable[[Sequence[UsageRow], Sequence[str]], str]] = {
    "table": table,
    "csv": as_csv,
    "json": as_json,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A span of time, what to add up by, a team, a format."""
    parser.add_argument(
        "span",
        nargs="?",
        metavar="SPAN",
        default="month",
        help="today, week, month (default), 'last month', 2026-10 or October",
    )
    parser.add_argument(
        "--by",
        type=_columns,
        metavar="COLUMNS",
        default="channel,person,model,kind",
        help=f"what to tell apart, separated by commas: {', '.join(BYS)} (default: all but day)",
    )
    parser.add_argument("--team", default="", help="one workspace; default: every one")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Reads beside a running bot; changes nothing."""
    today = datetime.now(zone(settings.time_zone)).date()
    days = _span(args.span, today)
    async with open_engine(settings.database, read_only=True) as engine:
        teams = [args.team] if args.team else await engine.read(ledger.teams)
        rows: list[UsageRow] = []
        for team in teams:
            rows += await usage(engine, team, days, OPERATOR, by=args.by)
    columns = ("day", *USUAL) if "day" in args.by else USUAL
    print(FORMATS[args.format](rows, columns), end="" if args.format == "csv" else "\n")
    shown = f"{days.first} to {days.last} by {', '.join(args.by)} as {args.format}; {OPERATOR.sees}"
    await note_access(settings, "usage", shown, team=args.team)
    return 0


def _columns(given: str) -> tuple[str, ...]:
    columns = tuple(given.lower().split(","))
    if unknown := [column for column in columns if column not in BYS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(BYS)}")
    return columns


def _span(given: str, today: date) -> Span:
    try:
        return span(tidy(given).casefold(), today)
    except NotUnderstood as exc:
        raise SetupError(
            [f"{given}: no span of time; give today, week, month or a month like 2026-10"]
        ) from exc
