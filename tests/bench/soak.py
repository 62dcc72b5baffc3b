"""`make soak-hours`: hours of a team's work in real time, with one request in a hundred failing somehow.

    python -m tests.bench.soak [--hours 1] [--per-second 8.33] [--percent 1] [--transport socket] [--seed 1]

One real process, never restarted, so that what it holds on to shows: memory and descriptors at the beginning
and at the end. Faults of every kind meet it at random, on both sides, on the way and on the sockets. At the
end the three promises are read off Slack, the model and the database. Exit status 1 when one was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bot.core.ids import reply_id
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.database import open_engine
from tests.bench.load import acks_ms, at_pace, recordings
from tests.bench.replies import percentile
from tests.faults.reliability import note
from tests.support.promises import jobs, requests
from tests.support.watched import Sample, Watched, watched_bot
from tests.support.workspace import MANIFEST, is_final

ANSWER = "A short answer, as most are."
WARM_UP = 0.2  # of the time: until then memory may grow
REPORT_S = 300.0
RING = 200_000  # deliveries that the fake Slack remembers, two for each question
ENDED = ("done", "parked")
REQUESTS = 5  # that one question makes, roughly: so often something may fail

SLACK = (
    {"status": 429, "retry_after_s": 1},
    {"status": 429, "retry_after_s": "soon"},
    {"status": 500},
    {"status": 503, "html": True},
    {"error": "internal_error"},
    {"error": "internal_error", "accepted": True},
    {"lose_response": True},
    {"delay_s": 3.0},
)
MODEL = (
    {"kind": "rate_limit", "retry_after_s": 1},
    *(
        {"kind": kind}
        for kind in ("server_error", "overloaded", "drop", "html", "reset", "eof", "error_event")
    ),
    *({"kind": kind} for kind in ("bad_json", "bad_utf8", "empty_choices", "empty", "length", "no_usage")),
)
DELIVERY = ({"copies": 3}, {"delay_s": 2.0}, {"lose_acks": 1})


class Weather:
    """What goes wrong, drawn from one seed and counted by kind."""

    def __init__(self, slack: FakeSlack, model: FakeModel, seed: int, *, percent: float) -> None:
        self.met: Counter[str] = Counter()
        self._faulty = percent / 100
        self._dice = random.Random(seed)
        self._slack = slack
        self._kinds: Sequence[tuple[str, int, Callable[[], object]]] = (
            ("slack", 40, lambda: slack.faults.add("*", **self._dice.choice(SLACK))),
            ("model", 40, lambda: model.faults.add(**self._dice.choice(MODEL))),
            ("delivery", 15, lambda: slack.faults.deliver("*", **self._dice.choice(DELIVERY))),
            ("socket", 5, self._disturb_a_socket),
        )

    def change(self) -> None:
        """Before each question."""
        if self._dice.random() < self._faulty * REQUESTS:
            names, weights, orders = zip(*self._kinds, strict=True)
            at = self._dice.choices(range(len(names)), weights)[0]
            self.met[names[at]] += 1
            orders[at]()

    def _disturb_a_socket(self) -> None:
        sockets = self._slack.sockets
        id = self._dice.choice(list(sockets.connections) or [""])
        self._dice.choice((sockets.drop, sockets.freeze, sockets.garbage, sockets.refresh))(id=id)  # type: ignore[operator]


class Team:
    """Three people who ask in threads old and new, in channels and in private, and now and then by voice."""

    def __init__(self, slack: FakeSlack, weather: Weather, seed: int) -> None:
        self.asked: list[str] = []  # the ts of each question
        self._threads: deque[tuple[str, str]] = deque(maxlen=50)  # (channel, ts)
        self.clips = 0
        self._slack, self._weather = slack, weather
        self._dice = random.Random(f"people of {seed}")
        self._recordings = recordings(minutes=0.1)

    async def ask(self, n: int) -> None:
        self._weather.change()
        user = self._dice.choice(("alice", "bob", "carol"))
        place = self._dice.choice(("#general", "#support", "@parley"))
        files = [self._dice.choice(self._recordings)] if self._dice.random() < 0.005 else []
        self.clips += len(files)
        threads = [] if place == "@parley" else [ts for where, ts in self._threads if where == place]
        thread = self._dice.choice(threads) if threads and self._dice.random() < 0.3 else None
        text = f"{'' if place == '@parley' else '@parley '}question {n}"
        ts = await self._slack.say(user, place, text, thread_ts=thread, files=files)
        self.asked.append(ts)
        self._threads.append((place, thread or ts))


async def soak(
    *, hours: float, per_second: float, percent: float, transport: str, seed: int
) -> tuple[str, list[str]]:
    """How it went in one line, and the promises that were broken."""
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=RING) as slack,
        FakeModel(keep=10) as model,
        watched_bot(
            slack,
            model,
            PARLEY_TRANSPORT=transport,
            PARLEY_VOICE_PERSON_MINUTES="100000",
            PARLEY_VOICE_TEAM_MINUTES="100000",
        ) as watched,
    ):
        model.script(ANSWER, times=0, first_token_s=0.2, tokens_per_s=100)
        weather = Weather(slack, model, seed, percent=percent)
        team = Team(slack, weather, seed)
        telling = asyncio.create_task(_tell(watched, team))
        await at_pace(team.ask, int(hours * 3_600 * per_second), per_second)
        slack.faults.clear()
        model.faults.clear()
        broken = await _broken(slack, model, watched, team)
        given_up = set(team.asked) - _acknowledged(slack)
        telling.cancel()
        await asyncio.wait([telling])
        return (
            f"{len(team.asked)} questions in {hours:g} h over {transport} (seed {seed}), "
            f"met by {dict(weather.met)} faults, "
            f"{len(given_up)} given up by Slack before we acknowledged them, "
            f"{model.counters['requests']} model requests: {len(broken)} promises broken; "
            f"ack p99 {percentile(acks_ms(slack), 99):.0f} ms, {watched.describe()}; "
            f"{_drift(watched.samples)}",
            broken,
        )


async def _tell(watched: Watched, team: Team) -> None:
    while True:
        await asyncio.sleep(REPORT_S)
        print(f"  {len(team.asked)} asked; {watched.describe()}", flush=True)


async def _broken(slack: FakeSlack, model: FakeModel, watched: Watched, team: Team) -> list[str]:
    """The promises of tests/support/promises.py, for a bot in a process of its own."""
    with suppress(TimeoutError):  # what Slack had to send again comes minutes later
        await slack.until(lambda: all(delivery.over for delivery in slack.deliveries), 600)
    rows, booked = await _settled(watched)
    await asyncio.sleep(2)
    channels = slack.workspace.channels.values()
    ours = [m for c in channels for m in c.messages.values() if m.get("user") == slack.bot]
    final = [m["metadata"]["event_payload"] for m in ours if is_final(m)]
    posted = Counter((reply["id"], reply["part"]) for reply in final)
    taken = _acknowledged(slack)
    kept = {row["key"].split(":")[3] for row in rows}
    expected = {reply_id(row["key"]) for row in rows}
    ids = {reply["id"] for reply in final}
    found = {
        "acknowledged questions that were not kept": len(taken.intersection(team.asked) - kept),
        "questions kept under more than one key": len(rows) - len(kept),
        "questions without an end": len(expected - ids),
        "questions still at work": sum(row["state"] not in ENDED for row in rows),
        "recordings without a card, or cards without one": abs(team.clips - len(ids - expected)),
        "replies said twice": sum(n > 1 for n in posted.values()),
        "messages that belong to no reply": len(ours) - len(final),
        "model requests that are not booked": abs(model.counters["requests"] - booked["ended"]),
        "model requests without an end": booked["open"],
        "open streams": len(slack.workspace.streams),
    }
    return [f"{n} {what}" for what, n in found.items() if n]


def _acknowledged(slack: FakeSlack) -> set[str]:
    """The ts of every post that Slack could hand over. What it gave up, nobody can answer."""
    events = (d for d in slack.deliveries if d.kind == "events_api" and d.acked)
    return {event.payload["event"].get("ts", "") for event in events}


async def _settled(watched: Watched) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The jobs and the ledger once nothing is at work, or after five minutes."""
    ends_at = time.monotonic() + 300
    async with open_engine(f"sqlite:///{watched.database}", read_only=True) as engine:
        while True:
            rows, booked = await engine.read(jobs), await engine.read(requests)
            if time.monotonic() > ends_at:
                return rows, booked
            if not booked["open"] and all(row["state"] in ENDED for row in rows):
                return rows, booked
            await asyncio.sleep(1)


def _drift(samples: Sequence[Sample]) -> str:
    """Memory and descriptors: medians of the first tenth after the warm-up and of the last, and the slope."""
    settled = samples[int(len(samples) * WARM_UP) :]
    tenth = max(len(settled) // 10, 1)
    first, last = settled[:tenth], settled[-tenth:]
    hours = (last[tenth // 2].at_s - first[tenth // 2].at_s) / 3_600
    before, after = (sorted(s.rss_mb for s in part)[tenth // 2] for part in (first, last))
    held = [sorted(s.descriptors for s in part)[tenth // 2] for part in (first, last)]
    return (
        f"memory {before:.1f} then {after:.1f} MiB ({(after - before) / hours:+.1f} MiB/h), "
        f"descriptors {held[0]} then {held[1]}"
    )


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--per-second", type=float, default=30_000 / 3_600)
    parser.add_argument("--percent", type=float, default=1.0, help="of the requests fail")
    parser.add_argument("--transport", choices=["http", "socket"], default="socket")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures, broken = await soak(**vars(asked))
    print(figures, *broken, sep="\n")
    note(f"Hours of work with {asked.percent:g} % of the requests failing", figures)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
