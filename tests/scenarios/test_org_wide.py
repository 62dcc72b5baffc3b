"""Installed for a whole organisation: Slack names no workspace with what people press, send and choose."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import handlers
from bot.knowledge.quotes import REFUSAL
from handlers.channel import form
from handlers.channel import workspace as workspace_window
from handlers.guard import blocks as guard_blocks
from handlers.slack import blocks
from handlers.slack.blocks import FEEDBACK, FORGET_CLIP, RETRY, SETTINGS_OF, SHOULD_ANSWER
from handlers.unanswered import blocks as unanswered_blocks
from handlers.voice.blocks import EDIT, TRANSLATE
from storage.place import Channel
from tests.support.clips import answered, bundled, cards, drop, press, shown, until
from tests.support.commands import parley, tell_in_thread
from tests.support.guarded_channel import CARD, PURPOSE, filled, is_answer, opened, said, save, teach, why
from tests.support.rows import kept, rows
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

ORG_WIDE = {"org_wide": True}


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path, slack=ORG_WIDE) as team:
        team.model.script("Gently.", match=is_answer, times=0)
        yield team


async def test_questions_and_commands_belong_to_the_workspace_in_which_they_are_asked(
    team: Workspace, tmp_path: Path
) -> None:
    await tell_in_thread(team)
    assert rows(tmp_path, "select distinct team from messages") == [(team.slack.team,)]
    assert "1 model request" in await parley(team, "usage")
    assert "#general" in str((await run_command(team, "alice", "usage month"))["blocks"])
    assert "is set" in (await run_command(team, "alice", "budget channel 5 per month"))["text"]
    await team.slack.open_home("alice")
    home = str(await team.slack.until(lambda: team.slack.home("alice")))
    assert "1 model request" in home
    assert "#general" in home


async def test_a_rating_and_another_try_are_the_askers(team: Workspace, tmp_path: Path) -> None:
    thread = await tell_in_thread(team)
    (reply,) = team.replies("#general", thread)
    await team.slack.press("alice", "#general", reply["ts"], FEEDBACK, value="positive")
    await until(team, lambda: rows(tmp_path, "select team, verdict from feedback") == [(team.slack.team, 1)])
    team.model.faults.add("server_error", times=3)
    failed = await team.ask("@parley how are you?")
    await team.answer("#general", failed)
    (reply,) = team.replies("#general", failed)
    await team.slack.press("alice", "#general", reply["ts"], RETRY)
    assert await team.answer("#general", failed, count=2) == "Gently."


async def test_forgetting_by_the_menu_and_by_the_button_forgets(team: Workspace, tmp_path: Path) -> None:
    thread = await tell_in_thread(team)
    await team.slack.shortcut("alice", "forget_thread", channel="#general", ts=thread)
    await until(team, lambda: not kept(tmp_path))
    await tell_in_thread(team)
    await parley(team, "forget")
    asked = team.slack.ephemerals("alice")[-1]
    await team.slack.press("alice", "#general", asked["ts"], blocks.FORGET_ALL)
    await until(team, lambda: not kept(tmp_path))


async def test_a_clip_is_corrected_translated_and_forgotten(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack=ORG_WIDE, PARLEY_VOICE_ENGLISH="asked") as team:
        team.model.script("The invoice is open.", match="Translate the transcript")
        thread = await drop(team, bundled("offene_rechnung.webm"))
        await answered(team, thread)
        await press(team, thread, TRANSLATE)
        await until(team, lambda: "The invoice is open." in shown(cards(team, thread)[0]))
        await press(team, thread, EDIT)
        await until(team, lambda: team.slack.modals("alice"))
        assert (await team.slack.submit("alice", {"words0": "Die Lieferung ist da."})).acked
        await until(team, lambda: "Die Lieferung ist da." in shown(cards(team, thread)[0]))
        await answered(team, thread, count=2)
        await press(team, thread, FORGET_CLIP)
        await until(team, lambda: not cards(team, thread))


async def test_settings_chosen_at_home_are_saved_where_the_guard_reads_them(team: Workspace) -> None:
    await team.slack.open_home("alice")
    home = await team.slack.until(lambda: team.slack.home("alice"))
    support = team.slack.channel("#support")
    await team.slack.press("alice", "", "", SETTINGS_OF, value=support, view_id=home["id"])
    await filled(team)
    await team.slack.submit("alice", {"purpose": PURPOSE})
    await filled(team)
    saved = await team.bot.services.guard.read_policy(Channel(team.slack.team, support))
    assert saved
    assert saved.purpose == PURPOSE


async def test_what_an_admin_sets_for_the_workspace_at_home_holds_in_it(team: Workspace) -> None:
    await team.slack.open_home("alice")
    home = await team.slack.until(lambda: team.slack.home("alice"))
    await team.slack.press("alice", "", "", workspace_window.OPEN, view_id=home["id"])
    await filled(team)
    await team.slack.submit("alice", {"length": "short"})
    await filled(team)
    here = await team.bot.services.preferences.resolve(Channel(team.slack.team, "C0ANYWHERE"))
    assert here.max_tokens == 2500 // 4


async def test_a_verdict_is_explained_overturned_and_rolled_back(team: Workspace) -> None:
    await teach(team)
    _, thread = await said(team, CARD)
    (reply,) = team.replies("#general", thread)
    assert "Off topic" in str(await why(team, "bob", thread, reply["ts"]))
    await team.slack.press("alice", "#general", reply["ts"], SHOULD_ANSWER)
    assert await team.answer("#general", thread, count=2) == "Gently."
    await team.quiet()
    settings = await opened(team)
    await team.slack.press("alice", "", "", form.OPEN_RECORD, view_id=settings["id"])
    record = await filled(team, depth=2)
    assert "1 overturned" in str(record)
    await team.slack.press("alice", "", "", guard_blocks.USE, value="1", view_id=record["id"])
    await team.slack.until(lambda: "Version 1* (in use)" in str(team.slack.modals("alice")[-1]))


async def test_an_unanswered_question_is_shown_to_the_owner_and_closed(team: Workspace) -> None:
    passages = "The tower is 324 metres tall."
    await save(team, purpose=PURPOSE, shadow="false", context_only="true", passages=passages)
    assert (await said(team, "who won the cricket match yesterday?"))[0] == REFUSAL
    settings = await opened(team)
    await team.slack.press("alice", "", "", form.OPEN_QUESTIONS, view_id=settings["id"])
    window = await filled(team, depth=2)
    assert "cricket" in str(window)
    await team.slack.press("alice", "", "", unanswered_blocks.NOT_OURS, view_id=window["id"])
    await team.slack.until(lambda: "Every question here was answered" in str(team.slack.modals("alice")[-1]))


async def test_an_answer_is_stopped_where_it_is_written(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack=ORG_WIDE) as team:
        team.model.script("word " * 200, tokens_per_s=30)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: "'processing'" in str(team.slack.workspace.sessions))
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await team.slack.stop("alice", "#general", thread)
        assert len(await team.answer("#general", thread)) < 900


async def test_slack_names_the_workspace_nowhere_but_with_the_person(team: Workspace) -> None:
    """What this file proves is worth something only while the fake Slack hides it."""
    thread = await tell_in_thread(team)
    await team.slack.shortcut("alice", "why", channel="#general", ts=thread)
    delivery = team.slack.deliveries[-1]
    assert delivery.payload["team"] is None
    assert delivery.payload["is_enterprise_install"] is True
    assert delivery.payload["enterprise"]["id"].startswith("E")
    assert "team_id" not in delivery.payload


def test_every_listener_asks_one_function_for_the_workspace() -> None:
    """A listener that reads `team` by itself fails in an organisation."""
    read = re.compile(r"""(?:body|event|payload)(?:\[|\.get\()["'](?:team|team_id|enterprise_id)["']""")
    files = [path for path in Path(handlers.__file__).parent.rglob("*.py") if path.name != "payloads.py"]
    assert [str(path) for path in files if read.search(path.read_text("utf-8"))] == []
