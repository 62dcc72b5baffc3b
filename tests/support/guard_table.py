"""How often a guard is wrong, by rung, example count and judge: `make bench-guard` prints it.

Every case of tests/support/judged_cases.py goes through the ladder as the product configures it. Four judges:
one that is always right; one that takes a message for the subject's when it shares a word with it; one that
obeys whoever gives it orders, in words that the rules know or not, and is right about everything else; none,
as while the service is away.
"""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bot.core.errors import Unavailable
from bot.core.values import Message, Scope
from bot.guard.coverage import Said
from bot.guard.head import GuardHead
from bot.guard.ladder import Ladder
from bot.guard.model_judge import Judge, Opinion, format_conversation
from bot.guard.policy import Failure, Policy
from bot.learning.trainer import Trainer
from bot.ml.known_words import list_stems
from storage.database import open_engine
from storage.place import Channel
from tests.support.judged_cases import CASES, CHANNELS, JudgedCase
from tests.support.made_once import made_once
from tests.support.rows import FILE

RUNGS = ("rule", "local", "model", "policy")
EXAMPLES = (0, 20, 50)
_ORDER = re.compile(
    r"\b(ignor|forget|vergiss|oublie|olvida|you are now|belongs|on[_ -]topic|approve)|無視|忘れて",
    re.IGNORECASE,
)


class Perfect:
    """Knows of every case what is right, whatever is left of it, and reads what stands before an "ok"."""

    async def opinion(self, policy: Policy, text: str, said: Sequence[Said], scope: Scope) -> Opinion:
        return Opinion(0.97 if is_right(scope.channel, text, said) else 0.03)


class Naive:
    """Takes for the subject's what shares a word with it."""

    async def opinion(self, policy: Policy, text: str, said: Sequence[Said], scope: Scope) -> Opinion:
        known = list_stems(" ".join((policy.purpose, *policy.belongs)))
        asked = list_stems(" ".join((text, *(one.text for one in said if not one.judged))))
        return Opinion(0.9 if asked & known or not asked else 0.1)


class Captured(Perfect):
    """Does what it is told in whatever it is shown."""

    async def opinion(self, policy: Policy, text: str, said: Sequence[Said], scope: Scope) -> Opinion:
        if _ORDER.search(format_conversation(text, said)):
            return Opinion(0.99)
        return await super().opinion(policy, text, said, scope)


class Dead:
    async def opinion(self, policy: Policy, text: str, said: Sequence[Said], scope: Scope) -> Opinion:
        raise Unavailable("away")


# A judge, and what the channel does when none answers.
JUDGES: dict[str, tuple[Judge, Failure]] = {
    "perfect": (Perfect(), "open"),
    "naive": (Naive(), "open"),
    "captured": (Captured(), "open"),
    "dead, open": (Dead(), "open"),
    "dead, closed": (Dead(), "closed"),
}


def is_right(channel: str, text: str, said: Sequence[Said]) -> bool:
    before = " ".join(one.text for one in said if not one.judged)
    for case in CASES:
        if case.channel == channel and case.before == before and _shown(case.text) == text:
            return case.belongs
    return False


def _shown(text: str) -> str:
    return (
        format_conversation(text, []).partition('"last_message": "')[2].removesuffix('"}').replace('\\"', '"')
    )


@dataclass(frozen=True)
class Mistakes:
    """By rung: how many were decided, wrongly refused and wrongly answered; and which."""

    decided: Counter[str]
    refused: tuple[tuple[str, JudgedCase], ...]
    answered: tuple[tuple[str, JudgedCase], ...]

    def row(self, name: str, examples: int) -> str:
        cells = [
            f"{self.decided[rung]:>4} {_count(self.refused, rung):>3} {_count(self.answered, rung):>3}"
            for rung in RUNGS
        ]
        total = f"{len(self.refused):>4} {len(self.answered):>3}"
        return f"  {examples:>3}  {name:<13}" + "   ".join([*cells, total])


def _count(mistakes: Sequence[tuple[str, JudgedCase]], rung: str) -> int:
    return sum(decided == rung for decided, _ in mistakes)


async def measure(name: str, examples: int) -> Mistakes:
    """Every case once, in channels that were taught so many examples of each kind."""
    judge, on_failure = JUDGES[name]
    decided, refused, answered = Counter[str](), [], []
    trained = await made_once(f"channels-of-{examples}", partial(_train, examples))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(trained / FILE, folder)
        async with open_engine(f"sqlite:///{folder}/{FILE}") as engine:
            ladder = Ladder(engine, judge=judge)
            for number, case in enumerate(CASES):
                rules = replace(_teach(CHANNELS[case.channel], examples), on_failure=on_failure)
                rung, stops = await _judge(ladder, rules, case, number)
                decided[rung] += 1
                if stops and case.belongs:
                    refused.append((rung, case))
                elif not stops and not case.belongs:
                    answered.append((rung, case))
    return Mistakes(decided, tuple(refused), tuple(answered))


async def _train(examples: int, folder: Path) -> None:
    """A database in which each channel was taught so many examples of each kind."""
    async with open_engine(f"sqlite:///{folder}/{FILE}") as engine:
        ladder = Ladder(engine)
        for channel, policy in CHANNELS.items():
            await ladder.save_policy(Channel("T1", channel), _teach(policy, examples), by="U0")
            await Trainer(engine, GuardHead(ladder)).train(Channel("T1", channel))


def _teach(policy: Policy, examples: int) -> Policy:
    return replace(policy, belongs=policy.belongs[:examples], does_not=policy.does_not[:examples])


async def _judge(ladder: Ladder, rules: Policy, case: JudgedCase, number: int) -> tuple[str, bool]:
    scope = Scope("T1", case.channel, "U1", f"T1:{case.channel}:{number}", "guard")
    history = [Message("human", case.before, "U2")] if case.before else []
    earlier = await ladder.look_back(history, "", scope)
    verdict = await ladder.judge(rules, case.text, earlier, scope, message=f"{number}.0")
    return verdict.rung, verdict.stops


async def print_table() -> None:
    logging.disable(logging.WARNING)  # that a judge is dead is what is tried
    languages = Counter(case.language for case in CASES)
    belong = sum(case.belongs for case in CASES)
    print(f"Wrong, of {len(CASES)} messages ({belong} belong) in {len(languages)} languages, by rung")
    print("  each: decided, wrongly refused, wrongly answered")
    heads = "   ".join(f"{rung:>12}" for rung in RUNGS)
    print(f"  examples, judge     {heads}     all")
    for examples in EXAMPLES:
        for name in JUDGES:
            found = await measure(name, examples)
            print(found.row(name, examples), flush=True)
            for what, mistakes in (("refused", found.refused), ("answered", found.answered)):
                for rung, case in mistakes:
                    if rung in ("rule", "local"):
                        print(f"         {rung} wrongly {what} in #{case.channel}: {case.text}")
