"""What a channel's people ask teaches it which passages answer, until what it was taught with goes."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from handlers.channel.form import OPEN_LEARNING
from handlers.slack.blocks import FEEDBACK
from storage.knowledge import answer_examples, answer_models
from storage.knowledge.answer_examples import AnswerExample
from storage.place import Channel
from tests.support.documents import take_in
from tests.support.guard_rows import paragraphs
from tests.support.guarded_channel import filled, opened, said
from tests.support.rows import rows
from tests.support.spending import run_command
from tests.support.waiting import until
from tests.support.workspace import Workspace, workspace

TOLD = [paragraph for paragraph in paragraphs() if paragraph["title"] == "Warsaw"][:11]
LEARNED = "select question, source from answer_examples"
SHOWN = (
    "*Version 1*",
    "near misses that the model wrote",
    "rightly refused, by 👍",
    "pairs of a question and a passage, each held out",
    "Refused although answerable",
    "Answered although not",
    "25% gain",
    "100% gain",
)


async def say_of_a_refusal(team: Workspace, tmp_path: Path) -> None:
    """That it is right, that it is not, and that it is right after all; what a guest says teaches nothing."""
    _, thread = await said(team, "Who feeds the fish?")
    (refusal,) = team.replies("#general", thread)
    team.slack.workspace.people[team.slack.user("bob")].guest = True
    await team.slack.press("bob", "#general", refusal["ts"], FEEDBACK, value="positive")
    await until(partial(rows, tmp_path, "select person from feedback"))
    await team.quiet()
    assert rows(tmp_path, f"{LEARNED} where answerable = 0") == []
    for opinion, source in (("positive", "refused"), ("negative", "disliked"), ("positive", "refused")):
        await team.slack.press("alice", "#general", refusal["ts"], FEEDBACK, value=opinion)
        await until(partial(rows, tmp_path, f"{LEARNED} where answerable = 0 and source = '{source}'"))


async def teach(team: Workspace, tmp_path: Path, at: Channel) -> None:
    """What carol and bob asked before: each with the passage that answered, or with none."""
    chunks = rows(tmp_path, "select document, number, text from document_chunks")
    for n, paragraph in enumerate(TOLD):
        start = paragraph["context"][:40]
        document, number = next((row[0], row[1]) for row in chunks if start in row[2])
        person = team.slack.user("bob" if n == 0 else "carol")
        for question in paragraph["questions"][:5]:
            answerable, now = int(question["answerable"]), time.time()
            source: Any = "answered" if answerable else "not ours"
            one = AnswerExample(at.team, at.channel, question["q"], answerable, source, now, person=person)
            given = replace(one, document=document, chunk=number) if answerable else one
            await team.bot.services.engine.write(answer_examples.add, given)


async def test_what_people_ask_trains_a_head_and_what_is_forgotten_is_not_in_the_next(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        services, read = team.bot.services, team.bot.services.engine.read
        at = Channel(team.slack.team, team.slack.channel("#general"))
        told = "\n\n".join(f"# Part {n}\n\n{p['context']}" for n, p in enumerate(TOLD))
        await take_in(team, "warsaw.md", told)
        asked = TOLD[0]["questions"][0]["q"]
        await said(team, asked, user="carol")
        await until(lambda: rows(tmp_path, LEARNED) == [(asked, "answered")])
        await say_of_a_refusal(team, tmp_path)
        await teach(team, tmp_path, at)

        await services.answer_learning.look()  # as each hour
        await team.quiet()
        await opened(team)
        await team.slack.press("alice", "", "", OPEN_LEARNING, view_id=team.slack.modals("alice")[-1]["id"])
        window = str(await filled(team, depth=2))
        assert [told for told in SHOWN if told not in window] == []
        await services.answer_learning.use_version(at, 1, by="U0")
        (first,) = await read(answer_models.list_models, at)

        await services.forgetting.forget_person(at.team, team.slack.user("bob"))
        await team.quiet()
        (second,) = await read(answer_models.list_models, at)
        assert second["examples"] == len(await read(answer_examples.list_examples, at)) < first["examples"]
        assert second["trained_at"] > first["trained_at"]

        await services.answer_learning.use_version(at, second["version"], by="U0")
        await run_command(team, "alice", "knowledge remove warsaw.md")
        await until(lambda: not rows(tmp_path, "select version from answer_models"))
        await team.quiet()
        assert await read(answer_models.read_model, at) is None
        assert {source for _, source in rows(tmp_path, LEARNED)} <= {"not ours", "refused"}
