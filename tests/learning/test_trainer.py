"""A trainer that a team trusts: what people teach is learned at once, reported, and taken back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.errors import Missing
from bot.core.values import Conversation
from bot.guard.head import GuardHead
from bot.guard.ladder import Ladder
from bot.learning.trainer import Trainer
from storage.engine import Engine, Tx
from storage.guard import examples, models, verdicts
from storage.privacy import forget
from tests.support.guard_rows import TopicSplit, topic_split
from tests.support.trained_channel import AT, KITCHEN, TIRES, judged, open_channel


@pytest.fixture
async def engine(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """Where a test asks for the trainer, the channel about the kitchen is trained in it."""
    async with open_channel(tmp_path, trained="trainer" in request.fixturenames) as engine:
        yield engine


@pytest.fixture(scope="module")
def split() -> TopicSplit:
    return topic_split("kitchen_and_dining", 45, 0)


@pytest.fixture
def ladder(engine: Engine) -> Ladder:
    return Ladder(engine)


@pytest.fixture
def trainer(engine: Engine, ladder: Ladder) -> Trainer:
    """Of a channel about the kitchen, which is trained."""
    return Trainer(engine, GuardHead(ladder))


async def test_should_have_answered_is_learned_at_once(
    engine: Engine, ladder: Ladder, trainer: Trainer
) -> None:
    before = await likelihood(ladder, TIRES)
    assert (await judged(ladder, TIRES)).stops
    for text in (TIRES, *(f"{TIRES} {i}" for i in ("today", "please", "maybe"))):
        verdict = await judged(ladder, text)
        await engine.write(verdicts.label_verdict, "T1", verdict.id, True, by="U0", now=time.time())
    assert await trainer.train(AT)
    assert await likelihood(ladder, TIRES) > before + 0.1
    assert (await judged(ladder, TIRES)).rung == "people"
    assert not (await judged(ladder, f"{TIRES}, friends")).stops, "nobody is sure of it any more"


async def likelihood(ladder: Ladder, text: str) -> float:
    """What the model in use makes of a text."""
    trained = await ladder.read_model(AT)
    assert trained
    return trained.model.probability(text)


async def test_rolling_back_brings_the_old_verdict_back(
    engine: Engine, ladder: Ladder, trainer: Trainer
) -> None:
    before = await judged(ladder, TIRES)
    await trainer.add_examples(AT, [(f"{TIRES} {i}", True) for i in range(10)], source="owner")
    assert await trainer.train(AT)
    changed = await judged(ladder, TIRES)
    assert changed.probability != before.probability
    await trainer.use_version(AT, 1, by="U0")
    assert (await judged(ladder, TIRES)).probability == before.probability
    assert [(v.version, v.in_use) for v in await trainer.list_versions(AT)] == [(2, False), (1, True)]
    with pytest.raises(Missing):
        await trainer.use_version(AT, 9, by="U0")


async def test_every_training_reports_on_rows_it_did_not_see(trainer: Trainer, split: TopicSplit) -> None:
    (version,) = await trainer.list_versions(AT)
    assert version.rows == len({*split.on, *split.off})
    assert 0.8 < version.report["auroc"] < 1
    assert {"refusal_precision", "refusal_recall", "calibration_error", "f_beta"} <= version.report.keys()


async def test_five_examples_in_the_policy_are_enough_to_begin(engine: Engine) -> None:
    ladder = Ladder(engine)
    trainer = Trainer(engine, GuardHead(ladder))
    await ladder.save_policy(
        AT, replace(KITCHEN, belongs=tuple(f"recipe for cake {i}" for i in range(4))), by="U0"
    )
    assert await trainer.train(AT) is None
    await ladder.save_policy(
        AT, replace(KITCHEN, belongs=tuple(f"recipe for cake {i}" for i in range(5))), by="U0"
    )
    version = await trainer.train(AT)
    assert version is not None
    assert version.rows == 5 + 250


async def test_a_training_that_is_cancelled_leaves_the_version_in_use(
    engine: Engine, trainer: Trainer
) -> None:
    await trainer.add_examples(AT, [(f"{TIRES} {i}", True) for i in range(10)], source="owner")
    training = asyncio.create_task(trainer.train(AT))
    await asyncio.sleep(0.05)
    training.cancel()
    with pytest.raises(asyncio.CancelledError):
        await training
    assert [v.version for v in await trainer.list_versions(AT) if v.in_use] == [1]
    assert (await trainer.train(AT)) is not None  # nothing stays locked


async def test_a_model_does_not_outlive_the_words_it_was_trained_on(
    engine: Engine, ladder: Ladder, trainer: Trainer
) -> None:
    verdict = await judged(ladder, TIRES)
    await engine.write(verdicts.label_verdict, "T1", verdict.id, True, by="U0", now=time.time())
    assert await trainer.train(AT)
    assert (await ladder.read_model(AT)) is not None
    await engine.write(forget.forget, Conversation("T1", "C1", "1.0"), now=0.0)
    ladder.reload_models()
    assert await ladder.read_model(AT) is None
    assert await engine.read(verdicts.read_verdict_on, AT, "1.0") is None


async def test_what_was_trained_on_an_example_that_was_erased_meanwhile_is_not_kept(engine: Engine) -> None:
    def trained(tx: Tx) -> list[int]:
        examples.add_examples(tx, AT, [("one", True)], source="file", now=1.0)
        (known,) = (row["id"] for row in examples.list_examples(tx, AT))
        for ids in ([known], [known - 1, known], [known - 1], [known, known + 1]):
            models.add_model(tx, AT, b"", embedder="", examples=ids, report="{}", now=2.0)
        return [row["version"] for row in models.list_models(tx, AT)]

    assert await engine.write(trained) == [1]
