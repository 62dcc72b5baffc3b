"""A channel about the kitchen with its trained guard, and a judge whose opinion a test decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from bot.core.values import Message, Scope
from bot.guard.coverage import Said
from bot.guard.head import GuardHead
from bot.guard.ladder import Ladder
from bot.guard.model_judge import Opinion
from bot.guard.policy import Policy
from bot.guard.verdict import Verdict
from bot.learning.trainer import Trainer
from storage.database import open_engine
from storage.engine import Engine
from storage.place import Channel
from tests.support.engines import copy_database, database_url
from tests.support.guard_rows import topic_split
from tests.support.made_once import database_made_once
from tests.support.rows import FILE

AT = Channel("T1", "C1")
SCOPE = Scope("T1", "C1", "U1", "T1:C1:1.0", "guard")
KITCHEN = Policy("cooking, recipes and restaurant tables", shadow=False, contact="Dana")
TIRES = "my car needs new tires, where can i buy some this week"


class OnePerson:
    """A judge who always holds the same opinion, and counts how often it is asked."""

    def __init__(self, probability: float | Exception) -> None:
        self.asked: list[str] = []
        self._probability = probability

    async def opinion(self, policy: Policy, text: str, said: Sequence[Said], scope: Scope) -> Opinion:
        self.asked.append(text)
        if isinstance(self._probability, Exception):
            raise self._probability
        return Opinion(self._probability, Decimal("0.00003"))


@asynccontextmanager
async def open_channel(folder: Path, *, trained: bool) -> AsyncIterator[Engine]:
    """An engine in which the channel about the kitchen is trained, or an empty one."""
    path = folder / FILE
    if trained:
        copy_database(await trained_database(), path)
    async with open_engine(database_url(path)) as engine:
        yield engine


async def trained_database() -> Path:
    """A database in which the kitchen was trained, made once."""
    return await database_made_once("trained", _train)


async def _train(folder: Path) -> None:
    split = topic_split("kitchen_and_dining", 45, 0)
    async with open_engine(database_url(folder / FILE)) as engine:
        ladder = Ladder(engine)
        await ladder.save_policy(AT, KITCHEN, by="U0")
        trainer = Trainer(engine, GuardHead(ladder))
        await trainer.add_examples(AT, [(t, True) for t in split.on], source="owner")
        await trainer.add_examples(AT, [(t, False) for t in split.off], source="owner")
        assert await trainer.train(AT)


async def judged(
    ladder: Ladder, text: str, *history: str, rules: Policy = KITCHEN, message: str = "1.0"
) -> Verdict:
    said = [Message("human" if i % 2 == 0 else "assistant", t) for i, t in enumerate(history)]
    earlier = await ladder.look_back(said, "", SCOPE)
    return await ladder.judge(rules, text, earlier, SCOPE, message=message)
