"""`parley audit`: who changed, erased or looked at what, and whether the list is as it was written."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from bot.core.settings import Settings
from storage import audit
from storage.audit import AuditEntry
from storage.database import open_engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--last N, --team T, --seal SEAL."""
    parser.add_argument(
        "--last", type=int, metavar="N", default=50, help="how many entries to show (default: 50)"
    )
    parser.add_argument("--team", default="", help="one workspace; default: every one")
    parser.add_argument(
        "--seal", default="", help="a seal noted earlier; fails when it is not there any more"
    )


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Reads beside a running bot; 1 when the list was tampered with."""
    async with open_engine(settings.database, read_only=True) as engine:
        found = await engine.read(lambda tx: list(audit.every(tx)))
    shown = [entry for entry in found if args.team in ("", entry.team)]
    for entry in shown[-args.last :] if args.last > 0 else ():
        print(line(entry))
    if problem := wrong(found, args.seal):
        print(f"wrong: {problem}")
        return 1
    print(f"{len(found)} entries, unbroken; the last seal is {found[-1].seal if found else audit.FIRST}")
    return 0


def wrong(found: list[AuditEntry], seal: str) -> str:
    """What is wrong with the list, in a sentence; empty when nothing is."""
    if (seq := audit.broken(found)) is not None:
        return f"entry {seq} does not follow from the one before it: the list was changed"
    if seal and seal != audit.FIRST and not audit.holds(found, seal):
        return "no entry has the given seal: the end of the list was cut off"
    return ""


def line(entry: AuditEntry) -> str:
    """When, who, what: one entry in one line."""
    at = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    who = entry.person or "-"
    told = " ".join(filter(None, (entry.act, entry.about, entry.detail and f"({entry.detail})")))
    one = f"{entry.seq:>6}  {at}  {entry.team or '-'}  {who}  {told}"
    return "".join(letter if letter.isprintable() else "?" for letter in one)
