"""What holds after every fault: one end per message, never two, and a ledger row for each model request.

All of it is read off Slack, the model and the database, and nothing off what the bot believes of itself:
`kept` where the bot runs in this process, `kept_in` where it ran in processes of its own, on the database
that they left.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.ids import message_key, reply_id
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from bot.unanswered.asking_again import AGAIN
from handlers.slack.payloads import is_bot
from storage.conversation import tombstones
from storage.engine import Tx
from storage.jobs.inbox import TOLD
from tests.support.rows import FILE, look_into
from tests.support.workspace import Workspace, is_final, text_of

Found = dict[str, Any]
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Books:
    """What the database holds of questions, of clips that were heard, and of requests to the model."""

    jobs: list[Found]
    cards: list[Found]
    requests: dict[str, int]
    reported: int
    held: int  # sums that are still set aside in budgets
    lost: list[str]  # keys of what was acknowledged and stands nowhere

    @property
    def open(self) -> list[Found]:
        return [job for job in self.jobs if job["state"] not in ("done", "parked")]

    @property
    def closed(self) -> bool:
        return not self.open and not self.requests["open"]


def jobs(tx: Tx) -> list[Found]:
    return tx.all(
        "select i.key, i.kind, i.state, i.error, r.state as reply from inbox i left join replies r"
        " on r.job = i.seq order by i.seq"
    )


def requests(tx: Tx) -> dict[str, int]:
    """Model requests in the ledger: how many ended, and how many did not."""
    rows = tx.all("select outcome = 'open' as open, count(*) as n from ledger group by 1")
    return {"open": 0, "ended": 0} | {"open" if row["open"] else "ended": row["n"] for row in rows}


def books(tx: Tx, accepted: dict[str, tuple[str, str, str]]) -> Books:
    found = jobs(tx)
    known = {job["key"] for job in found}
    return Books(
        found,
        tx.all("select id, shown, file from clips where shown <> ''"),
        requests(tx),
        tx.all("select cast(coalesce(sum(requests), 0) as bigint) as n from usage_days")[0]["n"],
        tx.all("select count(*) as n from budget_holds")[0]["n"],
        [key for key, place in accepted.items() if key not in known and not tombstones.forgotten(tx, *place)],
    )


def accepted(slack: FakeSlack) -> dict[str, tuple[str, str, str]]:
    """Questions of which Slack was told that we have them, by the key they must be stored under."""
    found = {}
    for delivery in slack.deliveries:
        event = delivery.payload.get("event", {})
        asks = event.get("type") == "app_mention" or event.get("channel_type") == "im"
        if not (delivery.acked and asks) or is_bot(event, slack.bot) or event.get("subtype") is not None:
            continue
        place = (delivery.team, event["channel"], event["ts"])
        found[message_key(*place)] = place
    return found


def ours(slack: FakeSlack) -> list[Found]:
    """Every message of the bot's anywhere, oldest first."""
    return [
        message
        for ws in slack.workspaces
        for channel in ws.channels.values()
        for message in channel.messages.values()
        if message.get("user") == ws.bot
    ]


def is_answered(job: Found) -> bool:
    """A message, or a question that was asked again and has an answer now."""
    return job["kind"] == "message" or (job["kind"] == AGAIN and job["reply"] is not None)


def assert_kept(
    slack: FakeSlack, model: FakeModel, found: Books, *, cancelled: int, shut: bool, unseen: int
) -> list[str]:
    """Asserts the three promises; returns what the bot said, in order, without the cards of clips."""
    assert not found.open, "a job is not done"
    assert not found.lost, "what was acknowledged has no job"
    questions = [job for job in found.jobs if is_answered(job) and job["error"] != TOLD]
    standing = [job for job in questions if job["error"] != "cancelled" and job["reply"] != "withdrawn"]
    assert len(questions) - len(standing) == cancelled
    asked = {reply_id(job["key"]) for job in standing}
    said = _assert_said_once(ours(slack), asked, found.cards)
    _assert_quiet(slack, shut=shut)
    made = model.counters["requests"]
    assert found.requests["open"] == 0
    assert made <= found.requests["ended"] <= made + unseen, "a ledger row for each model request"
    assert found.reported == found.requests["ended"], "each request is counted once"
    assert found.held == 0, "money is still set aside"
    return said


def _assert_said_once(there: list[Found], asked: set[str], cards: list[Found]) -> list[str]:
    """One reply for each question, one card for each clip that was heard, the file of a long one, no more."""
    files = Counter(file["id"] for message in there for file in message.get("files", ()))
    assert files == Counter(card["file"] for card in cards if card["file"]), "not each file once"
    said = [message for message in there if is_final(message)]
    rest = [message for message in there if not is_final(message) and not message.get("files")]
    standing = Counter(m["metadata"]["event_payload"]["id"] for m in rest if m.get("metadata"))
    assert standing.total() == len(rest), "it belongs to no reply"
    assert set(standing.values()) <= {1}, "a card, or what others are asked, stands there twice"
    parts = defaultdict(list)
    for message in said:
        payload = message["metadata"]["event_payload"]
        parts[payload["id"]].append(payload["part"])
    for id, numbers in parts.items():
        assert sorted(numbers) == list(range(len(numbers))), f"{id}: said twice, or a part is missing"
    shown = {card["id"] for card in cards}
    assert set(parts) - shown == asked, "not every message ended in exactly one reply"
    assert shown <= set(parts), "a card is not there"
    return [text_of(m).strip() for m in said if m["metadata"]["event_payload"]["id"] not in shown]


def _assert_quiet(slack: FakeSlack, *, shut: bool) -> None:
    """Nothing looks as if somebody were at work."""
    for ws in slack.workspaces:
        assert not ws.streams, "a stream was left open"
        if not shut:
            assert "processing" not in [session["status"] for session in ws.sessions.values()]
            assert not ws.statuses, "a status is left standing"


async def ended(team: Workspace, timeout_s: float = PATIENCE_S) -> list[Found]:
    """Every job, once none is left to do."""
    return (await _closed(_live(team), timeout_s)).jobs


async def kept(team: Workspace, *, cancelled: int = 0, shut: bool = False, unseen: int = 0) -> list[str]:
    """The promises of a bot that runs here, once nothing is being worked on; what it said.

    `cancelled`: how many questions were taken back before their answer. `shut`: we cannot write there any
    more, so what we showed there stays. `unseen`: at most so many requests found no server.
    """
    found = await _closed(_live(team))
    return assert_kept(team.slack, team.model, found, cancelled=cancelled, shut=shut, unseen=unseen)


async def kept_in(
    tmp_path: Path, slack: FakeSlack, model: FakeModel, *, unseen: int = 0, shut: bool = False
) -> list[str]:
    """The promises of a bot with a process and a database of its own, which may have died in between.

    `unseen`: at most so many ledger rows have no request, because it died before it could make it.
    """

    async def read_books() -> Books:
        with look_into(tmp_path / FILE) as tx:
            return books(tx, accepted(slack))

    found = await _closed(read_books)
    return assert_kept(slack, model, found, cancelled=0, shut=shut, unseen=unseen)


def _live(team: Workspace) -> Callable[[], Awaitable[Books]]:
    async def read_books() -> Books:
        await team.quiet(PATIENCE_S)
        return await team.bot.services.engine.read(books, accepted(team.slack))

    return read_books


async def _closed(read_books: Callable[[], Awaitable[Books]], timeout_s: float = PATIENCE_S) -> Books:
    """The books, once nothing in them is open, or too long has passed."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + timeout_s
    found = await read_books()
    while not found.closed and loop.time() < ends_at:
        await asyncio.sleep(0.02)
        found = await read_books()
    return found
