"""What holds after every fault: one end per message, never two, and a ledger row for each model request."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from bot.turns import reply_id
from storage.engine import Tx
from tests.workspace import Workspace, is_final, text_of

Found = dict[str, Any]


def jobs(tx: Tx) -> list[Found]:
    return tx.all(
        "select i.key, i.state, i.error, r.state as reply from inbox i left join replies r on r.job = i.seq"
        " where i.kind = 'message' order by i.seq"
    )


def requests(tx: Tx) -> dict[str, int]:
    """Model requests in the ledger: how many ended, and how many did not."""
    rows = tx.all("select outcome = 'open' as open, count(*) as n from ledger group by 1")
    return {"open": 0, "ended": 0} | {"open" if row["open"] else "ended": row["n"] for row in rows}


def ours(team: Workspace) -> list[Found]:
    """Every message of the bot's anywhere, oldest first."""
    there = team.slack.workspace
    return [m for c in there.channels.values() for m in c.messages.values() if m.get("user") == there.bot]


async def ended(team: Workspace, timeout_s: float = 20.0) -> list[Found]:
    """Every job, once none is left to do."""
    ends_at = asyncio.get_running_loop().time() + timeout_s
    while True:
        await team.quiet(timeout_s)
        rows = await team.bot.services.engine.read(jobs)
        if {row["state"] for row in rows} <= {"done", "parked"}:
            return rows
        assert asyncio.get_running_loop().time() < ends_at, rows
        await asyncio.sleep(0.02)


async def kept(team: Workspace, *, cancelled: int = 0, shut: bool = False) -> list[str]:
    """Asserts the three promises once nothing is being worked on; returns what the bot said, in order.

    `cancelled`: how many questions were taken back before their answer. `shut`: we cannot write there any
    more, so what we showed there stays.
    """
    rows = await ended(team)
    said = [m for m in ours(team) if is_final(m)]
    assert len(said) == len(ours(team)), "something of ours stands in a thread and belongs to no reply"
    told = [m["metadata"]["event_payload"] for m in said]
    assert not [n for n in Counter((t["id"], t["part"]) for t in told).values() if n > 1], "said twice"
    taken_back = [row for row in rows if row["error"] == "cancelled" or row["reply"] == "withdrawn"]
    asked = {reply_id(row["key"]) for row in rows if row not in taken_back}
    assert {t["id"] for t in told} == asked, "not every message ended in exactly one reply"
    assert len(taken_back) == cancelled
    assert not team.slack.workspace.streams, "a stream was left open"
    statuses = [session["status"] for session in team.slack.workspace.sessions.values()]
    assert shut or "processing" not in statuses, "a thread looks as if somebody were at work there"
    await team.bot.services.provider._door.settled()
    made = team.model.counters["requests"]
    assert await team.bot.services.engine.read(requests) == {"open": 0, "ended": made}
    return [text_of(m).strip() for m in said]
