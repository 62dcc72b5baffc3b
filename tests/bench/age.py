"""What a turn costs in an old conversation of a large database, against a young one: CPU and time per reply.

`python -m tests.bench.age`
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bot.core.values import Conversation
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.conversation import messages as conversations
from storage.conversation import summaries
from storage.database import open_engine
from storage.engine import Tx
from tests.bench.ledger import fill
from tests.bench.replies import ANSWER, cpu_s, finals, running
from tests.support.workspace import MANIFEST

REPLIES = 100
UNSUMMARISED = 10  # what stands behind the last summary of a conversation, however old it is


def remember(tx: Tx, place: Conversation, count: int) -> None:
    """A conversation as so many messages leave it: all rows, and a summary of all but the last."""
    now = time.time()
    for n in range(count):
        conversations.append(
            tx,
            place,
            role="assistant" if n % 2 else "human",
            message=f"old {n}",
            person="U1",
            text=f"message {n}, of the length that messages in Slack commonly have",
            now=now,
        )
    seq = conversations.recall(tx, place.key).messages[-1].seq
    if count > UNSUMMARISED:
        summaries.summarise(
            tx, place.key, "What was said.", upto=seq - UNSUMMARISED, tokens=4, erasures=0, now=now
        )


async def measured(messages: int, ledger_rows: int) -> tuple[float, float]:
    """CPU and wall milliseconds of one reply."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parley.db"
        async with (
            FakeSlack(manifest=MANIFEST, rate_limits=False, ring=100_000) as slack,
            FakeModel(keep=10_000) as model,
        ):
            model.script(ANSWER, times=0)
            root = await slack.say("alice", "#general", "how it began")
            fill(path, ledger_rows)
            database = f"sqlite:///{path}"
            async with open_engine(database) as engine:
                place = Conversation(slack.team, slack.channel("#general"), root)
                await engine.write(remember, place, messages)
            settings = {"PARLEY_DATABASE": database, "PARLEY_THREAD_TURN_LIMIT": "100000"}
            async with running("parley", slack, model, **settings) as (pid, _, _):
                await turns(slack, root, 10)
                before, taken = cpu_s(pid), await turns(slack, root, REPLIES)
                return 1000 * (cpu_s(pid) - before) / REPLIES, 1000 * statistics.median(taken)


async def turns(slack: FakeSlack, root: str, count: int) -> list[float]:
    """Follow-ups in one thread, one after the other; how long each took, in seconds."""
    taken = []
    for n in range(count):
        done, began = finals(slack), time.perf_counter()
        await slack.say("alice", "#general", f"and then, {n}?", thread_ts=root)
        await slack.until(lambda done=done: finals(slack) > done, 60)  # type: ignore[misc]
        taken.append(time.perf_counter() - began)
    return taken


async def main() -> None:
    rows = [("10 messages, 100 ledger rows", 10, 100), ("10,000 messages, 1,000,000 rows", 10_000, 1_000_000)]
    print(f"\n{'one more turn in a thread of':34}{'CPU ms':>10}{'ms':>10}{'ratio':>8}")
    young = 0.0
    for label, messages, ledger_rows in rows:
        cpu_ms, wall_ms = await measured(messages, ledger_rows)
        young = young or cpu_ms
        print(f"{label:34}{cpu_ms:10.2f}{wall_ms:10.1f}{cpu_ms / young:8.2f}")


if __name__ == "__main__":
    asyncio.run(main())
