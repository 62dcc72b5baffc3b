"""Buttons under an answer: again, shorter, longer, and the rest of one that was cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.core.values import FOLLOW_UPS
from handlers.slack.blocks import FEEDBACK
from tests.support.workspace import Workspace, workspace


def buttons(message: dict[str, Any]) -> list[str]:
    rows = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row]


def asked(team: Workspace, what: str) -> list[str]:
    return [r.prompt for r in team.model.requests if FOLLOW_UPS[what] in r.prompt]


@pytest.mark.parametrize("what", ["again", "shorter", "longer"])
async def test_an_answer_is_given_again_as_the_button_says_and_the_button_goes(
    tmp_path: Path, what: str
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley what is Ghent?")
        await team.answer("#general", thread)
        team.model.script("A town.", match=FOLLOW_UPS[what])
        (reply,) = team.replies("#general", thread)
        assert buttons(reply) == ["again", "shorter", "longer"]
        await team.slack.press("bob", "#general", reply["ts"], what)
        assert await team.answer("#general", thread, count=2) == "A town."
        await team.quiet()
        (prompt,) = asked(team, what)
        assert "what is Ghent?" in prompt
        assert "Asked by: bob" in prompt
        (reply, _) = team.replies("#general", thread)
        assert buttons(reply) == [other for other in ("again", "shorter", "longer") if other != what]
        assert FEEDBACK in str(reply["blocks"])


async def test_a_cut_answer_can_be_continued(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("One, two,", finish="length")
        thread = await team.ask("@parley count")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        assert buttons(reply)[0] == "continue"
        team.model.script("three.", match=FOLLOW_UPS["continue"])
        await team.slack.press("alice", "#general", reply["ts"], "continue")
        assert await team.answer("#general", thread, count=2) == "three."


@pytest.mark.both_engines
async def test_pressed_twenty_times_it_is_asked_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley what is Ghent?")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        reply = dict(reply)
        for _ in range(20):
            await team.press_as_it_stood("alice", "#general", reply, "shorter")
        await team.quiet()
        assert len(asked(team, "shorter")) == 1
        assert "works once, and was pressed already" in team.slack.ephemerals("alice")[-1]["text"]


@pytest.mark.both_engines
async def test_both_presses_are_remembered_in_their_order(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley what is Ghent?")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        for number, what in enumerate(("shorter", "longer"), 2):
            await team.slack.press("alice", "#general", reply["ts"], what)
            await team.answer("#general", thread, count=number)
        await team.ask("and?", thread=thread)
        await team.answer("#general", thread, count=4)
        prompt = team.model.requests[-1].prompt
        assert 0 < prompt.index(FOLLOW_UPS["shorter"]) < prompt.index(FOLLOW_UPS["longer"])


async def test_what_no_model_wrote_offers_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        assert buttons(reply) == []


async def test_a_button_of_another_place_is_refused(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley a secret", channel="#leads")
        await team.answer("#leads", thread)
        (secret,) = team.replies("#leads", thread)
        other = await team.ask("@parley hello", user="bob")
        await team.answer("#general", other)
        (reply,) = team.replies("#general", other)
        forged = next(block for block in secret["blocks"] if block["type"] == "actions")
        stored = team.slack.workspace.channels["C0GENERAL1"].messages[reply["ts"]]
        stored["blocks"] = [block for block in reply["blocks"] if block["type"] != "actions"] + [forged]
        await team.slack.press("bob", "#general", reply["ts"], "shorter")
        await team.slack.until(lambda: "not there any more" in str(team.slack.ephemerals("bob")))
        await team.quiet()
        assert asked(team, "shorter") == []


async def test_a_guest_of_a_channel_that_was_shared_since_cannot_have_an_answer_repeated(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley our margin is 40 %")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        channel = team.slack.workspace.channels[team.slack.channel("#general")]
        channel.shared_with = team.slack.workspace.partner
        channel.members[team.slack.user("dana")] = None
        await team.slack.press("dana", "#general", reply["ts"], "again")
        await team.slack.until(lambda: "answered by itself" in str(team.slack.ephemerals("dana")))
        await team.quiet()
        assert not asked(team, "again")
