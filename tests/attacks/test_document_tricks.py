"""Attacks on documents by way of what happens later: to their channels, their files, their names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from bot.core.errors import UnsupportedFile
from bot.sandbox.slack.people.acts import FileUpload
from handlers.knowledge.windows import ADD_FILES
from handlers.slack.blocks import escape_notice
from handlers.slack.modals import message_window
from storage.knowledge.documents import Document, list_all, list_of_workspace
from tests.support.documents import (
    QUESTION,
    RULES,
    audience,
    cards,
    documents,
    drop_file,
    found,
    take_in,
    until_settled,
    until_true,
)
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

ELSEWHERE = "# Parking\n\nBicycles are parked in the river."


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def until_hidden(team: Workspace, where: str, user: str = "alice") -> None:
    async def gone() -> bool:
        return not await found(team, QUESTION, audience(team, where, user))

    await until_true(gone)


def file_of(team: Workspace, channel: str, message: str) -> str:
    return str(team.slack.thread(channel, message)[0]["files"][0]["id"])


async def nothing_kept(team: Workspace) -> bool:
    return not await team.bot.services.engine.read(list_all)


async def until_hidden_for(team: Workspace, where: str, reason: str) -> None:
    async def hidden() -> bool:
        return [one.hidden for one in await documents(team, audience(team, where))] == [reason]

    await until_true(hidden)


async def until_read_again(team: Workspace, before: Iterable[Document]) -> None:
    """Newer versions of all of the workspace's documents are in the index, and the older ones are not."""
    old = {one.id for one in before}

    async def changed() -> bool:
        now = await team.bot.services.engine.read(list_of_workspace, team.slack.team)
        return not old & {one.id for one in now} and all(one.state == "searchable" for one in now)

    await until_true(changed)


async def test_attack_43_what_changes_in_a_channel_that_became_private_stays_there(team: Workspace) -> None:
    dropped = await take_in(team, words="knowledge add workspace")
    thread = await team.slack.say("bob", "#general", "Bicycles are parked in the attic.")
    link = f"https://sandbox.slack.com/archives/{team.slack.channel('#general')}/p{thread.replace('.', '')}"
    await run_command(team, "alice", f"knowledge add workspace {link}")
    assert "can be asked about everywhere" in await until_settled(team, "#general", thread)
    await team.slack.make_private("alice", "#general")
    await until_hidden(team, "#finance", "carol")
    before = await documents(team, audience(team, "#finance"))
    assert [one.hidden for one in before] == ["private", "private"]
    file = file_of(team, "#general", dropped)
    await team.slack.change_file("alice", file, content=ELSEWHERE.encode())
    await team.slack.edit("bob", "#general", thread, "Bicycles are parked in the vault.")
    await until_read_again(team, before)
    assert await found(team, QUESTION, audience(team, "#finance", "carol")) == []


async def test_attack_44_a_file_taken_out_while_its_channel_was_shared_does_not_come_back(
    team: Workspace,
) -> None:
    dropped = await take_in(team)
    file = file_of(team, "#general", dropped)
    await team.slack.share_file("alice", file, "#finance")
    await team.slack.connect("alice", "#general")
    await until_hidden_for(team, "#general", "shared")
    await team.slack.unshare_file("alice", file, "#general")
    await team.slack.connect("alice", "#general", undo=True)
    await until_hidden_for(team, "#general", "unshared")


async def test_attack_45_a_deleted_file_is_not_told_of_in_the_thread_it_was_asked_about(
    team: Workspace,
) -> None:
    dropped = await team.slack.say(
        "alice", "#general", "Our rules.", files=[FileUpload("rules.md", RULES.encode())]
    )
    await team.slack.say("alice", "#general", "@parley what is in there?", thread_ts=dropped)
    await team.answer("#general", dropped)
    assert "behind the greenhouse" in team.model.requests[-1].prompt
    await team.slack.delete_file("alice", file_of(team, "#general", dropped))
    await until_true(lambda: nothing_kept(team))
    await team.slack.say("alice", "#general", "@parley where are bicycles?", thread_ts=dropped)
    await team.answer("#general", dropped, count=2)
    assert "behind the greenhouse" not in team.model.requests[-1].prompt


async def test_attack_46_a_link_in_a_file_name_is_shown_as_letters_in_windows(team: Workspace) -> None:
    name = "<https://evil.example|Sign in again>.md"
    await take_in(team, name)
    dropped = await drop_file(team, name, user="bob")
    await team.slack.shortcut("bob", "ask_parley", channel="#general", ts=dropped)
    offered = await team.slack.until(lambda: [v for v in team.slack.modals("bob") if ADD_FILES in str(v)])
    assert "<https" not in str([offered, cards(team, "#general", dropped)])
    told = message_window(escape_notice(UnsupportedFile(name, "it is damaged")))
    assert "<https" not in str(told)


async def test_attack_47_a_file_called_otherwise_later_takes_nobody_s_place(team: Workspace) -> None:
    await take_in(team)
    dropped = await take_in(team, "mine.md", ELSEWHERE, user="bob")
    before = await documents(team, audience(team, "#general"))
    file = file_of(team, "#general", dropped)
    team.slack.workspace.files[file].about["name"] = "rules.md"
    await team.slack.change_file("bob", file, content=b"# Lunch\n\nLunch is forbidden.")

    async def read_again() -> bool:
        now = await documents(team, audience(team, "#general"))
        return before[1].id not in {one.id for one in now} and all(one.state == "searchable" for one in now)

    await until_true(read_again)
    first, _ = await documents(team, audience(team, "#general"))
    assert first.id == before[0].id


async def test_attack_48_what_was_attached_is_forgotten_with_who_attached_it_whoever_asked_about_it(
    team: Workspace,
) -> None:
    dropped = await drop_file(team, user="bob")
    await team.slack.say("alice", "#general", "@parley where are bicycles?", thread_ts=dropped)
    await team.answer("#general", dropped)
    assert "behind the greenhouse" in team.model.requests[-1].prompt
    (document,) = await team.bot.services.engine.read(list_all)
    assert document.person == team.slack.user("bob")
