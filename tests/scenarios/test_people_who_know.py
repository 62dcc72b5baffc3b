"""People who know: asked in the thread of a refusal, and their reply becomes the answer and a note."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.knowledge.quotes import REFUSAL
from bot.unanswered.people_who_know import LOOK_AGAIN_AFTER
from handlers.channel.form import PEOPLE
from handlers.slack.own_messages import read_id
from handlers.unanswered.people import ASK, ASKED, NEWEST, SAID, THIS_ONE
from storage.place import Channel
from storage.unanswered import asked_people, questions
from tests.support.documents import audience, take_in
from tests.support.guarded_channel import opened, said
from tests.support.workspace import Workspace, workspace

QUESTION = "Which pension fund do we have?"
ANSWER = "Our pension fund is *Larkspur Mutual*, since May."


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        await take_in(team)
        yield team


def at(team: Workspace) -> Channel:
    return Channel(team.slack.team, team.slack.channel("#general"))


async def name_carol(team: Workspace) -> None:
    """Alice, who looks after the channel, names Carol in its settings."""
    await opened(team)
    await team.slack.submit("alice", {PEOPLE: [team.slack.user("carol")]})
    await team.slack.until(lambda: "Saved" in str(team.slack.modals("alice")))
    await team.slack.close_modal("alice")


def find_button(team: Workspace, user: str, action: str) -> dict[str, Any] | None:
    """The newest message for somebody's eyes alone that has a button."""
    shown = [one for one in team.slack.ephemerals(user) if action in str(one)]
    return shown[-1] if shown else None


async def ask_carol(team: Workspace, *, user: str = "bob") -> str:
    """Bob is refused and has Carol asked; the thread."""
    text, thread = await said(team, QUESTION, user=user)
    assert text == REFUSAL
    await team.quiet()
    refusal = find_button(team, user, ASK)
    assert refusal is not None
    await team.slack.press(user, "#general", refusal["ts"], ASK)
    await team.slack.until(lambda: asking(team, thread))
    return thread


def asking(team: Workspace, thread: str) -> list[dict[str, Any]]:
    """The messages that ask people in a thread."""
    return [one for one in team.replies("#general", thread) if NEWEST in str(one)]


async def test_a_reply_that_its_author_confirms_answers_the_asker_becomes_a_note_and_answers_others(
    team: Workspace,
) -> None:
    await name_carol(team)
    _, other = await said(team, "Which pension fund do we have here?", user="alice")
    thread = await ask_carol(team)
    (asked,) = asking(team, thread)
    assert f"<@{team.slack.user('carol')}>" in asked["text"]
    refusal = find_button(team, "bob", ASK)
    assert refusal is not None
    await team.slack.press("bob", "#general", refusal["ts"], ASK)
    await team.slack.until(lambda: ASKED["known"] in str(team.slack.ephemerals("bob")))
    await team.slack.say("alice", "#general", "Carol will know.", thread_ts=thread)
    await team.slack.say("carol", "#general", ANSWER, thread_ts=thread)
    await team.slack.until(lambda: find_button(team, "carol", THIS_ONE))
    assert find_button(team, "alice", THIS_ONE) is None
    assert len(team.said("#general", thread)) == 2  # what people say to each other there is no question to us
    offer = find_button(team, "carol", THIS_ONE)
    assert offer is not None
    for outcome in ("done", "known"):
        await team.slack.press("carol", "#general", offer["ts"], THIS_ONE)
        told = SAID["closed"] if outcome == "known" else SAID["done"]
        await team.slack.until(
            lambda told=told: (
                told in str(team.slack.ephemerals("carol"))
                or SAID["known"] in str(team.slack.ephemerals("carol"))
            )
        )
    await team.slack.until(lambda: "Larkspur" in str(team.said("#general", other)))
    await team.quiet()
    assert len(asking(team, thread)) == 1
    (answer,) = [one for one in team.replies("#general", thread) if "carol says" in one["text"].lower()]
    assert f"<@{team.slack.user('bob')}>" in answer["text"]
    assert f"> {ANSWER}" in str(answer["blocks"])
    (note,) = await team.bot.services.notes.list_at(audience(team, "#general"))
    assert (note.person, note.title) == (team.slack.user("carol"), QUESTION)
    assert note.look_again_at == pytest.approx(note.said_at + LOOK_AGAIN_AFTER.total_seconds(), abs=5)
    text, _ = await said(team, "Which pension fund do we have?", user="alice")
    assert "Larkspur" in text
    assert await team.bot.services.engine.read(questions.list_open, at(team)) == []


async def test_who_was_not_named_is_a_guest_or_was_forgotten_is_not_asked_and_answers_for_nobody(
    team: Workspace,
) -> None:
    await name_carol(team)
    thread = await ask_carol(team)
    await team.slack.say("alice", "#general", "It is Larkspur.", thread_ts=thread)
    (asked,) = asking(team, thread)
    await team.slack.press("alice", "#general", asked["ts"], NEWEST)
    await team.slack.until(lambda: SAID["other"] in str(team.slack.ephemerals("alice")))
    await team.slack.press("carol", "#general", asked["ts"], NEWEST)
    await team.slack.until(lambda: SAID["gone"] in str(team.slack.ephemerals("carol")))
    team.slack.workspace.people[team.slack.user("carol")].guest = True
    await team.slack.say("carol", "#general", "It is Larkspur.", thread_ts=thread)
    await team.quiet()
    assert find_button(team, "carol", THIS_ONE) is None
    assert "Larkspur" not in str(team.said("#general", thread))
    services = team.bot.services
    await services.forgetting.forget_person(team.slack.team, team.slack.user("carol"))
    assert await services.engine.read(asked_people.list_named, at(team)) == []


async def test_what_was_asked_already_is_found_in_the_thread_and_not_asked_again(team: Workspace) -> None:
    await name_carol(team)
    thread = await ask_carol(team)
    (asked,) = asking(team, thread)
    assert read_id(asked).startswith(f"{team.slack.team}:")
