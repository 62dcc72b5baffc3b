"""Invited into a channel: one note to whoever did it, that says what holds there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.channel.options import ANSWERS
from bot.sandbox.slack.delivery import events
from bot.welcome.disclosures import SENTENCE
from handlers.welcome import note
from handlers.welcome.delivery import METADATA
from storage.place import Channel
from tests.support.guarded_channel import filled, save
from tests.support.rows import rows
from tests.support.spending import run_command, spend
from tests.support.waiting import until
from tests.support.workspace import Workspace, workspace

PLACE = "#office"
CHANNEL = "C0OFFICE01"
INVITED = "select person, occasion, channel from disclosures where occasion = 'invitation'"


def open_channel(team: Workspace, *members: str, kind: str = "channel") -> None:
    """A channel that the bot is not in."""
    people = [team.slack.user(name) for name in members or ("alice", "bob", "carol")]
    team.slack.workspace.add_channel(CHANNEL, "office", *people, kind=kind, purpose="Where we work")


def notes(team: Workspace, user: str = "alice") -> list[dict[str, Any]]:
    """The notes in somebody's direct messages with the app."""
    direct = team.slack.workspace.direct(team.slack.user(user))
    return [m for m in direct.messages.values() if (m.get("metadata") or {}).get("event_type") == METADATA]


async def invited(team: Workspace, user: str = "alice", place: str = PLACE) -> str:
    """Somebody invites the bot; the note they get, all that is in it."""
    before = len(notes(team, user))
    await team.slack.invite(user, place)
    await team.slack.until(lambda: len(notes(team, user)) > before)
    await team.quiet()
    (shown,) = notes(team, user)[before:]
    return shown_in(shown)


def shown_in(message: dict[str, Any]) -> str:
    """What a person reads, of which a screen reader reads the same."""
    read = "\n\n".join(block["text"]["text"] for block in message["blocks"] if block["type"] == "section")
    assert message["text"] == read
    return read


async def test_whoever_invites_it_is_told_what_holds_there(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        said = await invited(team)
        assert f"You invited me into <#{CHANNEL}>." in said
        assert SENTENCE in said
        assert note.ANSWERS["threads"] in said
        assert note.NOTHING_ELSE in said
        assert note.CLIPS["threads"] in said
        assert note.NO_BUDGET in said
        assert said.count(f"• <@{team.slack.bot}>") == 2
        assert "#office" in said, "an example fits the channel"
        assert notes(team, "bob") == [], "nobody else is told"
        assert not team.slack.workspace.channels[CHANNEL].messages, "nothing is written into the channel"
        alice = team.slack.user("alice")
        assert rows(tmp_path, INVITED) == [(alice, "invitation", team.slack.dm("alice"))]


async def test_in_a_private_channel_it_is_the_same(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team, "bob", kind="group")
        assert SENTENCE in await invited(team, "bob")


async def test_its_button_opens_the_settings_of_that_channel(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await invited(team)
        (shown,) = notes(team)
        await team.slack.press("alice", "@parley", shown["ts"], note.OPEN_SETTINGS)
        assert f"<#{CHANNEL}>" in str(await filled(team))


async def test_who_may_not_change_the_settings_is_told_so_by_the_button(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await invited(team, "bob")
        (shown,) = notes(team, "bob")
        await team.slack.press("bob", "@parley", shown["ts"], note.OPEN_SETTINGS)
        assert "not yours to do" in str(await filled(team, "bob"))


@pytest.mark.parametrize("times", [1, 3])
async def test_however_often_slack_delivers_it_there_is_one_note(tmp_path: Path, times: int) -> None:
    async with workspace(tmp_path, slack={"ack_deadline_s": 0.2, "retry_delays_s": (0.1, 0.1)}) as team:
        open_channel(team)
        team.slack.faults.deliver("member_joined_channel", copies=times, lose_acks=times)
        await invited(team)
        await team.slack.until(lambda: all(delivery.over for delivery in team.slack.deliveries))
        await team.quiet()
        assert len(notes(team)) == 1


async def test_invited_again_after_it_was_removed_there_is_another_note(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await invited(team)
        await team.slack.join("parley", PLACE, leave=True)
        await invited(team)
        assert len(notes(team)) == 2


async def test_where_an_answer_of_slacks_was_lost_the_note_is_looked_for_first(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        team.slack.faults.add("chat.postMessage", lose_response=True)
        await team.slack.invite("alice", PLACE)
        await until(lambda: bool(rows(tmp_path, INVITED)))
        assert len(notes(team)) == 1


async def test_while_slack_is_away_the_note_waits(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        team.slack.faults.add("*", status=503, times=3)
        assert SENTENCE in await invited(team)


async def test_where_direct_messages_are_refused_it_is_for_their_eyes_in_the_channel(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        team.slack.faults.add("conversations.open", error="user_disabled", times=0)
        await team.slack.invite("alice", PLACE)
        (shown,) = await team.slack.until(lambda: team.slack.ephemerals("alice"))
        assert SENTENCE in shown_in(shown)
        assert shown["channel"] == CHANNEL
        await until(lambda: bool(rows(tmp_path, INVITED)))
        assert rows(tmp_path, INVITED)[0][2] == CHANNEL
        await team.slack.press("alice", PLACE, shown["ts"], note.OPEN_SETTINGS)
        assert f"<#{CHANNEL}>" in str(await filled(team))


async def test_where_nothing_can_be_said_the_invitation_is_closed_and_nobody_counts_as_told(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        for method in ("conversations.open", "chat.postEphemeral"):
            team.slack.faults.add(method, error="user_disabled", times=0)
        await team.slack.invite("alice", PLACE)
        await until(lambda: rows(tmp_path, "select state from inbox") == [("done",)])
        assert rows(tmp_path, INVITED) == []


async def test_who_joins_beside_it_and_what_has_no_inviter_is_passed_over(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.slack.join("dana", "#general")
        await team.slack.invite("alice", "#finance", "bob")
        open_channel(team)
        await team.slack.join("parley", PLACE)
        await team.quiet()
        assert rows(tmp_path, "select key from inbox") == []
        assert notes(team) == []


async def test_an_invitation_of_a_shape_that_slack_does_not_send_is_refused(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack={"ack_deadline_s": 0.5, "retry_delays_s": ()}) as team:
        ws = team.slack.workspace
        place = ws.channels[team.slack.channel("#general")]
        event = events.member("member_joined_channel", ws, ws.bot, place, ws.ts(), inviter=ws.bot)
        for wrong in ({"channel": None}, {"inviter": ["U1"]}, {"event_ts": "soon"}, {"event_ts": [1]}):
            ws.emit("member_joined_channel", event | wrong)
        await team.slack.until(lambda: all(delivery.over for delivery in team.slack.deliveries))
        assert rows(tmp_path, "select key from inbox") == []
        open_channel(team)
        assert SENTENCE in await invited(team)


# Where it does not work, and where others read along


async def test_where_it_does_not_work_that_is_all_it_says(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_CHANNELS="C0SUPPORT1") as team:
        open_channel(team)
        assert await invited(team) == note.NOT_HERE.format(place=f"<#{CHANNEL}>")
        assert [block["type"] for block in notes(team)[0]["blocks"]] == ["section"]
        assert rows(tmp_path, INVITED) == []


async def test_where_it_works_the_note_is_whole(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_CHANNELS=f"C0SUPPORT1, {CHANNEL}") as team:
        open_channel(team)
        assert SENTENCE in await invited(team)


@pytest.mark.parametrize(
    ("external", "told"),
    [
        ("alone", [SENTENCE, note.SHARED["alone"], note.READS_ALONE["threads"]]),
        ("all", [SENTENCE, note.SHARED["all"], note.CLIPS["threads"]]),
        ("refuse", [note.NOT_SHARED.format(place=f"<#{CHANNEL}>")]),
    ],
)
async def test_in_a_shared_channel_it_says_what_holds_there(
    tmp_path: Path, external: str, told: list[str]
) -> None:
    async with workspace(tmp_path, PARLEY_EXTERNAL=external) as team:
        open_channel(team, "alice", "dana")
        team.slack.workspace.channels[CHANNEL].shared_with = team.slack.workspace.partner
        said = await invited(team)
        assert all(sentence in said for sentence in told)
        assert (SENTENCE in said) is (external != "refuse")
        assert note.READS_ALONE["threads"] not in said or external == "alone"


async def test_a_channel_of_ones_own_says_nothing_of_other_companies(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        assert "company" not in await invited(team)


# What is set for the channel


async def test_the_budget_that_holds_there_is_named_with_what_is_used_of_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await run_command(team, "alice", "budget channel 20 per month", PLACE)
        await run_command(team, "alice", "budget workspace 500 per month")
        await spend(team, CHANNEL, "alice", 1)
        said = await invited(team)
        assert "$20.00 a month, of which $1.60 is used." in said
        assert note.IN_WORKSPACE in said
        assert "500" not in said, "what the workspace may spend is not for everybody"
        assert note.NO_BUDGET not in said


async def test_a_budget_for_each_channel_holds_unless_the_channel_has_its_own(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await run_command(team, "alice", "budget each channel 7 per week")
        assert "$7.00 a week, of which $0.00 is used." in await invited(team)
        await run_command(team, "alice", "budget channel 9 per week", PLACE)
        await team.slack.join("parley", PLACE, leave=True)
        said = await invited(team)
        assert "$9.00 a week" in said
        assert "$7.00" not in said


async def test_a_guard_in_force_gives_purpose_and_examples_and_one_that_only_watches_does_not(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        examples = "How do I boil <eggs>?\nWhat is a roux?\nWhere is the salt?"
        await save(team, channel=PLACE, purpose="cooking & recipes.", shadow="true", belongs=examples)
        assert "cooking" not in await invited(team)
        await save(team, channel=PLACE, shadow="false")
        await team.slack.join("parley", PLACE, leave=True)
        said = await invited(team)
        assert f"cooking &amp; recipes. {note.GUARDED['refuse']}" in said
        assert "How do I boil &lt;eggs&gt;?" in said
        assert "What is a roux?" in said
        assert "Where is the salt?" not in said


async def test_clips_are_described_as_the_channel_has_them(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_VOICE_LISTEN="every") as team:
        open_channel(team)
        assert note.CLIPS["every"] in await invited(team)
        await save(team, channel=PLACE, listen="mentioned")
        await team.slack.join("parley", PLACE, leave=True)
        assert note.CLIPS["mentioned"] in await invited(team)


@pytest.mark.parametrize("answers", ["mentions", "every"])
async def test_when_it_answers_and_what_it_reads_for_that_is_as_the_channel_wants_it(
    tmp_path: Path, answers: str
) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        at = Channel(team.slack.team, CHANNEL)
        await team.bot.services.preferences.save(at, {ANSWERS: answers}, by=team.slack.user("alice"))
        said = await invited(team)
        assert f"*When I answer*\n{note.ANSWERS[answers]}" in said
        assert f"*What I read*\n{note.READS[answers]}" in said
        assert (note.NOTHING_ELSE in said) is (answers != "every")


async def test_a_group_conversation_is_called_one(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team, kind="mpim")
        said = await invited(team)
        assert f"You invited me into {note.GROUP}." in said
        assert "#office" not in said


async def test_the_note_is_no_first_answer(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await invited(team)
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        assert SENTENCE in str(reply["blocks"])


async def test_what_is_asked_under_the_note_is_answered_there(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        open_channel(team)
        await invited(team)
        (shown,) = notes(team)
        await team.ask("what else?", channel="@parley", thread=shown["ts"])
        assert await team.answer(team.slack.dm("alice"), shown["ts"])
