"""Refusals that repair: what the asker sees beside one, and how they hear the answer when there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.knowledge.quotes import REFUSAL
from handlers.unanswered.refusal import KNOWN, NOTED, WANTED
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion
from tests.support.documents import RULES, take_in
from tests.support.guarded_channel import said, why
from tests.support.workspace import Workspace, workspace

PENSIONS = "# Pensions\n\nThe pension fund is Larkspur Mutual."
QUESTION = "Which pension fund do we have?"


def at(team: Workspace) -> Channel:
    return Channel(team.slack.team, team.slack.channel("#general"))


async def refused(
    team: Workspace, question: str = QUESTION, *, user: str = "bob"
) -> tuple[OpenQuestion, str]:
    """A question that got no answer, and its thread."""
    text, thread = await said(team, question, user=user)
    assert text == REFUSAL
    found = await team.bot.services.engine.read(questions.list_open, at(team))
    return found[0], thread


async def ask_again(team: Workspace, question: OpenQuestion) -> None:
    await team.bot.services.engine.write(questions.set_topic, at(team), [question.id], question.id)
    await team.bot.services.repairs.ask_again(at(team), question.id, by=team.slack.user("alice"))
    await team.quiet()


def seen_alone(team: Workspace, user: str) -> list[dict[str, Any]]:
    return team.slack.ephemerals(user)


async def test_whoever_is_refused_sees_alone_what_comes_nearest_and_says_that_it_should_be_answerable(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        await take_in(team, "rules.md", RULES)
        team.model.script(json.dumps({"answer": REFUSAL, "quotes": []}), match="numbered passages")
        question, thread = await refused(team, "Where are cars parked?")
        assert "greenhouse" not in str(team.replies("#general", thread))
        (shown,) = seen_alone(team, "bob")
        assert "Bicycles are parked behind the greenhouse" in str(shown)
        assert WANTED not in str(seen_alone(team, "alice"))
        for told in (NOTED, KNOWN):
            await team.slack.press("bob", "#general", shown["ts"], WANTED)
            await team.slack.until(lambda told=told: told in str(seen_alone(team, "bob")))
        found = await team.bot.services.repairs.find(team.slack.team, question.id)
        assert found.wanted
        window = str(await why(team, "bob", thread, team.replies("#general", thread)[-1]["ts"]))
        assert "Bicycles are parked behind the greenhouse" in window


async def test_a_question_that_is_asked_again_is_answered_once_in_its_thread_or_nobody_hears_of_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        await take_in(team, "rules.md", RULES)
        question, thread = await refused(team)
        await ask_again(team, question)
        assert len(team.said("#general", thread)) == 1
        await take_in(team, "pensions.md", PENSIONS)
        await ask_again(team, question)
        answer = team.replies("#general", thread)[-1]
        assert f"<@{team.slack.user('bob')}>" in answer["text"]
        assert QUESTION in answer["text"]
        assert "Larkspur Mutual" in answer["text"]
        await ask_again(team, question)
        assert len(team.said("#general", thread)) == 2
        assert "Pensions" in str(await why(team, "bob", thread, answer["ts"]))
        text, _ = await said(team, "say that again, please", thread=thread)
        assert text
