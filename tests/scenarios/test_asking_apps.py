"""Apps, bots and workflows that the operator named may ask; all others never, and none of them for ever."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.asking_apps import TOO_MANY
from storage.engine import Tx
from tests.support.workspace import Workspace, workspace

ZAPBOT = "U0ZAPBOT01"
BY_ANY_ID = ["A0ZAPBOT01", "B0ZAPBOT01", "U0ZAPBOT01", " a0zapbot01 , A0OTHER"]


async def left_alone(team: Workspace, *, requests: int = 0) -> None:
    await team.quiet()
    assert len(team.model.requests) == requests


@pytest.mark.parametrize("named", BY_ANY_ID)
async def test_a_named_apps_post_that_mentions_us_is_answered_in_its_thread(
    tmp_path: Path, named: str
) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS=named) as team:
        team.model.script("Because the disk is full.")
        thread = await team.ask("@parley why did build 7 fail?", user="zapbot")
        assert await team.answer("#general", thread) == "Because the disk is full."
        await team.quiet()
        assert len(team.model.requests) == 1, "app_mention and message are one question"
        assert question(team).startswith("why did build 7 fail?")
        assert "Asked by: zapbot" in team.model.requests[-1].prompt


async def test_without_the_setting_no_app_asks(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.ask("@parley why did build 7 fail?", user="zapbot")
        await team.slack.alert("alice", "#general", question="@parley why?")
        await team.slack.run_workflow("alice", "#general", "@parley sum up the day")
        await left_alone(team)


async def test_an_app_that_is_not_named_does_not_ask_beside_one_that_is(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0GRAFANA") as team:
        await team.ask("@parley why did build 7 fail?", user="zapbot")
        await left_alone(team)


async def test_an_alert_that_mentions_us_is_asked_with_all_that_stands_on_its_card(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0GRAFANA") as team:
        thread = await team.slack.alert("alice", "#general", question="@parley why?")
        await team.answer("#general", thread)
        asked = question(team)
        assert asked.startswith("why?")
        assert "Empty /var/cache first" in asked
        await left_alone(team, requests=1)
        await team.slack.alert("alice", "#general")
        await left_alone(team, requests=1)


@pytest.mark.parametrize("named", ["A0STANDUP", "B0STANDUP1"])
async def test_a_workflow_without_a_user_asks_and_is_accounted_for_by_its_bot(
    tmp_path: Path, named: str
) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS=named) as team:
        thread = await team.slack.run_workflow("alice", "#general", "@parley sum up the day")
        await team.answer("#general", thread)
        await team.quiet()
        rows = await team.bot.services.engine.read(read_ledger)
        assert [(row["person"], row["kind"]) for row in rows] == [("B0STANDUP1", "answer")]
        assert "Asked by: Standup" in team.model.requests[-1].prompt


async def test_what_a_named_app_says_without_a_mention_is_never_a_question(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0ZAPBOT01", PARLEY_ANSWERS="every") as team:
        thread = await team.ask("@parley hello", user="zapbot")
        await team.answer("#general", thread)
        await team.ask("I disagree. Are you sure?", user="zapbot", thread=thread)
        await team.ask("anybody here?", user="zapbot")
        await team.ask("`@parley` is only named in code", user="zapbot")
        await left_alone(team, requests=1)
        await team.ask("@parley what did it say?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert "I disagree" in team.model.requests[-1].prompt


@pytest.mark.parametrize(
    "card",
    [
        {"attachments": [{"id": 1, "text": "<@{bot}> is the build well?", "fallback": "build"}]},
        {"attachments": [{"id": 1, "fields": [{"title": "Ask", "value": "<@{bot}> is the build well?"}]}]},
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "<@{bot}> is the build well?"}}]},
    ],
)
async def test_a_mention_on_an_apps_own_card_counts(tmp_path: Path, card: dict[str, Any]) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0ZAPBOT01") as team:
        thread = await team.slack.say("zapbot", "#general", "", more=filled(card, team.slack.bot))
        await team.answer("#general", thread)
        assert "is the build well?" in question(team)


async def test_a_mention_in_what_an_app_passes_on_is_none(tmp_path: Path) -> None:
    shared = {"attachments": [{"id": 1, "is_share": True, "author_name": "bob", "text": "<@{bot}> why?"}]}
    code = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "`<@{bot}>` crashed"}}]}
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0ZAPBOT01") as team:
        await team.slack.say("zapbot", "#general", "", more=filled(shared, team.slack.bot))
        await team.slack.say("zapbot", "#general", "", more=filled(code, team.slack.bot))
        await left_alone(team)


async def test_two_bots_do_not_talk_to_each_other_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    settings = {"PARLEY_ASKING_APPS": "A0ZAPBOT01,A0STANDUP", "PARLEY_ASKING_APPS_LIMIT": "3"}
    async with workspace(tmp_path, **settings) as team:
        thread = await team.ask("@parley one", user="zapbot")
        for count, words in enumerate(("two", "three", "four", "five"), start=1):
            await team.answer("#general", thread, count=count)
            await team.ask(f"@parley {words}", user="zapbot", thread=thread)
        await team.ask("@parley and six", user="zapbot")
        await team.quiet()
        assert len(team.model.requests) == 3
        assert len(team.replies("#general", thread)) == 4
        assert team.said("#general", thread)[-1] == TOO_MANY.format(limit=3)
        assert len([record for record in caplog.records if "asked" in record.getMessage()]) == 1
        other = await team.slack.run_workflow("alice", "#general", "@parley and I?")
        await team.answer("#general", other)
        await team.ask("@parley what did it want?", thread=thread)
        await team.answer("#general", thread, count=5)


async def test_our_own_posts_ask_nothing_however_the_operator_names_us(tmp_path: Path) -> None:
    named = "A0PARLEY01,B0PARLEY01,U0PARLEY01"
    async with workspace(tmp_path, PARLEY_ASKING_APPS=named) as team:
        more = {"bot_id": "B0PARLEY01", "app_id": "A0PARLEY01", "subtype": "bot_message", "user": ""}
        await team.slack.say("zapbot", "#general", "@parley hello", more=more)
        await left_alone(team)


async def test_an_edit_of_an_app_that_is_being_answered_asks_nothing_anew(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0ZAPBOT01") as team:
        team.model.script("four " * 40, tokens_per_s=30)
        thread = await team.ask("@parley two plus two", user="zapbot")
        await team.slack.until(lambda: team.model.requests)
        for words in ("three plus three", "four plus four"):
            await team.slack.edit("zapbot", "#general", thread, f"@parley {words}")
        await team.answer("#general", thread)
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1


async def test_an_app_is_not_called_by_the_answer_that_it_gets(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0ZAPBOT01") as team:
        team.model.script(f"Ask again, <@{ZAPBOT}>.")
        thread = await team.ask("@parley hello", user="zapbot")
        assert ZAPBOT not in await team.answer("#general", thread)


async def test_what_an_app_asked_is_forgotten_and_exported_by_its_id(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0STANDUP") as team:
        thread = await team.slack.run_workflow("alice", "#general", "@parley sum up the day")
        await team.answer("#general", thread)
        await team.quiet()
        forgetting, who = team.bot.services.forgetting, (team.slack.team, "B0STANDUP1")
        assert b"sum up the day" in await forgetting.export_person(*who)
        await forgetting.forget_person(*who)
        assert b"sum up the day" not in await forgetting.export_person(*who)


def question(team: Workspace) -> str:
    """The last message of the last request."""
    content: str = team.model.requests[-1].body["messages"][-1]["content"]
    return content


def read_ledger(tx: Tx) -> list[dict[str, Any]]:
    return tx.all("select person, kind from ledger order by id")


def filled(shape: Any, bot: str) -> Any:
    """The shape with the bot's id in its texts."""
    if isinstance(shape, dict):
        return {name: filled(value, bot) for name, value in shape.items()}
    if isinstance(shape, list):
        return [filled(value, bot) for value in shape]
    return shape.replace("{bot}", bot) if isinstance(shape, str) else shape
