"""What a turn gets from documents: read whole where they fit, else found; refused with what comes nearest."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.values import Completion, Conversation, Incoming, Message, Prompt, Usage
from bot.documents.values import Chunk
from bot.knowledge.document_question import DocumentAnswer, DocumentQuestion
from bot.knowledge.index import Audience, DocumentIndex
from bot.knowledge.passage_finder import MOST_FOUND
from bot.knowledge.quotes import REFUSAL
from bot.knowledge.service import Knowledge
from storage.database import open_engine
from storage.engine import Engine
from storage.knowledge import documents as stored
from storage.knowledge.documents import Document
from tests.support.model_api import SCOPE

TEAM, CHANNEL = "T1", "C1"
WHERE = Conversation(TEAM, CHANNEL, "1.0")
NOTHING = json.dumps({"answer": REFUSAL, "quotes": []})
RIGHT = "The harbour office of Ghent opens at 07:30."
OTHERS = [
    f"The office of town {number} has a door, a desk and a bell, and opens when it opens."
    for number in range(40)
]


class Finder:
    """A model that answers where it reads the right sentence, and says that it found nothing elsewhere."""

    def __init__(self) -> None:
        self.read: list[str] = []

    async def complete(self, prompt: Prompt, *_: Any, **__: Any) -> Completion:
        self.read.append(prompt.context)
        before, found, _rest = prompt.context.partition(RIGHT)
        quote = {"passage": before.count("\n\n[") + 1, "quote": RIGHT}
        said = json.dumps({"answer": "At 07:30.", "quotes": [quote]}) if found else NOTHING
        return Completion(said, "stop", "m", Usage(input_tokens=100, output_tokens=10))

    async def decide(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(f"sqlite:///{tmp_path}/parley.db") as engine:
        yield engine


async def put(engine: Engine, *texts: str) -> DocumentIndex:
    index = DocumentIndex(engine)
    document = Document("d1", TEAM, "channel", "d1", 1.0, channel=CHANNEL, title="Towns")
    await engine.write(stored.add, document)
    chunks = [Chunk(n, text, "", n, f"page {n}", 0, len(text)) for n, text in enumerate(texts, 1)]
    await index.put("d1", chunks)
    await index.publish("d1", now=1.0)
    return index


async def ask(
    index: DocumentIndex, model: Finder, text: str, *, budget: int = 24_000, typed: tuple[str, ...] = ()
) -> DocumentAnswer | None:
    async def from_here(_: Incoming) -> Audience:
        return Audience(TEAM, CHANNEL, WHERE.key)

    incoming = Incoming("1", WHERE, "U1", "1.0", text, datetime(2026, 11, 30, tzinfo=UTC))
    prompt = Prompt("", (Message("human", text),))
    asked = DocumentQuestion(incoming, prompt, SCOPE, budget, typed=typed)
    return await Knowledge(index, model, from_here).answer(asked)


async def test_where_there_is_nothing_to_ask_no_model_is_asked(engine: Engine) -> None:
    model = Finder()
    assert await ask(DocumentIndex(engine), model, "When does the office open?") is None
    assert model.read == []


async def test_documents_that_fit_are_read_whole_with_what_the_owner_typed(engine: Engine) -> None:
    model = Finder()
    index = await put(engine, *OTHERS, RIGHT)
    found = await ask(index, model, "Wann macht Gent auf?", typed=("Lunch is at noon.",))
    assert found is not None
    assert found.search.whole
    assert all(text in model.read[0] for text in (*OTHERS, RIGHT, "Lunch is at noon."))
    assert [(s.title, s.place) for s in found.sources] == [("Towns", "page 41")]


async def test_where_they_do_not_fit_the_nearest_are_read_and_those_behind_them_only_when_these_say_nothing(
    engine: Engine,
) -> None:
    index = await put(engine, *OTHERS, RIGHT)
    model = Finder()
    found = await ask(index, model, "When does the harbour office of Ghent open?", budget=700)
    assert found is not None
    assert (found.completion.text, len(model.read)) == ("At 07:30. [1]", 1)
    assert sum(text in model.read[0] for text in (*OTHERS, RIGHT)) == MOST_FOUND
    model = Finder()
    found = await ask(index, model, "town office door desk bell opens", budget=700)
    assert found is not None
    assert (found.refused, len(model.read)) == (True, 2)
    assert found.completion.usage.input_tokens == 200
    assert found.nearest.startswith("Towns, page ")
