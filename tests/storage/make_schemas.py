"""Keeps a database file of the present schema: `python -m tests.storage.make_schemas`. Questions wait in it.

Run it with every new step of storage/schema.py. A file that is there stays as it is: it stands for the files
that people have.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.codec import encode
from bot.core.values import Conversation, Incoming
from storage.jobs import inbox
from storage.schema import STEPS
from storage.sqlite.file import connect, migrate
from storage.sqlite.writer import SqliteTx

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
# Where the sandbox's workspace has a channel and a person by these ids.
TEAM, CHANNEL, PERSON = "T0SANDBOX1", "C0GENERAL1", "U0ALICE001"
ASKED = tuple(f"1790000000.00000{n}" for n in range(3))


def question(ts: str) -> Incoming:
    return Incoming(
        key=f"m:{TEAM}:{CHANNEL}:{ts}",
        conversation=Conversation(TEAM, CHANNEL, ts),
        user=PERSON,
        message=ts,
        text="Are you still there?",
        sent_at=datetime.fromtimestamp(float(ts), UTC),
        direct=False,
        mentioned=True,
        external=False,
    )


def write(path: Path, steps: tuple[tuple[str, str], ...]) -> None:
    """A file with those steps taken: two questions wait, over a third one the process died."""
    db = connect(path)
    migrate(db, steps)
    tx = SqliteTx(db.conn)
    for ts in ASKED:
        asked = question(ts)
        place = asked.conversation.key
        inbox.put(tx, asked.key, place, "message", encode(asked), team=TEAM, person=PERSON, now=float(ts))
    inbox.take(tx, question(ASKED[0]).conversation.key, now=float(ASKED[0]))
    db.execute("pragma wal_checkpoint(truncate)")
    db.execute("pragma journal_mode=delete")
    db.close()


def main() -> None:
    SCHEMAS.mkdir(exist_ok=True)
    for count, (name, _) in enumerate(STEPS, start=1):
        kept = SCHEMAS / f"{name}.db.gz"
        if not kept.exists():
            with TemporaryDirectory() as folder:
                write(Path(folder) / "p.db", STEPS[:count])
                kept.write_bytes(gzip.compress((Path(folder) / "p.db").read_bytes(), mtime=0))


if __name__ == "__main__":
    main()
