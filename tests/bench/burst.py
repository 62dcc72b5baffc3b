"""A burst as busy as Slack's limits allow: 5 questions a second over 5 channels, a post a second in each.

Each wait is compared with what the limits themselves cost: when the model is done, and then a post a second
and channel in the order of asking.

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
from tests.bench.numbered import Question, Questions, add_channels, answer, ends
from tests.bench.replies import REAL_SPEED, percentile, running
from tests.support.workspace import MANIFEST

CHANNELS = 5
PER_SECOND = 5.0
WORDS = 100
PATIENCE_S = 90.0
SETTLES_S = 20.0  # in which what is shown of sessions is taken back


def least_waits_s(questions: Iterable[Question], model_s: float) -> dict[str, float]:
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
        FakeModel(answer=partial(answer, words=WORDS), keep=10, **REAL_SPEED) as model,
    ):
        there = add_channels(slack, CHANNELS)
        async with running(bot, slack, model, PARLEY_STREAMS_PER_MINUTE="20"):

            async def ask(n: int) -> None:
                await questions.ask(slack, there[n % CHANNELS])

            def answered() -> bool:
                questions.note_answers(slack.requests)
                return len(questions.answered_at) == len(questions.asked)

            await at_pace(ask, int(seconds * PER_SECOND), PER_SECOND)
            for _ in range(int(PATIENCE_S)):
                if answered():
                    break
                await asyncio.sleep(1)
            await asyncio.sleep(SETTLES_S)
        model_s = REAL_SPEED["first_token_s"] + WORDS / REAL_SPEED["tokens_per_s"]
        least = least_waits_s(questions.asked.values(), model_s)
        ratios = sorted(
            wait / least[q.number] for q in questions.asked.values() for wait in questions.waits_s([q])
        )
        made = {m: n for m, n in slack.counts.items() if "." in m and ":" not in m}
        return "\n".join(
            [
                f"{len(ratios)} of {len(questions.asked)} answered; waiting, in multiples of what the limits "
                f"cost: p50 {percentile(ratios, 50):.2f}, p95 {percentile(ratios, 95):.2f}, "
                f"at most {max(ratios, default=float('nan')):.2f}",
                f"refused: {sum(slack.refused.values()) / sum(made.values()):.2%} of {sum(made.values())}",
                *(f"  {m}: {n}, {slack.refused[m]} refused" for m, n in sorted(made.items())),
                ", ".join(f"{what}: {n}" for what, n in ends(slack, questions).items()),
            ]
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
