"""`parley fields`: the forms of a channel, and the rows that its documents yielded, as CSV or JSONL.

It only reads, so it works beside a running bot.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from bot.cli.access_notes import note_access
from bot.cli.teams import find_team
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.fields.exports import write_csv, write_jsonl
from bot.fields.forms import decode_form, describe
from bot.fields.shown_rows import list_rows
from bot.fields.values import FieldForm, FieldRow
from bot.text.file_names import escape_unseen
from storage.database import open_engine
from storage.engine import Engine
from storage.fields import forms as stored

FORMATS: dict[str, Callable[[FieldForm, Sequence[FieldRow]], str]] = {"csv": write_csv, "jsonl": write_jsonl}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list CHANNEL, export CHANNEL NAME"""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser(
        "list", help="which fields are read in a channel, and how many rows there are"
    )
    exporting = actions.add_parser("export", help="every row of a form, to standard output")
    for action in (listing, exporting):
        action.add_argument("channel", metavar="CHANNEL", help="its id (C0123…), or TEAM:CHANNEL")
        action.add_argument(
            "--team", default="", help="the workspace's id; not needed where there is only one"
        )
    exporting.add_argument("name", metavar="NAME", help="what the documents are, such as invoice")
    exporting.add_argument("--format", choices=FORMATS, default="csv", help="default: csv")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Reads beside a running bot; the look is noted."""
    named, _, channel = args.channel.rpartition(":")
    async with open_engine(settings.database, read_only=True) as engine:
        team = args.team or named or await find_team(engine, channel)
        found = await engine.read(stored.list_at, team, channel)
        forms = [decode_form(one) for one in found]
        if args.action == "list":
            print("\n".join([await _describe(engine, form) for form in forms]) or "no fields are described")
        else:
            form = _find(forms, args.name)
            print(FORMATS[args.format](form, await engine.read(list_rows, form)), end="")
    shown = f"rows of {args.name}" if args.action == "export" else "forms"
    await note_access(settings, "fields", f"{shown} in {channel}", team=team)
    return 0


async def _describe(engine: Engine, form: FieldForm) -> str:
    rows = await engine.read(list_rows, form)
    doubtful = sum(value.open for row in rows for value in row.values)
    return f"{escape_unseen(describe(form))}\n  {len(rows)} rows, {doubtful} values to look at"


def _find(forms: Sequence[FieldForm], name: str) -> FieldForm:
    """SetupError for a name that no form has."""
    for form in forms:
        if form.name.casefold() == name.casefold():
            return form
    known = ", ".join(escape_unseen(form.name) for form in forms) or "none"
    raise SetupError([f"{escape_unseen(name)}: no fields of that name are described; there are: {known}"])
