"""Questions with a number each, which the model answers with: what became of every one is read off Slack."""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core.ids import read_message
from bot.sandbox.rehearsal.question import RehearsedAnswer, TextRequest
from bot.sandbox.slack.record import SlackRequest
from bot.sandbox.slack.server import FakeSlack
from tests.support.workspace import text_of

NUMBER = re.compile(r"q-\d{6}")
POSTING = ("chat.postMessage", "chat.stopStream", "chat.update")


@dataclass(frozen=True, slots=True)
class Question:
    number: str
    channel: str
    thread: str
    ts: str
    asked_at: float


@dataclass
class Questions:
    """All that were asked, by number, and when Slack had the whole of each answer."""

    asked: dict[str, Question] = field(default_factory=dict)
    answered_at: dict[str, float] = field(default_factory=dict)

    async def ask(self, slack: FakeSlack, channel: str, thread: str = "", *, user: str = "alice") -> Question:
        number = f"q-{len(self.asked):06d}"
        ts = await slack.say(user, channel, f"@parley {number} how are things?", thread_ts=thread or None)
        self.asked[number] = Question(number, channel, thread or ts, ts, time.time())
        return self.asked[number]

    def note_answers(self, requests: Iterable[SlackRequest]) -> None:
        for request in requests:
            if request.method in POSTING and request.ok:
                for number in NUMBER.findall(text_of(request.response["message"])):
                    self.answered_at.setdefault(number, request.at)

    def waits_s(self, questions: Iterable[Question]) -> list[float]:
        """How long those that were answered took."""
        there = self.answered_at
        return [there[q.number] - q.asked_at for q in questions if q.number in there]


def answer(request: TextRequest, *, words: int = 3) -> RehearsedAnswer:
    """So many words that tell which question they are to; several where posts were taken for one question."""
    numbers = NUMBER.findall(request.last)
    return RehearsedAnswer(" ".join(["To", *numbers, *["well"] * (words - 1 - len(numbers))]) + ".")


def add_channels(slack: FakeSlack, count: int) -> list[str]:
    ws = slack.workspace
    names = [f"busy-{n:02d}" for n in range(count)]
    for n, name in enumerate(names):
        ws.add_channel(f"C0BUSY{n:04d}", name, *list(ws.people)[:3], ws.bot)
    return [f"#{name}" for name in names]


def replies(slack: FakeSlack) -> Iterator[tuple[str, str, str]]:
    """(channel, thread, text) of all the bot said, oldest first."""
    for channel in slack.workspace.channels.values():
        for message in channel.messages.values():
            if message.get("user") == slack.bot:
                yield channel.id, message.get("thread_ts", message["ts"]), text_of(message)


def order_of_deliveries(slack: FakeSlack) -> dict[str, Any]:
    """What sorts posts as they were taken from a bot that lives all the time, by their ts."""
    taken_at: dict[str, tuple[float, int]] = {}  # of a mention there are two deliveries
    for number, delivery in enumerate(slack.deliveries):
        ts = delivery.payload.get("event", {}).get("ts", "")
        if delivery.acked:
            at = (delivery.attempts[-1].at, number)
            taken_at[ts] = min(taken_at.get(ts, at), at)
    return taken_at


def order_in_the_inbox(path: Path) -> dict[str, int]:
    """Posts as they were written down, by their ts. What was, and was not acknowledged before a process died,
    is delivered again later."""
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("select key, seq from inbox where kind = 'message'")
        return {read_message(key): seq for key, seq in found}


def ends(
    slack: FakeSlack, questions: Questions, order_taken: Mapping[str, Any] | None = None
) -> dict[str, int]:
    """What became of the questions, read message by message.

    `order_taken`: what sorts posts as the bot took them, by their ts; without it, deliveries tell.
    """
    taken = order_of_deliveries(slack) if order_taken is None else order_taken

    def when(number: str) -> Any:
        return taken[questions.asked[number].ts]

    said: Counter[str] = Counter()
    without = 0
    order: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for channel, thread, text in replies(slack):
        without += NUMBER.search(text) is None
        for number in sorted(set(NUMBER.findall(text)), key=when):
            said[number] += 1
            order[channel, thread].append(number)
    return {
        "answered once": sum(said[n] == 1 for n in questions.asked),
        "not answered": sum(said[n] == 0 for n in questions.asked),
        "answered twice": sum(said[n] > 1 for n in questions.asked),
        "posts without an answer": without,
        "threads out of order": sum(there != sorted(there, key=when) for there in order.values()),
        "streams left open": sum(len(ws.streams) for ws in slack.workspaces),
        "left processing": len(slack.processing),
    }
