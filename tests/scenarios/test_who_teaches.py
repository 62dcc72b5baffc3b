"""Whoever teaches a guard is told so, and what people from outside wrote never teaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.actions import GOOD_LEARNED
from handlers.channel.form import LEARNS
from handlers.guard import blocks as guard_blocks
from handlers.guard import listeners
from handlers.slack.blocks import FEEDBACK, SHOULD_ANSWER
from storage.database import open_engine
from storage.guard import examples, verdicts
from storage.place import Channel
from tests.support.engines import database_url
from tests.support.guarded_channel import (
    CARD,
    PURPOSE,
    copy_taught,
    is_answer,
    kitchen,
    opened,
    said,
    save,
    why,
)
from tests.support.rows import rows
from tests.support.waiting import until
from tests.support.workspace import Workspace, workspace

CHICKEN = "how do i cook chicken with rice for dinner"
AT = Channel("T1", "C1")


@pytest.fixture
async def taught(tmp_path: Path) -> None:
    """The kitchen is in force in #general, and learned, before the bot starts."""
    await copy_taught(tmp_path)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path, PARLEY_EXTERNAL="all") as team:
        team.model.script("Gently.", match=is_answer, times=0)
        yield team


async def overturned(team: Workspace, user: str, thread: str) -> str:
    """What somebody reads after they said that a refusal was wrong."""
    (reply,) = team.replies("#general", thread)
    before = len(team.slack.ephemerals(user))
    await team.slack.press(user, "#general", reply["ts"], SHOULD_ANSWER)
    await team.slack.until(lambda: len(team.slack.ephemerals(user)) > before)
    return str(team.slack.ephemerals(user)[-1]["text"])


@pytest.mark.usefixtures("taught")
async def test_a_members_message_teaches_and_whoever_says_so_is_told(team: Workspace, tmp_path: Path) -> None:
    _, thread = await said(team, CARD)
    assert await overturned(team, "bob", thread) == listeners.ASKED_TO_TEACH
    assert guard_blocks.TEACHES in str(team.slack.workspace.channels[team.slack.dm("alice")].messages)
    told = await overturned(team, "alice", thread)
    assert told.startswith(listeners.LEARNED.format(place=f"<#{team.slack.channel('#general')}>"))
    assert rows(tmp_path, "select text, source, origin from guard_examples") == [(CARD, "feedback", "slack")]


@pytest.mark.usefixtures("taught")
async def test_a_guests_message_is_answered_after_all_and_teaches_nothing(
    team: Workspace, tmp_path: Path
) -> None:
    team.slack.workspace.people[team.slack.user("bob")].guest = True
    refused, thread = await said(team, CARD)
    window = str((await why(team, "alice", thread, thread))["blocks"])
    assert guard_blocks.TEACHES_NOT in window and guard_blocks.TEACHES not in window
    told = await overturned(team, "alice", thread)
    assert told.startswith(listeners.NOT_LEARNED.format(place=f"<#{team.slack.channel('#general')}>"))
    assert await team.answer("#general", thread, count=2) == "Gently."
    await team.quiet()
    assert rows(tmp_path, "select label, origin from guard_verdicts order by id")[0] == (1, "external")
    assert rows(tmp_path, "select * from guard_examples") == []
    assert (await said(team, CARD, user="carol"))[0] == refused


async def test_what_is_said_where_another_company_reads_along_never_teaches(
    team: Workspace, tmp_path: Path
) -> None:
    few = "\n".join(kitchen().on[:6])
    await save(team, channel="#partners", purpose=PURPOSE, shadow="false", belongs=few)
    await team.quiet()
    thread = await team.ask(f"@parley {CHICKEN}", user="bob", channel="#partners")
    await team.answer("#partners", thread)
    await team.quiet()
    (reply,) = team.replies("#partners", thread)
    await team.slack.press("alice", "#partners", reply["ts"], FEEDBACK, value="positive")
    await team.slack.press("dana", "#partners", reply["ts"], FEEDBACK, value="positive")
    await until(lambda: len(rows(tmp_path, "select * from feedback")) == 2)
    await team.quiet()
    assert rows(tmp_path, "select distinct origin from guard_verdicts") == [("external",)]
    assert rows(tmp_path, "select * from guard_examples") == []


@pytest.mark.usefixtures("taught")
async def test_what_a_member_forwards_teaches_nothing(team: Workspace, tmp_path: Path) -> None:
    wrote = await team.slack.say("dana", "#partners", CHICKEN)
    await team.quiet()
    thread = await team.slack.forward("bob", "#partners", wrote, "#general", "@parley what about that?")
    assert await team.answer("#general", thread) == "Gently."
    (reply,) = team.replies("#general", thread)
    window = str((await why(team, "alice", thread, thread))["blocks"])
    assert guard_blocks.TEACHES_NOT in window and guard_blocks.TEACHES not in window
    for user in ("bob", "alice"):
        await team.slack.press(user, "#general", reply["ts"], FEEDBACK, value="positive")
    await until(lambda: len(rows(tmp_path, "select * from feedback")) == 2)
    await team.quiet()
    assert rows(tmp_path, "select origin from guard_verdicts") == [("quoted",)]
    assert rows(tmp_path, "select * from guard_examples") == []


@pytest.mark.usefixtures("taught")
async def test_a_good_answer_teaches_and_says_so(team: Workspace, tmp_path: Path) -> None:
    _, thread = await said(team, CHICKEN)
    (reply,) = team.replies("#general", thread)
    await team.slack.press("bob", "#general", reply["ts"], FEEDBACK, value="positive")
    await team.slack.until(lambda: team.slack.ephemerals("bob"))
    assert team.slack.ephemerals("bob")[-1]["text"] == GOOD_LEARNED
    assert rows(tmp_path, "select origin from guard_examples") == [("slack",)]


@pytest.mark.usefixtures("taught")
async def test_a_guests_thumb_decides_nothing(team: Workspace, tmp_path: Path) -> None:
    _, thread = await said(team, CHICKEN)
    (reply,) = team.replies("#general", thread)
    team.slack.workspace.people[team.slack.user("carol")].guest = True
    await team.slack.press("carol", "#general", reply["ts"], FEEDBACK, value="positive")
    await until(lambda: rows(tmp_path, "select * from feedback"))
    await team.quiet()
    assert rows(tmp_path, "select * from guard_examples") == []


@pytest.mark.usefixtures("taught")
async def test_while_slack_does_not_say_who_wrote_it_nothing_is_learned(
    team: Workspace, tmp_path: Path
) -> None:
    _, thread = await said(team, CHICKEN)
    (reply,) = team.replies("#general", thread)
    team.slack.faults.add("users.info", status=503, times=0)
    await team.slack.press("bob", "#general", reply["ts"], FEEDBACK, value="positive")
    await until(lambda: rows(tmp_path, "select * from feedback"))
    await team.quiet()
    assert rows(tmp_path, "select * from guard_examples") == []


async def test_the_settings_and_the_home_tab_say_that_it_is_learned(team: Workspace) -> None:
    assert LEARNS.split("*")[0] in str(await opened(team))
    await team.slack.open_home("carol")
    view = await team.slack.until(lambda: team.slack.home("carol"))
    assert "becomes an example by which I judge later ones" in str(view)


async def test_what_comes_from_outside_is_not_trained_on_though_it_stands_there(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:

        def write(tx: Any) -> None:
            for origin in ("slack", "file", "external", "search"):
                given = {"source": "feedback", "origin": origin, "now": 1.0}
                examples.add_example(tx, AT, f"from {origin}", True, **given)
            tx.run("update guard_examples set origin = 'external' where text = 'from file'")

        await engine.write(write)
        assert await engine.read(lambda tx: tx.all("select text from guard_examples order by id")) == [
            {"text": "from slack"},
            {"text": "from file"},
        ]
        for found in (
            await engine.read(examples.list_examples, AT),
            await engine.read(examples.list_taught, AT, limit=9),
        ):
            assert [row["text"] for row in found] == ["from slack"]


async def test_what_was_decided_about_a_message_is_of_its_words(tmp_path: Path) -> None:
    verdict = {
        "conversation": "T1:C1:1", "person": "U1", "message": "1", "text": "a tap drips", "on_topic": 0,
        "rung": "model", "probability": None, "threshold": None, "reason": "", "cost": 0, "action": "refuse",
        "shadow": 0, "version": None, "judged_at": 1.0, "covers": "", "origin": "external",
    }  # fmt: skip
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        id = await engine.write(verdicts.add_verdict, AT, verdict)
        assert await engine.read(verdicts.find_label_on, AT, "1", "a tap drips") is None
        await engine.write(verdicts.label_verdict, "T1", id, True, by="U2", now=2.0)
        assert await engine.read(verdicts.find_label_on, AT, "1", "a tap drips") is True
        assert await engine.read(verdicts.find_label_on, AT, "1", "write me a poem") is None, "edited since"
        assert await engine.read(verdicts.find_label_on, AT, "2", "a tap drips") is None
        assert await engine.read(examples.list_examples, AT) == []
