"""Notes as people see them: asked for, confirmed, found with who said them, chosen between, and erased."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.notes.looking_again import LOOK_AGAIN
from handlers.notes import window
from handlers.notes.listeners import OVER
from handlers.slack import blocks, note_question
from handlers.slack.sources import read_sources
from storage.jobs.inbox import Job
from tests.support.documents import audience, found, take_in, until_true
from tests.support.guarded_channel import filled, said
from tests.support.workspace import Workspace, workspace

QUESTION = "When is the release?"


def last(team: Workspace, thread: str) -> dict[str, Any]:
    return team.replies("#general", thread)[-1]


async def until_found(team: Workspace, there: Any, *texts: str) -> None:
    """Returns when these texts, and no others, are found to the question."""

    async def settled() -> bool:
        return sorted(await found(team, QUESTION, there)) == sorted(texts)

    await until_true(settled)


async def press_last(team: Workspace, user: str, thread: str, action: str) -> None:
    """Presses a button under the last reply of a thread, and waits until it is gone."""
    message = last(team, thread)
    await team.slack.press(user, "#general", message["ts"], action)
    await team.slack.until(lambda: action not in str(last(team, thread)["blocks"]))


async def open_notes(team: Workspace, user: str, channel: str = "#general") -> dict[str, Any]:
    if team.slack.modals(user):
        await team.slack.close_modal(user, everything=True)
    await team.slack.command(user, channel, "/parley", "notes")
    return await filled(team, user)


async def test_what_somebody_asks_to_remember_is_answered_from_with_who_said_it_until_they_erase_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        confirmed, _ = await said(team, "Remember that the release is on Fridays.", user="alice")
        assert confirmed.startswith("I will remember this for this channel: “The release is on Fridays”.")
        assert len(team.model.requests) == 0, "no model is asked"
        here = audience(team, "#general")
        await until_found(team, here, "the release is on Fridays.")
        assert await found(team, QUESTION, replace(here, channel="C0VAULT001")) == []

        where = "the release is on Fridays."
        team.model.script(
            json.dumps({"answer": where, "quotes": [{"passage": 1, "quote": where}]}),
            match=lambda asked: "note by alice" in asked.prompt,
        )
        answer, asking = await said(team, QUESTION)
        assert answer == f"{where} [1]"
        (line,) = read_sources(last(team, asking)["blocks"])
        assert "note by alice" in line

        listed = str(await open_notes(team, "bob"))
        assert where in listed
        assert note_question.ERASE_NOTE not in listed, "it is alice's"
        opened = await open_notes(team, "alice")
        await team.slack.press("alice", "", "", note_question.EDIT_NOTE, view_id=opened["id"])
        await filled(team, "alice", depth=2)
        over = {window.TEXT: where, window.DAY: "2001-05-12"}
        refused = await team.slack.submit("alice", over)
        assert OVER in refused.response["errors"][window.DAY]
        changed = {
            window.TITLE: "Release",
            window.TEXT: "The release is on Mondays.",
            window.DAY: "2031-05-12",
        }
        await team.slack.submit("alice", changed)
        await until_found(team, here, "The release is on Mondays.")
        opened = await open_notes(team, "alice")
        assert "12 May 2031" in str(opened)
        await team.slack.press("alice", "", "", note_question.ERASE_NOTE, view_id=opened["id"])
        await team.slack.until(lambda: window.NONE in str(team.slack.modals("alice")))
        assert await found(team, QUESTION, here) == []


async def test_what_says_otherwise_is_told_at_once_and_whoever_said_the_new_one_chooses(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        here = audience(team, "#general")
        await take_in(team, "plan.md", "# Releases\n\nThe release is on Fridays.")
        confirmed, thread = await said(team, "remember that the release is on Mondays", user="alice")
        assert ") says otherwise: “The release is on Fridays”. Which of them holds?" in confirmed
        await press_last(team, "alice", thread, blocks.BOTH_HOLD)
        await until_found(team, here, "The release is on Fridays.", "the release is on Mondays")

        confirmed, thread = await said(team, "remember that the release is on Tuesdays", user="bob")
        assert "The note by alice, " in confirmed
        assert "says otherwise: “the release is on Mondays”" in confirmed
        await press_last(team, "bob", thread, blocks.OLD_HOLDS)
        await until_found(team, here, "The release is on Fridays.", "the release is on Mondays")

        _, thread = await said(team, "remember that the release is on Sundays", user="alice")
        await press_last(team, "alice", thread, blocks.NEW_HOLDS)
        await until_found(team, here, "The release is on Fridays.", "the release is on Sundays")


async def test_a_message_is_remembered_in_its_authors_words_and_goes_when_it_is_deleted(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        here = audience(team, "#general")
        message = await team.slack.say("bob", "#general", "The release is on Fridays")
        await team.slack.shortcut("alice", "remember_this", channel="#general", ts=message)
        assert "The release is on Fridays" in str(await filled(team, "alice"))
        await team.slack.submit("alice", {window.TITLE: "Release day"})
        await until_found(team, here, "The release is on Fridays")
        assert "note by bob" in str(await open_notes(team, "alice"))
        opened = await open_notes(team, "alice")
        await team.slack.press("alice", "", "", window.WRITE_NOTE, view_id=opened["id"])
        await filled(team, "alice", depth=2)
        await team.slack.submit("alice", {window.TEXT: "The release is on Mondays"})
        await team.slack.until(lambda: "says otherwise" in str(team.slack.modals("alice")))
        asked = team.slack.modals("alice")[-1]
        await team.slack.press("alice", "", "", blocks.OLD_HOLDS, view_id=asked["id"])
        await until_found(team, here, "The release is on Fridays")
        await team.slack.delete("bob", "#general", message)
        await until_found(team, here)


async def test_guests_have_nothing_remembered_in_a_channel_and_a_direct_message_is_for_its_person_alone(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        here = audience(team, "#general")
        team.slack.workspace.people[team.slack.user("bob")].guest = True
        refused, _ = await said(team, "remember that the release is on Fridays", user="bob")
        assert "not yours to do" in refused
        assert await found(team, QUESTION, here) == []
        await team.slack.say("alice", "@parley", "remember: the release is on Fridays")
        await until_found(team, audience(team, "@parley"), "the release is on Fridays")
        assert await found(team, QUESTION, audience(team, "@parley", "bob")) == []
        assert await found(team, QUESTION, here) == []


async def test_on_its_day_whoever_said_it_is_asked_once_and_says_that_it_is_right_still(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        await said(team, "Remember that the release is on Fridays.", user="alice")
        here, services, direct = audience(team, "#general"), team.bot.services, team.slack.dm("alice")
        await until_found(team, here, "the release is on Fridays.")
        (note,) = await services.notes.list_at(here)
        await services.notes.set_date(note, 1.0, by="U0ALICE001")
        await services.looking_again.put_due()
        await services.looking_again.put_due()
        await team.quiet()
        told = json.dumps({"team": team.slack.team, "id": note.id, "since": 1.0})
        again = Job(1, f"{LOOK_AGAIN}:{note.id}:1.0", "", LOOK_AGAIN, told, 2, 2, 1, 1.0)
        await services.looking_again.work(again)  # as after a crash behind the post
        (asked,) = [m for m in team.calls("chat.postMessage") if m["channel"] == direct]
        assert note_question.ASKED in str(asked["blocks"])
        assert "the release is on Fridays." in str(asked["blocks"])
        (message,) = team.slack.workspace.channels[direct].messages.values()
        await team.slack.press("alice", direct, message["ts"], note_question.STILL_RIGHT)
        await team.slack.until(lambda: note_question.STILL_RIGHT not in str(message["blocks"]))
        (note,) = await services.notes.list_at(here)
        assert note.look_again_at is not None
        assert note.look_again_at > services.calendar.now() + 86_400 * 180
