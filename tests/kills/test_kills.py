"""`kill -9` at every point of a message's way, and at random ones: nothing lost, nothing said twice.

The bot is a real process, started again by the test as an orchestrator would; Slack and the model are the
sandbox's servers in this process and outlive it. Printed at the end of a soak: lost, doubled, extra model
requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import GaveUp
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.reply.lateness import SORRY_FOR_THE_WAIT
from handlers.slack.blocks import RETRY, SHOULD_ANSWER
from tests.faults.reliability import note
from tests.support.bot_messages import finals, ours
from tests.support.promises import kept_in
from tests.support.rows import rows
from tests.support.supervised import Supervised, supervised
from tests.support.waiting import until
from tests.support.workspace import MANIFEST

STATES = "select state from inbox"
OFF_TOPIC = '{"belongs": false, "probability": 0.02}'
ANSWER = "This is the whole answer, word for word. " * 6

# The points of the reliability table, K0 received … K11 done, and how many more requests each may cost:
# around what is written, which may go differently on each engine, and around what Slack is told.
WRITES = {
    "K0 received": ("write:put_and_take:before:1", 0),
    "K1 committed": ("write:put_and_take:after:1", 0),
    "K2 acked, before the work": ("write:begin_reply:before:1", 0),
    "K3 claimed": ("write:begin_reply:after:1", 0),
    "K4 attempt row": ("write:open_row:after:1", 0),
    "K6 answer in memory": ("write:remember_turn:before:1", 1),
    "K7 answer committed": ("write:remember_turn:after:1", 0),
    "K10 before it is done": ("write:finish_and_take:before:1", 0),
    "K11 done": ("write:finish_and_take:after:1", 0),
}
TOLD = {
    "K5 asked, before it streams": ("slack:chat.startStream:before:1", 1),
    "K5 asked, streaming": ("slack:chat.startStream:after:1", 1),
    "K5 after one chunk": ("slack:chat.appendStream:after:1", 1),
    "K5 before the second chunk": ("slack:chat.appendStream:before:2", 1),
    "K8 before Slack has it": ("slack:chat.stopStream:before:1", 0),
    "K9 Slack has it": ("slack:chat.stopStream:after:1", 0),
}
POINTS = WRITES | TOLD
# The same of an answer that comes at once, and is posted whole.
POSTED = {
    "K8 before Slack has the post": "slack:chat.postMessage:before:1",
    "K9 Slack has the post": "slack:chat.postMessage:after:1",
    "K10 before it is done": "write:finish_and_take:before:1",
}
SLOWLY = {"first_token_s": 0.05, "tokens_per_s": 25}  # so that it is appended to several times

# What Slack delivers only to dead processes it gives up, and nobody can answer it; so it never gives up here.
PATIENT = (2.0, *[8.0] * 50)
EAGER = (0.5, *[2.0] * 200)  # where nobody is to wait for it
PAIRS_AT_A_TIME = 4
PATIENCE_S = 90.0  # a process takes its time to start on a machine that has much to do


def direct(slack: FakeSlack, thread: str) -> list[dict[str, Any]]:
    return [m for m in slack.thread(slack.dm("alice"), thread) if m.get("user") == slack.bot]


async def asked_once(
    tmp_path: Path, *points: str, at: Callable[[], float] = time.time, whole: bool = False, **how: float
) -> tuple[int, str]:
    """One question while the bot dies at these points, life by life: requests made, and what is shown.

    `whole`: the answer is posted in one piece, however slowly it comes.
    """
    environ = {"PARLEY_GRACE_S": str(PATIENCE_S)} if whole else {}
    async with (
        FakeSlack(
            manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT, clock=at
        ) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=points, **environ) as bot,
    ):
        model.script(ANSWER, times=0, **how)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, PATIENCE_S)
        thread = await slack.say("alice", "#general", "@parley tell me")
        await slack.until(lambda: finals(slack, "#general", thread), PATIENCE_S)
        if len(points) == 1:
            await until(lambda: bot.lives == 2, PATIENCE_S)
        await asyncio.sleep(1.5)
        said = await kept_in(tmp_path, slack, model, unseen=bot.lives - 1)
        assert said == [ANSWER.strip()]
        return len(model.requests), str(slack.thread("#general", thread))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("point", "extra"), WRITES.values(), ids=WRITES)
@pytest.mark.both_engines
async def test_killed_at_this_point_the_person_still_gets_exactly_one_answer(
    tmp_path: Path, point: str, extra: int
) -> None:
    made, _ = await asked_once(tmp_path, point, **SLOWLY)
    assert made <= 1 + extra


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("point", "extra"), TOLD.values(), ids=TOLD)
async def test_killed_while_slack_is_told_the_person_still_gets_exactly_one_answer(
    tmp_path: Path, point: str, extra: int
) -> None:
    made, _ = await asked_once(tmp_path, point, **SLOWLY)
    assert made <= 1 + extra


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POSTED.values(), ids=POSTED)
async def test_killed_around_a_post_the_person_still_gets_exactly_one_answer(
    tmp_path: Path, point: str
) -> None:
    made, _ = await asked_once(tmp_path, point, whole=True)
    assert made == 1


@pytest.mark.timeout(300)
async def test_row_02_who_waited_longer_than_a_minute_is_told_sorry_once(tmp_path: Path) -> None:
    _, shown = await asked_once(tmp_path, POINTS["K3 claimed"][0], at=lambda: time.time() - 61)
    assert shown.count(SORRY_FOR_THE_WAIT) == 1


@pytest.mark.slow
@pytest.mark.timeout(7200)
async def test_row_07_killed_at_every_pair_of_points_it_still_answers_exactly_once(tmp_path: Path) -> None:
    pairs = list(product([point for point, _ in POINTS.values()], repeat=2))
    extra = 0
    for first in range(0, len(pairs), PAIRS_AT_A_TIME):
        lives = []
        for number, pair in enumerate(pairs[first : first + PAIRS_AT_A_TIME], start=first):
            (tmp_path / str(number)).mkdir()
            lives.append(asked_once(tmp_path / str(number), *pair, **SLOWLY))
        extra += sum([made - 1 for made, _ in await asyncio.gather(*lives)])
        print(f"{first + len(lives)} pairs", flush=True)
    note(
        "kill -9 at every pair of points, one after the other",
        f"{len(pairs)} pairs: 0 lost, 0 doubled, {extra} model requests made again, each booked",
    )


async def pressed_over_a_kill(bot: Supervised, slack: FakeSlack, thread: str, button: str) -> None:
    """Presses a button under the first reply in a direct message, where each post arrives once; the bot is
    killed over it and started again."""
    (reply,) = direct(slack, thread)
    await slack.press("alice", "@parley", reply["ts"], button)
    await slack.until(lambda: bot.lives == 2, PATIENCE_S)
    await slack.until(lambda: slack.sockets.connections, PATIENCE_S)


async def answered(slack: FakeSlack, tmp_path: Path) -> None:
    """Returns when nothing is being worked on any more."""
    await slack.until(lambda: "new" not in str(rows(tmp_path, STATES) or "new"), PATIENCE_S)


async def test_killed_over_the_retry_button_it_works_when_it_is_pressed_again(tmp_path: Path) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=["write:put_and_take:before:2"]) as bot,
    ):
        model.faults.add("server_error", times=3)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, PATIENCE_S)
        thread = await slack.say("alice", "@parley", "tell me")
        await answered(slack, tmp_path)
        failed = direct(slack, thread)[0]["ts"]
        await pressed_over_a_kill(bot, slack, thread, RETRY)
        model.script(ANSWER, times=0)
        await slack.press("alice", "@parley", failed, RETRY)
        await slack.until(lambda: len(finals(slack, slack.dm("alice"), thread)) == 2, PATIENCE_S)
        assert finals(slack, slack.dm("alice"), thread)[1].strip() == ANSWER.strip()


async def test_killed_right_after_a_refusal_was_overturned_the_question_is_answered_all_the_same(
    tmp_path: Path,
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text('[D0ALICE001]\npurpose = "the kitchen"\nbelongs = ["salt?"]\nshadow = false\n')
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0) as slack,
        FakeModel() as model,
        supervised(
            slack,
            model,
            tmp_path,
            kill_at=["write:put_and_take:after:3"],  # the question, what is learned of the policy, this
            PARLEY_POLICIES=str(policies),
        ) as bot,
    ):
        model.script(OFF_TOPIC, match=lambda asked: "response_format" in asked.body, times=0)
        model.script(ANSWER, match=lambda asked: "response_format" not in asked.body, times=0)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, PATIENCE_S)
        thread = await slack.say("alice", "@parley", "who won the match yesterday?")
        await slack.until(lambda: direct(slack, thread), PATIENCE_S)
        await answered(slack, tmp_path)
        await pressed_over_a_kill(bot, slack, thread, SHOULD_ANSWER)
        await slack.until(lambda: len(finals(slack, slack.dm("alice"), thread)) == 2, PATIENCE_S)
        assert finals(slack, slack.dm("alice"), thread)[1].strip() == ANSWER.strip()


async def test_a_question_that_kills_every_process_is_given_up_and_told_once_also_over_a_kill(
    tmp_path: Path,
) -> None:
    """Found twice, told in the third life, which ends right after, and found told in the fourth."""
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
        supervised(
            slack,
            model,
            tmp_path,
            kill_at=["", "", "slack:chat.postMessage:after:1"],
            PARLEY_MAX_CRASHES="2",
        ) as bot,
    ):
        model.script(ANSWER, times=0, match=lambda asked: bot.kill() or True)  # type: ignore[func-returns-value]
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, PATIENCE_S)
        thread = await slack.say("alice", "#general", "@parley tell me")
        await slack.until(lambda: bot.lives == 4 and slack.sockets.connections, PATIENCE_S)
        assert rows(tmp_path, "select state, crashes from inbox where kind = 'message'") == [("parked", 2)]
        await answered(slack, tmp_path)
        assert finals(slack, "#general", thread) == [GaveUp(2).notice]
        assert ours(slack, "#general", thread) == 1


def misbooked(tmp_path: Path, made: int) -> int:
    """Ledger rows that are left open, that have no request, or requests without a row.

    Of a row whose end nobody saw, nobody knows whether its request left the process.
    """
    by_outcome = Counter(dict(rows(tmp_path, "select outcome, count(*) from ledger group by outcome")))
    left, seen = by_outcome["open"], by_outcome.total() - by_outcome["open"] - by_outcome["unknown"]
    return left + max(0, seen - made) + max(0, made - by_outcome.total())


async def random_kills(tmp_path: Path, *, kills: int, seed: int) -> Counter[str]:
    """Messages keep coming while the bot is killed again and again; what became of them, counted."""
    dice = random.Random(seed)
    asked: list[str] = []
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=EAGER) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, PARLEY_MAX_CRASHES="100000") as bot,
    ):
        model.script(ANSWER, times=0, first_token_s=0.05, tokens_per_s=200)
        for _ in range(kills):
            connected = slack.counts["apps.connections.open"]
            await slack.until(lambda before=connected: slack.counts["apps.connections.open"] > before, 150)  # type: ignore[misc]
            for _ in range(dice.randint(1, 3)):
                asked.append(await slack.say("alice", "#general", f"@parley question {len(asked)}"))
                await asyncio.sleep(dice.uniform(0, 0.1))
            await asyncio.sleep(dice.uniform(0, 0.6))  # an answer takes half a second
            bot.kill()
            if dice.random() < 0.2:
                await asyncio.sleep(dice.uniform(0.3, 1.0))
                bot.kill()
        with contextlib.suppress(TimeoutError):  # what is missing then is counted as lost
            await slack.until(lambda: all(finals(slack, "#general", ts) for ts in asked), 120)
        await asyncio.sleep(1.5)
        counts = [len(finals(slack, "#general", ts)) for ts in asked]
        await kept_in(tmp_path, slack, model, unseen=kills * 2)
        strays = sum(ours(slack, "#general", ts) - n for ts, n in zip(asked, counts, strict=True))
        return Counter(
            asked=len(asked),
            kills=bot.lives - 1,
            lost=counts.count(0),
            doubled=sum(n > 1 for n in counts) + strays,
            extra_requests=len(model.requests) - len(asked),
            misbooked=misbooked(tmp_path, model.counters["requests"]),
        )


@dataclass
class Storm:
    """Questions that keep coming while the process is killed again and again, at regular times."""

    kills: int
    every_s: float
    questions: int
    takes_s: float  # each answer
    asked: list[str] = field(default_factory=list)
    ends: dict[str, float] = field(default_factory=dict)  # when each had its whole answer

    async def watch(self, slack: FakeSlack) -> None:
        while len(self.ends) < self.questions:
            for channel, ts in self._threads():
                if ts not in self.ends and finals(slack, channel, ts):
                    self.ends[ts] = time.time()
            await asyncio.sleep(0.2)

    async def ask(self, slack: FakeSlack) -> None:
        pause_s = self.kills * self.every_s / self.questions
        for n in range(self.questions):
            channel = ("#general", "#support")[n % 2]
            self.asked.append(await slack.say("alice", channel, f"@parley question {n}"))
            await asyncio.sleep(pause_s)

    async def kill(self, bot: Supervised) -> None:
        for _ in range(self.kills):
            await asyncio.sleep(self.every_s)
            bot.kill()

    async def run(self, tmp_path: Path) -> dict[str, float]:
        async with (
            FakeSlack(
                manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT
            ) as slack,
            FakeModel() as model,
            supervised(slack, model, tmp_path) as bot,
        ):
            model.script(ANSWER, times=0, first_token_s=0.3, tokens_per_s=60 / self.takes_s)
            await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, PATIENCE_S)
            watching = asyncio.create_task(self.watch(slack))
            await asyncio.gather(self.ask(slack), self.kill(bot))
            ended = time.time()
            await asyncio.wait([watching], timeout=600)
            waits = sorted(end - float(ts) for ts, end in self.ends.items())
            await asyncio.sleep(3)
            counts = Counter(len(finals(slack, channel, ts)) for channel, ts in self._threads())
            parked = rows(tmp_path, "select count(*) from inbox where state = 'parked'")[0][0]
            crashes = rows(tmp_path, "select crashes, suspicions, count(*) from inbox group by 1, 2")
            return {
                "lives": bot.lives,
                "parked": parked,
                "lost": counts[0],
                "doubled": sum(n for times, n in counts.items() if times > 1),
                "p50_s": waits[len(waits) // 2],
                "p99_s": waits[len(waits) * 99 // 100],
                "after_s": max(self.ends.values()) - ended,
                "crashes": crashes,  # type: ignore[dict-item]
            }

    def _threads(self) -> list[tuple[str, str]]:
        return [(("#general", "#support")[n % 2], ts) for n, ts in enumerate(self.asked)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("kills", "questions"), [(20, 319), (80, 450)])
async def test_no_innocent_question_is_given_up_in_a_storm_of_kills(
    tmp_path: Path, kills: int, questions: int
) -> None:
    outcome = await Storm(kills, every_s=2.0, questions=questions, takes_s=1.0).run(tmp_path)
    print(f"\n{outcome}")
    assert outcome["parked"] == outcome["lost"] == outcome["doubled"] == 0


@pytest.mark.timeout(900)
async def test_random_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("PARLEY_SEED", "1"))
    outcome = await random_kills(tmp_path, kills=14, seed=seed)
    print(f"\nseed {seed}: {dict(outcome)}")
    assert outcome["lost"] == outcome["doubled"] == outcome["misbooked"] == 0


@pytest.mark.slow
@pytest.mark.timeout(7200)
async def test_a_thousand_random_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    total: Counter[str] = Counter()
    for first in range(0, 20, 4):
        seeds = range(first, first + 4)
        for seed in seeds:
            (tmp_path / str(seed)).mkdir()
        outcomes = await asyncio.gather(
            *(random_kills(tmp_path / str(seed), kills=50, seed=seed) for seed in seeds)
        )
        for seed, outcome in zip(seeds, outcomes, strict=True):
            total.update(outcome)
            print(f"\nseed {seed}: {dict(outcome)}; so far: {dict(total)}", flush=True)
    assert total["lost"] == total["doubled"] == total["misbooked"] == 0
    note("Random kill -9 of the real process", ", ".join(f"{n} {what}" for what, n in total.items()))
