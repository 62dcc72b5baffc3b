"""Documents go with what happens in Slack to their files, channels, threads and people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.knowledge.removal import REMOVED
from handlers.knowledge.blocks import REMOVE
from handlers.slack.blocks import RETRY
from storage.place import Channel
from storage.unanswered import questions
from tests.support.documents import (
    QUESTION,
    audience,
    cards,
    documents,
    found,
    take_in,
    until_settled,
    until_true,
)
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


def file_of(team: Workspace, channel: str, message: str) -> str:
    return str(team.slack.thread(channel, message)[0]["files"][0]["id"])


async def keep(team: Workspace, thread: str) -> None:
    """Alice keeps a thread of #general."""
    link = f"https://sandbox.slack.com/archives/{team.slack.channel('#general')}/p{thread.replace('.', '')}"
    before = len(cards(team, "#general", thread))
    await run_command(team, "alice", f"knowledge add {link}")
    await team.slack.until(lambda: len(cards(team, "#general", thread)) > before)
    assert "can be asked about" in await until_settled(team, "#general", thread)


async def is_found(team: Workspace, where: str, user: str = "alice") -> bool:
    return bool(await found(team, QUESTION, audience(team, where, user)))


async def until_found(team: Workspace, where: str, wanted: bool, user: str = "alice") -> None:
    async def look() -> bool:
        return await is_found(team, where, user) is wanted

    await until_true(look)


async def test_a_deleted_file_takes_its_document_with_it(team: Workspace) -> None:
    dropped = await take_in(team)
    await team.slack.delete_file("alice", file_of(team, "#general", dropped))
    await team.slack.until(lambda: "was deleted" in cards(team, "#general", dropped)[0]["text"])
    assert await documents(team, audience(team, "#general")) == []


async def test_a_file_taken_out_of_the_channel_is_not_found_there_and_another_share_is_no_way_in(
    team: Workspace,
) -> None:
    dropped = await take_in(team)
    file = file_of(team, "#general", dropped)
    await team.slack.share_file("alice", file, "#finance")
    await team.slack.unshare_file("alice", file, "#general")
    await until_found(team, "#general", False)
    assert not await is_found(team, "#finance")
    assert "not shared there" in str(await run_command(team, "alice", "knowledge list"))


async def test_an_archived_channel_gives_nothing_until_it_is_opened_again(team: Workspace) -> None:
    await take_in(team)
    await team.slack.archive("alice", "#general")
    await until_found(team, "#general", False)
    await team.slack.archive("alice", "#general", undo=True)
    await until_found(team, "#general", True)


async def test_a_channel_shared_with_another_company_gives_nothing_meanwhile(team: Workspace) -> None:
    await take_in(team)
    await team.slack.connect("alice", "#general")
    await until_found(team, "#general", False)
    await team.slack.connect("alice", "#general", undo=True)
    await until_found(team, "#general", True)


async def test_another_try_in_a_channel_that_is_shared_by_now_is_not_given_its_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.provider.gate.BACKOFF_S", 0.01)
    async with workspace(tmp_path) as team:
        await take_in(team)
        team.model.faults.add("server_error", times=3)
        thread = await team.ask(f"@parley {QUESTION}")
        await team.answer("#general", thread)
        assert "greenhouse" in str(team.model.requests[-1].body)
        shared = team.slack.workspace.channels[team.slack.channel("#general")]
        shared.shared_with = "T0PARTNER1"  # which Slack does not tell with a button
        await team.slack.press("alice", "#general", team.replies("#general", thread)[-1]["ts"], RETRY)
        await team.answer("#general", thread, count=2)
        assert QUESTION in team.model.requests[-1].prompt
        assert "greenhouse" not in team.model.requests[-1].prompt


async def test_what_the_workspace_has_from_a_channel_goes_when_the_channel_becomes_private(
    team: Workspace,
) -> None:
    await take_in(team, words="knowledge add workspace")
    assert await is_found(team, "#finance", "carol")
    await team.slack.make_private("alice", "#general")
    await until_found(team, "#finance", False)
    assert not await is_found(team, "#general"), "it belongs to the workspace, not to that channel"


async def test_documents_of_a_closed_account_are_not_found(team: Workspace) -> None:
    await take_in(team, user="bob", channel="@parley")
    assert await is_found(team, "@parley", "bob")
    await team.slack.deactivate("alice", "bob")
    await until_found(team, "@parley", False, "bob")


async def test_a_changed_file_is_read_again_and_the_old_words_are_gone(team: Workspace) -> None:
    dropped = await take_in(team)
    file = file_of(team, "#general", dropped)
    await team.slack.change_file("alice", file, content=b"# Parking\n\nBicycles are parked in the cellar.")

    async def changed() -> bool:
        texts = str(await found(team, QUESTION, audience(team, "#general")))
        return "cellar" in texts and "greenhouse" not in texts

    await until_true(changed)
    assert len(await documents(team, audience(team, "#general"))) == 1


async def test_a_kept_thread_follows_what_is_deleted_in_it(team: Workspace) -> None:
    thread = await team.slack.say("alice", "#general", "Bicycles: where do they go?")
    said = await team.slack.say("bob", "#general", "Bicycles are parked in bob's attic.", thread_ts=thread)
    await keep(team, thread)
    here = audience(team, "#general")
    assert "attic" in str(await found(team, QUESTION, here))
    await team.slack.delete("bob", "#general", said)

    async def gone() -> bool:
        return "attic" not in str(await found(team, QUESTION, here))

    await until_true(gone)
    assert "where do they go" in str(await found(team, "Where do bicycles go?", here))
    link = f"https://sandbox.slack.com/archives/{here.channel}/p{thread.replace('.', '')}"
    assert "in which you took part" in (await run_command(team, "bob", f"forget thread {link}"))["text"]
    assert len(await documents(team, here)) == 1, "nothing of bob's is in it any more"
    assert "1 document" in (await run_command(team, "alice", f"forget thread {link}"))["text"]
    await team.slack.until(lambda: cards(team, "#general", thread)[0]["text"] == REMOVED)
    assert await documents(team, here) == []


@pytest.mark.both_engines
async def test_documents_go_with_a_channel_that_gets_another_id(team: Workspace) -> None:
    dropped = await take_in(team)
    thread = await team.slack.say("alice", "#general", "Bicycles: in the attic.")
    await keep(team, thread)
    before = audience(team, "#general")
    ws, old, new = team.slack.workspace, before.channel, "C0RENAMED1"
    place = ws.channels.pop(old)
    place.id, ws.channels[new] = new, place
    for file in ws.files.values():
        file.shares = {new if channel == old else channel: at for channel, at in file.shares.items()}
    at = Channel(before.team, old)
    asked = {"person": team.slack.user("bob"), "conversation": f"{before.team}:{old}:{thread}"}
    await team.bot.services.engine.write(questions.add_question, at, QUESTION, "", **asked, now=1)
    event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new, "event_ts": ws.ts()}
    ws.emit("channel_id_changed", event)
    await until_found(team, "#general", True)

    async def all_moved() -> bool:
        return await found(team, QUESTION, before) == []

    await until_true(all_moved)
    assert await team.bot.services.unanswered.count(Channel(before.team, new)) == 1
    await team.bot.services.follower.sweep(lambda team: True)
    assert [one.hidden for one in await documents(team, audience(team, "#general"))] == ["", ""]
    link = f"https://sandbox.slack.com/archives/{new}/p{thread.replace('.', '')}"
    await run_command(team, "alice", f"knowledge add {link}")
    await team.slack.until(lambda: "nothing has changed" in cards(team, "#general", thread)[-1]["text"])
    await team.slack.press("alice", "#general", cards(team, "#general", dropped)[0]["ts"], REMOVE)
    await team.slack.until(lambda: "removed" in cards(team, "#general", dropped)[0]["text"])


@pytest.mark.both_engines
async def test_what_somebody_had_forgotten_is_named_by_no_card_and_not_kept_again_by_others(
    team: Workspace,
) -> None:
    here, forgetting = audience(team, "#general"), team.bot.services.forgetting
    thread = await team.slack.say("bob", "#general", "Bicycles are parked in bob's attic.")
    await team.slack.say("alice", "#general", "Bicycles are mine.", thread_ts=thread)
    await keep(team, thread)
    dropped = await take_in(team, "bicycles of bob.md", user="bob")
    await forgetting.forget_person(team.slack.team, team.slack.user("bob"))
    for place in (thread, dropped):
        await team.slack.until(lambda place=place: cards(team, "#general", place)[0]["text"] == REMOVED)
        assert "attic" not in str(cards(team, "#general", place)) + str(await documents(team, here))

    await team.slack.say("bob", "#general", "Bicycles now stand outside.", thread_ts=thread)
    await keep(team, thread)
    texts = str(await found(team, QUESTION, here))
    assert "Bicycles are mine" in texts
    assert "stand outside" in texts, "what was said since is no part of what was forgotten"
    assert "attic" not in texts + str(await documents(team, here)) + str(cards(team, "#general", thread))


async def test_the_night_finds_what_nobody_told_of(team: Workspace) -> None:
    dropped = await take_in(team)
    file = file_of(team, "#general", dropped)
    ws = team.slack.workspace
    await team.slack.share_file("alice", file, "#finance")
    del ws.files[file].shares[team.slack.channel("#general")]  # no event tells of it
    follower = team.bot.services.follower
    await follower.sweep(lambda team: True)
    assert not await is_found(team, "#general")
    assert len(await documents(team, audience(team, "#general"))) == 1, "it may come back by the next night"
    await follower.sweep(lambda team: True)
    await until_settled(team, "#general", dropped)
    assert await documents(team, audience(team, "#general")) == []
