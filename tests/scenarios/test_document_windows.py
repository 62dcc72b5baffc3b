"""Documents by windows and buttons: a text, an upload, a newer file instead of an older one, a choice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack.people.acts import FileUpload
from handlers.knowledge import windows
from handlers.knowledge.blocks import REMOVE, REPLACE
from handlers.knowledge.commands import WHICH
from tests.support.documents import (
    QUESTION,
    audience,
    card_of,
    documents,
    drop_file,
    found,
    take_in,
    until_settled,
    until_true,
)
from tests.support.guarded_channel import filled
from tests.support.office_files import pdf
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

LOCKED = pdf([b"BT /F1 12 Tf (Bicycles) Tj ET"]).replace(
    b"/Root 1 0 R",
    b"/Root 1 0 R/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>"
    % (b"41" * 32, b"42" * 32),
)
TEXT = "Bicycles are parked in the cellar."


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def open_form(team: Workspace, user: str, message: str, form: str) -> dict[str, Any]:
    """“Ask Parley to…” on a message of #general, and one of the forms behind it."""
    await team.slack.shortcut(user, "ask_parley", channel="#general", ts=message)
    asked = await filled(team, user)
    await team.slack.press(user, "", "", form, view_id=asked["id"])
    return await filled(team, user, depth=2)


async def press_replace(team: Workspace, user: str, card: dict[str, Any]) -> dict[str, Any]:
    await team.slack.press(user, "#general", card["ts"], REPLACE)
    return await filled(team, user)


@pytest.mark.both_engines
async def test_a_text_is_written_a_locked_file_refused_and_a_file_put_in_its_place(team: Workspace) -> None:
    here, message = audience(team, "#general"), await team.slack.say("alice", "#general", "Look at this.")
    await open_form(team, "alice", message, windows.WRITE)
    await team.slack.submit("alice", {windows.TITLE: "Parking", windows.TEXT: TEXT})
    card = await card_of(team, "#general", "Parking", "can be asked about")
    assert await found(team, QUESTION, here) == [TEXT]
    await team.slack.close_modal("alice", everything=True)

    await open_form(team, "bob", message, windows.UPLOAD)
    await team.slack.submit("bob", {windows.FILE: [FileUpload("yard.pdf", LOCKED)]})
    failed = await until_settled(team, "#general", message)
    assert "was not taken in. I could not read the file yard.pdf: it is locked with a password" in failed
    await team.slack.close_modal("bob", everything=True)

    assert "not yours to do" in str(await press_replace(team, "bob", card)), "alice wrote it"
    await team.slack.close_modal("bob")
    assert "takes the place of Parking" in str(await press_replace(team, "alice", card))
    newer = FileUpload("yard.md", b"# Parking\n\nBicycles are parked in the yard.")
    await team.slack.submit("alice", {windows.FILE: [newer]})
    await team.slack.until(lambda: "newer version" in team.slack.thread("#general", card["ts"])[0]["text"])
    assert [one.link != "" for one in await documents(team, here) if one.state == "searchable"] == [True]
    (text,) = await found(team, QUESTION, here)
    assert "in the yard" in text


async def test_of_several_documents_of_one_name_the_person_chooses_and_only_their_own(
    team: Workspace,
) -> None:
    await take_in(team)
    await take_in(team, content="# Parking\n\nCars.", words="knowledge add workspace")
    chosen = await run_command(team, "alice", "knowledge remove rules.md")
    assert chosen["text"] == WHICH
    assert "(whole workspace)" in str(chosen["blocks"])
    assert len(await documents(team, audience(team, "#general"))) == 2, "nothing is removed before"
    (theirs,) = [block for block in chosen["blocks"] if "(whole workspace)" in str(block)]
    assert "The file itself stays" in str(theirs)
    await team.slack.press("alice", "#general", chosen["ts"], REMOVE, value=theirs["accessory"]["value"])

    async def left() -> bool:
        return [one.audience for one in await documents(team, audience(team, "#general"))] == ["channel"]

    await until_true(left)
    assert "not yours to do" in str(await run_command(team, "bob", "knowledge remove rules.md"))
    assert "Removed" in str(await run_command(team, "alice", "knowledge remove rules.md"))


async def test_a_list_that_stayed_open_tells_nothing_to_who_left_the_channel(team: Workspace) -> None:
    where = "#leads"
    message = await drop_file(team, channel=where)
    await run_command(team, "alice", "knowledge add", where)
    await until_settled(team, where, message)
    await team.slack.shortcut("alice", "ask_parley", channel=where, ts=message)
    window = await filled(team)
    assert "rules.md" in str(window)
    await team.slack.join("alice", where, leave=True)
    await team.slack.press("alice", "", "", windows.LIST, view_id=window["id"])
    shown = str(await filled(team, depth=2))
    assert "rules.md" not in shown
    assert "for those in it to see" in shown


async def test_a_page_of_the_web_is_told_to_be_none_of_slacks_links(team: Workspace) -> None:
    refused = str(await run_command(team, "alice", "knowledge add https://example.com/handbook.pdf"))
    assert "LINK is the link of a message in Slack" in refused
