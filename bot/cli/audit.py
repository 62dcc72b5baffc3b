"""`parley audit`: who changed, erased or looked at what, and whether the list is as it was written.

With --json each entry is an event for a SIEM (bot/privacy/audit_events.py); with --follow the command stays
and tells what is added, checking each seal against the one before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bot.core.errors import Busy, SetupError
from bot.core.settings import Settings
from bot.privacy.audit_events import tampering_event, to_event
from storage import audit
from storage.audit import AuditEntry
from storage.database import open_engine

FOLLOW_S = 1.0  # between two looks at what was added
CUT_OFF = "no entry has the given seal: the end of the list was cut off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which entries, in which form, and whether to go on."""
    parser.add_argument(
        "--last", type=int, metavar="N", default=50, help="how many entries to show (default: 50)"
    )
    parser.add_argument("--team", default="", help="one workspace; default: every one")
    parser.add_argument(
        "--seal",
        default="",
        help="a seal noted earlier; fails when it is not there any more. With --json or --follow: what came "
        "after it is shown, however much it is",
    )
    parser.add_argument(
        "--json", action="store_true", help="an OCSF event in each line, with all that its seal is made of"
    )
    parser.add_argument("--follow", action="store_true", help="stay, and show what is added")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Reads beside a running bot; 1 when the list was tampered with."""
    async with open_engine(settings.database, read_only=True) as engine:
        found, waits = await engine.read(lambda tx: list(audit.every(tx))), engine.shared
    view = _View(as_json=args.json, team=args.team)
    view.show(_choose(found, args), found)
    if problem := wrong(found, args.seal):
        return view.tell(problem)
    if args.follow:
        look = partial(_look, settings.database, waits=waits)
        return await _follow(look, view, found[-1] if found else None)
    if not args.json:
        print(f"{len(found)} entries, unbroken; the last seal is {found[-1].seal if found else audit.FIRST}")
    return 0


def _choose(found: Sequence[AuditEntry], args: argparse.Namespace) -> Sequence[AuditEntry]:
    """The entries that were asked for."""
    if args.seal and (args.json or args.follow):
        seals = [audit.FIRST, *(entry.seal for entry in found)]
        return found[seals.index(args.seal) :] if args.seal in seals else ()
    mine = [entry for entry in found if args.team in ("", entry.team)]
    return mine[-args.last :] if args.last > 0 else ()


async def _follow(
    look: Callable[[int], Awaitable[list[AuditEntry]]], view: _View, last: AuditEntry | None
) -> int:
    """Shows what is added until it is interrupted; 1 as soon as the list is not what it was."""
    while True:
        page = await look(audit.BEFORE_ALL if last is None else last.seq - 1)
        known = page[:1] if last else []
        if last and known != [last]:
            return view.tell(f"entry {last.seq} is not there any more as it was: the list was changed")
        added = page[len(known) :]
        if (seq := audit.broken(added, before=last.seal if last else audit.FIRST)) is not None:
            return view.tell(_does_not_follow(seq))
        view.show(added, page)
        last = added[-1] if added else last
        if len(page) < audit.PAGE:
            await asyncio.sleep(FOLLOW_S)


async def _look(database: str, after: int, *, waits: bool) -> list[AuditEntry]:
    """The entries after one. `waits`: for a server that is away, as it is during a fail-over.

    The file is opened anew for each look: another one, such as a backup, may have taken its place.
    """
    told = False
    while True:
        try:
            async with open_engine(database, read_only=True) as engine:
                return await engine.read(audit.entries, after=after)
        except (SetupError, Busy) as exc:
            if not waits:
                raise
            if not told:
                print(f"waiting for the database: {exc}", file=sys.stderr, flush=True)
            told = True
        await asyncio.sleep(FOLLOW_S)


@dataclass(frozen=True)
class _View:
    """Entries as lines, each as soon as it is known."""

    as_json: bool
    team: str

    def show(self, entries: Sequence[AuditEntry], around: Sequence[AuditEntry]) -> None:
        """`around` holds the entry before each of them, where there is one."""
        seals = [audit.FIRST, *(entry.seal for entry in around)]
        before = {entry.seq: seal for entry, seal in zip(around, seals, strict=False)}
        for entry in entries:
            if self.team in ("", entry.team):
                self._print(_as_line(to_event(entry, before[entry.seq])) if self.as_json else line(entry))

    def tell(self, problem: str) -> int:
        """That the list is wrong; the exit status."""
        self._print(
            _as_line(tampering_event(problem, at=time.time())) if self.as_json else f"wrong: {problem}"
        )
        return 1

    def _print(self, text: str) -> None:
        print(text, flush=True)


def wrong(found: list[AuditEntry], seal: str) -> str:
    """What is wrong with the list, in a sentence; empty when nothing is."""
    if (seq := audit.broken(found)) is not None:
        return _does_not_follow(seq)
    if seal and seal != audit.FIRST and not audit.holds(found, seal):
        return CUT_OFF
    return ""


def line(entry: AuditEntry) -> str:
    """When, who, what: one entry in one line."""
    at = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    who = entry.person or "-"
    told = " ".join(filter(None, (entry.act, entry.about, entry.detail and f"({entry.detail})")))
    one = f"{entry.seq:>6}  {at}  {entry.team or '-'}  {who}  {told}"
    return "".join(letter if letter.isprintable() else "?" for letter in one)


def _does_not_follow(seq: int) -> str:
    return f"entry {seq} does not follow from the one before it: the list was changed"


def _as_line(event: dict[str, object]) -> str:
    return json.dumps(event)  # ASCII: nothing in it moves a terminal's cursor
