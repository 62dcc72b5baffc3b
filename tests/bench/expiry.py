"""A month's messages are due at once while people are answered: what they wait, and what is written to disk.

Beside the same load with nothing due, and beside one statement that deletes as much while nobody is there.
`python -m tests.bench.expiry [--messages 30000]`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from bot.core.values import Conversation
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.conversation import messages
from storage.database import open_engine
from storage.sqlite.file import connect, migrate
from storage.sqlite.writer import SqliteTx
from tests.bench.replies import ANSWER, finals, percentile, running
from tests.support.workspace import MANIFEST

CHANNELS, PEOPLE, WORDS = 40, 200, 40
HOUR_S, DAY_S, KEPT_DAYS = 3_600.0, 86_400.0, 30
PER_SECOND = 5.0
LOAD = {"first_token_s": 0.2, "tokens_per_s": 200.0}
LONGEST_S = 300.0
# What a row of `messages` holds: itself, and its entries in four indices.
HELD = "length(text) + 2 * length(conversation) + 3 * length(team) + 2 * length(channel)"
HELD += " + 2 * length(message) + 2 * length(person) + length(role) + 60"


@dataclass(frozen=True)
class Load:
    """What people noticed, and what was written meanwhile."""

    seconds: float
    ack_ms: list[float]
    answer_ms: list[float]
    written_mb: float


def fill(path: Path, count: int) -> float:
    """So many messages in order of time, every third one due; how many MB these hold."""
    chance, now = random.Random(count), time.time()
    db = connect(path)
    migrate(db)
    tx, threads = SqliteTx(db.conn), {}
    db.execute("pragma synchronous=off")
    db.execute("begin")
    for number in range(0, count, 2):
        channel = chance.randrange(CHANNELS)
        at = now - (40 - 30 * number / count) * DAY_S  # a third of forty to ten days is older than thirty
        at += HOUR_S * (at > now - KEPT_DAYS * DAY_S)  # nothing else becomes due meanwhile
        if channel not in threads or chance.random() < 0.2:
            threads[channel] = f"{at:.6f}"
        place = Conversation("T1", f"C{channel}", threads[channel])
        words = " ".join(f"word{chance.randrange(1000)}" for _ in range(WORDS))
        person, answer = f"U{chance.randrange(PEOPLE)}", str(uuid.UUID(int=chance.getrandbits(128)))
        for role, message in (("human", f"{at:.6f}"), ("assistant", messages.answer_id(f"{at:.6f}", answer))):
            messages.append(tx, place, role=role, message=message, person=person, text=words, now=at)
    db.execute("commit")
    ((held,),) = db.execute(f"select sum({HELD}) from messages where at < ?", [now - KEPT_DAYS * DAY_S])
    db.close()
    return float(held) / 1e6


def written_mb(pid: int | str) -> float:
    """What a process wrote, to its connections too, which is the same in all runs. (What the system counts as
    written to a disk is in units of its cache, which may be much larger than a page.)"""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"]) / 1e6


async def count_due(database: str) -> int:
    async with open_engine(database, read_only=True) as engine:
        due = "select count(*) as due from messages where at < :before"
        row = await engine.read(lambda tx: tx.one(due, before=time.time() - KEPT_DAYS * DAY_S))
    return int(row["due"]) if row else 0


async def measure(path: Path, *, keep_days: int, seconds: float) -> Load:
    """A bot under load on a database until nothing is due, or for so many seconds."""
    database = f"sqlite:///{path}"
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=100_000) as slack,
        FakeModel(keep=10_000, **LOAD) as model,
        running(
            "parley",
            slack,
            model,
            PARLEY_DATABASE=database,
            PARLEY_KEEP_MESSAGES_DAYS=str(keep_days),
        ) as (pid, _, _),
    ):
        model.script(ANSWER, times=0)
        before, began = written_mb(pid), time.perf_counter()
        asked: dict[str, float] = {}
        while (took := time.perf_counter() - began) < (seconds or LONGEST_S):
            asked[await slack.say("alice", "#general", "@parley how are things?")] = time.time()
            await asyncio.sleep(1 / PER_SECOND)
            if not seconds and len(asked) % 10 == 0 and not await count_due(database):
                break
        await slack.until(lambda: finals(slack) >= len(asked), 60)
        acks = [1000 * d.acked_after_s for d in slack.deliveries if d.acked_after_s is not None]
        return Load(took, acks, answer_ms(slack, asked), written_mb(pid) - before)


def answer_ms(slack: FakeSlack, asked: dict[str, float]) -> list[float]:
    """From each question to the end of its answer."""
    threads: dict[str, str] = {}
    taken = []
    for request in slack.requests:
        if request.method == "chat.startStream":
            threads[request.response["ts"]] = request.arguments["thread_ts"]
        elif request.method == "chat.stopStream":
            taken.append(1000 * (request.at - asked[threads[request.arguments["ts"]]]))
    return taken


def delete_at_once(path: Path) -> tuple[float, float]:
    """Seconds and MB written of one statement, with what SQLite has by itself."""
    db = connect(path)
    before, began = written_mb("self"), time.perf_counter()
    db.execute("begin immediate")
    db.execute("delete from messages where at < ?", [time.time() - KEPT_DAYS * DAY_S])
    db.execute("commit")
    took = time.perf_counter() - began
    db.close()
    return took, written_mb("self") - before


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=30_000)
    count = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as folder:
        full, path = Path(folder) / "full.db", Path(folder) / "parley.db"
        held_mb = fill(full, count)
        shutil.copy(full, path)
        due = await measure(path, keep_days=KEPT_DAYS, seconds=0)
        left = await count_due(f"sqlite:///{path}")
        shutil.copy(full, path)
        quiet = await measure(path, keep_days=0, seconds=due.seconds)
        shutil.copy(full, path)
        at_once_s, at_once_mb = delete_at_once(path)
    print(f"\n{count // 3:,} of {count:,} messages ({held_mb:.0f} MB) go in {due.seconds:.0f} s, {left} left")
    print(f"{'at ' + str(PER_SECOND) + ' questions/s':34}{'quiet':>10}{'erasing':>10}{'ratio':>8}")
    for label, one, other in (
        ("ack ms, p50", percentile(quiet.ack_ms, 50), percentile(due.ack_ms, 50)),
        ("ack ms, p99", percentile(quiet.ack_ms, 99), percentile(due.ack_ms, 99)),
        ("answer ms, p50", statistics.median(quiet.answer_ms), statistics.median(due.answer_ms)),
        ("answer ms, longest", max(quiet.answer_ms), max(due.answer_ms)),
        ("MB written", quiet.written_mb, due.written_mb),
    ):
        print(f"{label:34}{one:10.1f}{other:10.1f}{other / one:8.2f}")
    erasing_mb = due.written_mb - quiet.written_mb
    print(f"{'':34}{'at once':>10}{'portions':>10}{'ratio':>8}")
    print(f"{'MB written for each erased':34}", end="")
    print(f"{at_once_mb / held_mb:10.1f}{erasing_mb / held_mb:10.1f}{erasing_mb / at_once_mb:8.2f}")
    print(f"{'s during which nobody else writes':34}{at_once_s:10.1f}")


if __name__ == "__main__":
    asyncio.run(main())
