"""A channel that goes by another id keeps what grew out of its documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.fields import forms, rows
from storage.fields.forms import StoredForm
from storage.fields.rows import StoredRun
from storage.knowledge import answer_examples, answer_models, documents
from storage.knowledge.answer_examples import AnswerExample
from storage.knowledge.documents import Document
from storage.place import Channel
from storage.privacy.moving import move_channel
from storage.unanswered import asked_people, questions
from tests.support.engines import database_url

pytestmark = pytest.mark.both_engines

OLD, NEW, OTHER = Channel("T1", "G1"), Channel("T1", "C9"), Channel("T2", "G1")


def fill(tx: Tx, at: Channel) -> None:
    key = f"{at.team}:{at.channel}:17"
    asked: dict[str, str] = {"person": "U1", "conversation": key, "message": "17", "reply": f"r{key}"}
    questions.add_question(tx, at, "Who pays?", "", **asked, now=1)
    asked_people.set_named(tx, at, ["U1", "U2"], by="U1", now=1)
    form = StoredForm(f"f{key}", at.team, at.channel, "invoice", "[]", "[]", 0, "U1", 1)
    forms.save(tx, form)
    documents.add(tx, Document(f"d{key}", at.team, "channel", "it", 1, channel=at.channel))
    run = StoredRun(
        f"run{key}", form.id, f"d{key}", at.team, at.channel, "17", "done", 1, 1, "", f"{at.channel}:18:17", 1
    )
    rows.begin(tx, run)
    for question in ("Who pays?", "When?"):
        told = AnswerExample(at.team, at.channel, question, 0, "not ours", 1, conversation=key)
        answer_examples.add(tx, told)
    answer_models.add_model(tx, at, b"model", embedder="", examples=[], report="", now=2)


async def see(engine: Engine, at: Channel) -> list[object]:
    """Everything that is kept of a channel."""
    (question,) = await engine.read(questions.list_open, at) or [None]
    (run,) = await engine.read(rows.list_runs, at.team, at.channel) or [None]
    return [
        question and question.conversation,
        await engine.read(asked_people.list_named, at),
        [form.name for form in await engine.read(forms.list_at, at.team, at.channel)],
        run and run.card,
        [one["question"] for one in await engine.read(answer_examples.list_examples, at)],
        [one["version"] for one in await engine.read(answer_models.list_models, at)],
    ]


async def test_what_grew_out_of_documents_goes_with_a_channel_that_goes_by_another_id(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for at in (OLD, OTHER):
            await engine.write(fill, at)
        await engine.write(asked_people.set_named, NEW, ["U2"], by="U1", now=1)
        for _ in range(2):  # a process may die over it
            await engine.write(move_channel, OLD.team, OLD.channel, NEW.channel)
        everything = ["Who pays?", "When?"]
        assert await see(engine, NEW) == [
            "T1:C9:17", ["U1", "U2"], ["invoice"], "C9:18:17", everything, [1]
        ]  # fmt: skip
        assert await see(engine, OLD) == [None, [], [], None, [], []]
        assert (await see(engine, OTHER))[0] == "T2:G1:17", "of another workspace's channel nothing moves"
