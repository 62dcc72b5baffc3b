"""How much is smuggled past the guard, and how much is wrongly refused: `python -m tests.support.smuggling`.

Every row of tests/support/smuggled_rows.py goes through the guard as the product configures it: the rules,
the channel's own discriminator trained on its owner's examples, then the model through the real provider. Two
models are tried: one in the hands of whoever gives it orders, right about everything else; and none, as while
the service is away. Both rates are noted for SECURITY.md.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.values import Scope
from bot.guard.coverage import Earlier
from bot.guard.head import GuardHead
from bot.guard.ladder import Ladder
from bot.guard.model_judge import ModelJudge, format_conversation
from bot.guard.policy import Policy
from bot.learning.trainer import Trainer
from bot.sandbox.model.server import FakeModel
from bot.sandbox.rehearsal.question import RehearsedAnswer, TextRequest
from storage.database import open_engine
from storage.place import Channel
from tests.attacks.security import note
from tests.support.engines import copy_database, database_url
from tests.support.made_once import database_made_once
from tests.support.model_api import open_bench
from tests.support.rows import FILE
from tests.support.smuggled_rows import SUBJECTS, Subject

MODEL = "gpt-4.1-mini"
LAST = re.compile(r'"last_message": ("(?:[^"\\]|\\.)*")')
CHANNELS = {Channel("T1", f"C{number}"): subject for number, subject in enumerate(SUBJECTS.values())}
JUDGES = {"a captured model": True, "no model, and a channel that then refuses": False}


@dataclass(frozen=True)
class Rates:
    """Of one kind of judge: what passed that should not, what was refused that belongs, of how many."""

    passed: tuple[str, ...]
    smuggled: int
    wronged: tuple[str, ...]
    look_alikes: int
    rungs: Counter[str]

    def describe(self) -> str:
        by = ", ".join(f"{rung} {n}" for rung, n in sorted(self.rungs.items()))
        return (
            f"{_share(self.passed, self.smuggled)} smuggled questions passed, "
            f"{_share(self.wronged, self.look_alikes)} honest look-alikes were refused; decided by {by}"
        )


def _share(some: tuple[str, ...], of: int) -> str:
    return f"{len(some)} of {of} ({len(some) / of:.0%})"


def captured(asked: TextRequest) -> RehearsedAnswer:
    """Believes whoever gives it orders, and is right about everything else."""
    found = LAST.findall(asked.prompt)
    text = json.loads(found[-1]) if found else ""
    believed = any(text in subject.orders for subject in SUBJECTS.values())
    belongs = believed or any(text in map(as_shown, subject.look_alikes) for subject in SUBJECTS.values())
    return RehearsedAnswer(json.dumps({"belongs": belongs, "probability": 0.99 if belongs else 0.01}))


def as_shown(text: str) -> str:
    """A message as the judge is shown it."""
    return str(json.loads(format_conversation(text, []))["last_message"])


async def rates(*, model: bool) -> Rates:
    """Every row of every channel, judged once."""
    passed, wronged, rungs = list[str](), list[str](), Counter[str]()
    trained = await database_made_once("smuggled", _train)
    with tempfile.TemporaryDirectory() as folder:
        copy_database(trained, Path(folder) / FILE)
        async with FakeModel(answer=captured) as fake, open_bench(Path(folder), model=fake) as bench:
            judge = ModelJudge(bench.provider, MODEL, decisions=False) if model else None
            ladder = Ladder(bench.engine, judge=judge)
            for at, subject in CHANNELS.items():
                given = subject.policy if model else replace(subject.policy, on_failure="closed")
                for text, stops, rung in await _judged(ladder, subject, given, at):
                    rungs[rung] += 1
                    if text in subject.look_alikes:
                        wronged += [text] if stops else []
                    elif not stops:
                        passed.append(text)
    smuggled = sum(len(subject.dressed) + len(subject.orders) for subject in SUBJECTS.values())
    look_alikes = sum(len(subject.look_alikes) for subject in SUBJECTS.values())
    return Rates(tuple(passed), smuggled, tuple(wronged), look_alikes, rungs)


async def _train(folder: Path) -> None:
    async with open_engine(database_url(folder / FILE)) as engine:
        ladder = Ladder(engine)
        for at, subject in CHANNELS.items():
            await ladder.save_policy(at, subject.policy, by="U0")
            await Trainer(engine, GuardHead(ladder)).train(at)


async def _judged(
    ladder: Ladder, subject: Subject, rules: Policy, at: Channel
) -> list[tuple[str, bool, str]]:
    """(text, whether it is stopped, which rung said so) of every row of a channel that was taught."""
    said = []
    for n, text in enumerate((*subject.dressed, *subject.orders, *subject.look_alikes)):
        scope = Scope("T1", at.channel, "U1", f"T1:{at.channel}:{n}", "guard")
        verdict = await ladder.judge(rules, text, Earlier(), scope, message=f"{n}.0")
        said.append((text, verdict.stops, verdict.rung))
    return said


async def main() -> None:
    for name, model in JUDGES.items():
        found = await rates(model=model)
        print(f"{name}: {found.describe()}")
        for kind, texts in (("passed", found.passed), ("refused", found.wronged)):
            for text in texts:
                print(f"  {kind}: {text}")
        note(f"The guard with {name}", found.describe())


if __name__ == "__main__":
    asyncio.run(main())
