"""Several processes on one PostgreSQL, while processes, sessions and the server are killed: nothing is lost,
nothing is said twice, nothing out of order, and each model request is paid for once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.serve import EXIT_EXPELLED
from tests.bench.numbered import Questions, answer, ends
from tests.faults.reliability import note
from tests.support.bot_messages import finals
from tests.support.promises import assert_kept
from tests.support.several import Several, disturb, exits, several
from tests.support.workspace import MANIFEST

EAGER = (0.5, *[2.0] * 200)  # what Slack delivers only to dead processes it never gives up
PEOPLE = ("alice", "bob", "carol")
SLOWLY = {"first_token_s": 0.2, "tokens_per_s": 60.0}
PATIENCE_S = 120.0


def fake_slack() -> FakeSlack:
    return FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=2.0, retry_delays_s=EAGER)


async def ask_some(slack: FakeSlack, questions: Questions, dice: random.Random) -> None:
    """One to three questions, in new threads and in old ones; quick ones of two people are two questions."""
    for _ in range(dice.randint(1, 3)):
        old = [q.thread for q in questions.asked.values() if q.channel == "#general"][-3:]
        thread = dice.choice([*old, "", ""]) if old else ""
        await questions.ask(slack, "#general", thread, user=dice.choice(PEOPLE))
        await asyncio.sleep(dice.uniform(0, 0.1))


async def random_kills(tmp_path: Path, *, processes: int, sessions: int, seed: int) -> Counter[str]:
    """Questions keep coming while processes, and sessions or the server, die; what became of them."""
    dice, questions = random.Random(seed), Questions()
    async with (
        fake_slack() as slack,
        FakeModel(answer=lambda request: answer(request, words=12), **SLOWLY) as model,
        several(slack, model, tmp_path, 3, PARLEY_MAX_CRASHES="100000") as team,
    ):
        every = max(processes // max(sessions, 1), 1)
        for kill in range(processes):
            await ask_some(slack, questions, dice)
            await asyncio.sleep(dice.uniform(0, 0.3))
            dice.choice(team.bots).kill()
            if kill % every == 0 and kill // every < sessions:
                await asyncio.sleep(dice.uniform(0, 0.3))
                await disturb(team, dice, server_too=True)
        return await what_became(slack, model, questions, team) + Counter(
            kills=exits(team.bots)[-signal.SIGKILL]
        )


async def what_became(
    slack: FakeSlack, model: FakeModel, questions: Questions, team: Several
) -> Counter[str]:
    """Of all questions, once they are answered; read off Slack, the model and the database."""
    with suppress(TimeoutError):  # what is missing then is counted
        await slack.until(lambda: all_answered(slack, questions), PATIENCE_S)
    await asyncio.sleep(1.5)
    found, books, made = ends(slack, questions, team.order()), team.books(slack), model.counters["requests"]
    return Counter(found) + Counter(
        asked=len(questions.asked),
        unbooked=max(made - books.requests["ended"], 0),
        open=len(books.open) + books.requests["open"],
        lost_rows=len(books.lost),
        held=books.held,
        extra_requests=made - len(questions.asked),
    )


def all_answered(slack: FakeSlack, questions: Questions) -> bool:
    said = "".join(
        text
        for thread in {q.thread for q in questions.asked.values()}
        for text in finals(slack, "#general", thread)
    )
    return all(number in said for number in questions.asked)


BAD = (
    "not answered", "answered twice", "posts without an answer", "threads out of order", "streams left open",
    "left processing", "unbooked", "open", "lost_rows", "held",
)  # fmt: skip


async def test_row_47_kills_of_processes_sessions_and_the_server_lose_nothing_and_double_nothing(
    tmp_path: Path,
) -> None:
    seed = int(os.environ.get("PARLEY_SEED", "1"))
    outcome = await random_kills(tmp_path, processes=24, sessions=4, seed=seed)
    print(f"\nseed {seed}: {dict(outcome)}")
    assert {what: outcome[what] for what in BAD} == dict.fromkeys(BAD, 0)


async def test_row_47_a_fail_over_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    questions = Questions()
    async with (
        fake_slack() as slack,
        FakeModel(answer=lambda request: answer(request, words=12), **SLOWLY) as model,
        several(slack, model, tmp_path, 2, with_standby=True, PARLEY_MAX_CRASHES="100000") as team,
    ):
        for number in range(16):
            await questions.ask(slack, "#general")
            if number == 8:
                await team.fail_over()
            await asyncio.sleep(0.1)
        outcome = await what_became(slack, model, questions, team)
        assert {what: outcome[what] for what in BAD} == dict.fromkeys(BAD, 0)
        assert_kept(slack, model, team.books(slack), cancelled=0, shut=False, unseen=5)


@pytest.mark.slow
@pytest.mark.timeout(7200)
async def test_a_thousand_kills_of_three_processes_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    total: Counter[str] = Counter()
    for seed in range(20):
        (tmp_path / str(seed)).mkdir()
        outcome = await random_kills(tmp_path / str(seed), processes=55, sessions=4, seed=seed)
        total.update(outcome)
        print(f"\nseed {seed}: {dict(outcome)}; so far: {dict(total)}", flush=True)
    note(
        "Random kills of three processes on PostgreSQL", ", ".join(f"{n} {what}" for what, n in total.items())
    )
    assert {what: total[what] for what in BAD} == dict.fromkeys(BAD, 0)


async def working(team: Several, slack: FakeSlack) -> int:
    """The process that is at work on the only question."""

    def worker() -> int | None:
        found = team.rows("select worker from inbox where running = 1")
        return int(str(found[0][0])) if found else None

    return await slack.until(worker, PATIENCE_S)


async def test_row_09_a_process_that_hangs_is_struck_off_and_can_neither_write_nor_speak(
    tmp_path: Path,
) -> None:
    async with fake_slack() as slack, FakeModel() as model:
        model.script("Said once, whoever says it.", times=0, first_token_s=0.5, tokens_per_s=10)
        async with several(slack, model, tmp_path, 2, PARLEY_HUNG_AFTER_S="4") as team:
            thread = await slack.say("alice", "#general", "@parley who answers?")
            worker = await working(team, slack)
            hung = team.find(worker)
            assert hung.process is not None
            hung.process.send_signal(signal.SIGSTOP)
            await slack.until(lambda: finals(slack, "#general", thread), PATIENCE_S)
            assert worker not in team.workers()
            lives = hung.lives
            hung.process.send_signal(signal.SIGCONT)
            await slack.until(lambda: hung.lives > lives, PATIENCE_S)
            assert hung.exits[-1] == EXIT_EXPELLED
            await slack.until(lambda: len(team.workers()) == 2, PATIENCE_S)
            assert finals(slack, "#general", thread) == ["Said once, whoever says it."]
            assert_kept(slack, model, team.books(slack), cancelled=0, shut=False, unseen=1)
