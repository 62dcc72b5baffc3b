"""A burst as busy as Slack's limits allow: 5 questions a second over 5 channels, a post a second in each.

Each wait is compared with what the limits themselves cost whoever answers: the model's time, or, where that
is later, a second after the answer before it in the channel. It begins when the bot has answered once: what a
start costs is measured by tests/bench/replies.py.

    python -m tests.bench.burst [--seconds 40]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable
from functools import partial

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.bench.load import at_pace
from tests.bench.numbered import NUMBER, Question, Questions, add_channels, answer, ends
from tests.bench.replies import REAL_SPEED, percentile, running
from tests.support.workspace import MANIFEST

CHANNELS = 5
PER_SECOND = 5.0
WORDS = 100
MODEL_S = REAL_SPEED["first_token_s"] + WORDS / REAL_SPEED["tokens_per_s"]
CALM = "#general"  # where the bot is asked once before
PATIENCE_S = 90.0
SETTLES_S = 20.0  # in which what is shown of sessions is taken back


def least_waits_s(questions: Iterable[Question], model_s: float = MODEL_S) -> dict[str, float]:
    """How long each has to wait whoever answers, by number."""
    free_at: dict[str, float] = {}
    found = {}
    for question in questions:
        done_at = max(question.asked_at + model_s, free_at.get(question.channel, 0.0))
        free_at[question.channel] = done_at + 1.0
        found[question.number] = done_at - question.asked_at
    return found


async def run(bot: str, seconds: float) -> str:
    questions = Questions()
    async with (
        FakeSlack(manifest=MANIFEST, ring=400_000) as slack,
        FakeModel(answer=partial(answer, words=WORDS), keep=100_000, **REAL_SPEED) as model,
    ):
        there = add_channels(slack, CHANNELS)
        async with running(bot, slack, model, PARLEY_STREAMS_PER_MINUTE="20"):

            async def ask(n: int) -> None:
                await questions.ask(slack, there[n % CHANNELS])

            async def answers() -> None:
                for _ in range(int(PATIENCE_S)):
                    questions.note_answers(slack.requests)
                    if len(questions.answered_at) == len(questions.asked):
                        break
                    await asyncio.sleep(1)

            await questions.ask(slack, CALM)
            await answers()
            await at_pace(ask, int(seconds * PER_SECOND), PER_SECOND)
            await answers()
            await asyncio.sleep(SETTLES_S)
        return describe(slack, model, questions)


def describe(slack: FakeSlack, model: FakeModel, questions: Questions) -> str:
    burst = [question for question in questions.asked.values() if question.channel != CALM]
    least = least_waits_s(burst)
    ratios = {q.number: wait / least[q.number] for q in burst for wait in questions.waits_s([q])}
    ordered = sorted(ratios.values())
    made = {m: n for m, n in slack.counts.items() if "." in m and ":" not in m}
    return "\n".join(
        [
            f"{len(ratios)} of {len(burst)} answered; waiting, in multiples of what the limits "
            f"cost: p50 {percentile(ordered, 50):.2f}, p95 {percentile(ordered, 95):.2f}, "
            f"at most {max(ordered, default=float('nan')):.2f}",
            *(explain(model, questions, number) for number in sorted(ratios, key=ratios.__getitem__)[-3:]),
            f"refused: {sum(slack.refused.values()) / sum(made.values()):.2%} of {sum(made.values())}",
            *(f"  {m}: {n}, {slack.refused[m]} refused" for m, n in sorted(made.items())),
            ", ".join(f"{what}: {n}" for what, n in ends(slack, questions).items()),
        ]
    )


def explain(model: FakeModel, questions: Questions, number: str) -> str:
    """What one question waited for."""
    asked, answered_at = questions.asked[number], questions.answered_at[number]
    request = next(r for r in model.requests if number in NUMBER.findall(r.prompt))
    return (
        f"  {number} in {asked.channel}: {request.at - asked.asked_at:.2f} s until the model was asked, "
        f"{request.ended_at - request.at:.2f} s for the model, {answered_at - request.ended_at:.2f} s from "
        "then until all of it could be read"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.burst")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--bot", choices=("bare", "parley"), action="append")
    asked = parser.parse_args()
    for bot in asked.bot or ("bare", "parley"):
        title = f"{PER_SECOND:.0f} questions a second over {CHANNELS} channels for {asked.seconds:.0f} s"
        print(f"\n{bot}: {title}\n{await run(bot, asked.seconds)}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
