"""What people are told unasked: the one warning of a budget, and on Mondays what the week before cost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bot.reports import digest
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.costs import notices
from storage.costs import digests
from storage.place import Channel
from storage.unanswered import questions
from tests.support.spending import run_command, spend
from tests.support.workspace import MANIFEST, Workspace, started, workspace

# In the week that the last digest was about, whatever hour it is on a Monday.
A_WEEK_AGO_S = 7 * 86_400 + digest.HOUR * 3_600


def direct(team: Workspace, user: str) -> list[dict[str, Any]]:
    """What the bot wrote to somebody directly, oldest first."""
    place = team.slack.workspace.direct(team.slack.user(user))
    return [m for m in place.messages.values() if m.get("user") == team.slack.bot]


def warnings(team: Workspace, user: str) -> list[str]:
    return [m["text"] for m in direct(team, user) if "% used" in m["text"]]


async def settled(team: Workspace) -> None:
    """Until nothing is due any more."""
    costs = team.bot.services.costs
    for _ in range(400):
        if not await costs.budgets.due_warnings() and not await digest.due_readers(costs):
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("something is still due")


async def refused(team: Workspace, channel: str, *, at: float) -> None:
    """As if documents had not answered a question there."""
    where = Channel(team.slack.team, team.slack.channel(channel))
    await team.bot.services.engine.write(
        questions.add_question, where, "Who has the key?", "", person="U1", conversation="c", now=at
    )


async def overdue(team: Workspace, user: str) -> None:
    """As if somebody had asked for the digest weeks ago."""
    await run_command(team, user, "digest on")
    await team.bot.services.engine.write(
        digests.mark_sent, team.slack.team, team.slack.user(user), "2020-01-06"
    )


async def test_the_owner_of_a_budget_is_warned_once_when_its_mark_is_passed(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "budget channel 10 per month warn 50 owner @bob")
        await spend(team, "#general", "carol", 3)
        await settled(team)
        assert warnings(team, "bob") == []
        await spend(team, "#general", "carol", 1)
        (warning,) = await team.slack.until(lambda: warnings(team, "bob"))
        assert warning.startswith("The monthly channel budget of #general is 64% used: $6.40 of $10.00.")
        await spend(team, "#general", "carol", 1)
        await settled(team)
        assert len(warnings(team, "bob")) == 1
        assert not warnings(team, "alice")
        assert not warnings(team, "carol")


async def test_the_owner_of_a_budget_is_told_once_of_a_model_that_it_cannot_hold(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MODEL="rehearsal") as team:
        said = await run_command(team, "alice", "budget channel 10 per month owner @bob")
        assert "is set. It cannot hold what rehearsal costs: no price is known for that." in said["text"]

        def told(user: str) -> list[str]:
            return [m["text"] for m in direct(team, user) if "cannot hold" in m["text"]]

        for _ in range(2):
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            (sentence,) = await team.slack.until(lambda: told("bob"))
        assert sentence.startswith("Your budget for #general, monthly, cannot hold `rehearsal`: no price")
        assert not told("alice")
        shown = await run_command(team, "alice", "budget")
        assert "not counted, for want of a price: `rehearsal`" in str(shown["blocks"])


async def test_a_warning_does_not_name_a_private_channel_to_an_owner_who_is_not_in_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "budget each channel 10 per month")
        # by now the bot knows the channel's name
        await run_command(team, "bob", "usage by channel", channel="#leads")
        await team.slack.join("alice", "#leads", leave=True)
        await spend(team, "#leads", "bob", 6)
        (warning,) = await team.slack.until(lambda: warnings(team, "alice"))
        assert "of (private channels)" in warning
        assert "leads" not in warning


async def test_a_warning_to_somebody_who_is_gone_holds_nobody_up(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "budget workspace 2 per day owner @carol")
        await run_command(team, "alice", "budget channel 2 per day owner @bob")
        team.slack.workspace.people.pop(team.slack.user("carol"))
        await spend(team, "#general", "alice", 1)
        await team.slack.until(lambda: warnings(team, "bob"))


@pytest.mark.usefixtures("undrawn_charts")
async def test_last_week_is_told_once_to_those_who_asked_and_as_far_as_they_may_see(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        week_ago, fortnight_ago = (lambda n=n: time.time() - A_WEEK_AGO_S - n * 7 * 86_400 for n in (0, 1))
        await spend(team, "#general", "bob", 2, clock=week_ago)
        await spend(team, "#leads", "bob", 8, clock=week_ago)
        await spend(team, "#general", "bob", 1, clock=fortnight_ago)
        await run_command(team, "alice", "budget workspace 100 per month")
        for channel in ("#general", "#leads"):
            await refused(team, channel, at=week_ago())
        await overdue(team, "bob")
        await overdue(team, "carol")
        await team.slack.until(lambda: direct(team, "bob")[1:] and direct(team, "carol")[1:])
        for user, total, leads in (("bob", "$16.00", True), ("carol", "$3.20", False)):
            said, picture = direct(team, user)
            assert f"*{total}* for" in str(said["blocks"])
            assert "The week before: $1.60." in str(said["blocks"])
            assert ("#leads" in str(said["blocks"])) is leads
            assert f"1 question could not be answered in <#{team.slack.channel('#general')}>." in str(said)
            assert (f"answered in <#{team.slack.channel('#leads')}>" in str(said)) is leads
            assert picture["files"][0]["name"] == "week.png"
        await settled(team)
        assert [len(direct(team, user)) for user in ("alice", "bob", "carol")] == [0, 2, 2]


async def test_who_does_not_want_the_digest_any_more_gets_none(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "bob", "digest on")
        await settled(team)
        assert direct(team, "bob") == []  # the running week is told next Monday
        await run_command(team, "bob", "digest off")
        await team.bot.services.engine.write(
            digests.mark_sent, team.slack.team, team.slack.user("bob"), "2020"
        )
        await settled(team)
        assert direct(team, "bob") == []


async def test_what_slack_would_not_take_is_said_after_the_next_start(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            await run_command(team, "alice", "budget workspace 2 per day")
            slack.faults.add("conversations.open", status=503, times=1000)
            await spend(team, "#general", "bob", 1)
            await slack.until(lambda: [r for r in slack.requests if r.status == 503])
            assert await team.bot.services.costs.budgets.due_warnings()
        slack.faults.clear()
        async with started(slack, model, tmp_path) as team:
            await slack.until(lambda: warnings(team, "alice"))


async def test_a_warning_whose_answer_from_slack_was_lost_is_not_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAUSE_S", 0.1)
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "budget workspace 2 per day")
        team.slack.faults.add("chat.postMessage", lose_response=True)
        await spend(team, "#general", "bob", 1)
        await settled(team)
        assert len(warnings(team, "alice")) == 1


async def test_a_warning_comes_where_slack_does_not_show_whether_it_was_given_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAUSE_S", 0.1)
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "budget workspace 2 per day")
        team.slack.faults.add("conversations.history", error="missing_scope", times=0)
        team.slack.faults.add("chat.postMessage", status=500)
        await spend(team, "#general", "bob", 1)
        await settled(team)
        assert warnings(team, "alice")


@pytest.mark.usefixtures("undrawn_charts")
async def test_a_digest_comes_where_slack_does_not_show_whether_it_was_given_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAUSE_S", 0.1)
    async with workspace(tmp_path) as team:
        await spend(team, "#general", "bob", 2, clock=lambda: time.time() - A_WEEK_AGO_S)
        team.slack.faults.add("conversations.history", error="missing_scope", times=0)
        team.slack.faults.add("chat.postMessage", status=500)
        await overdue(team, "bob")
        await settled(team)
        assert "blocks" in direct(team, "bob")[0]


@pytest.mark.usefixtures("undrawn_charts")
async def test_a_digest_whose_picture_slack_refuses_is_given_once_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "PAUSE_S", 0.1)
    async with workspace(tmp_path) as team:
        await spend(team, "#leads", "bob", 2, clock=lambda: time.time() - A_WEEK_AGO_S)
        team.slack.faults.add("files.completeUploadExternal", error="missing_scope", times=0)
        await overdue(team, "bob")
        await overdue(team, "carol")
        await team.slack.until(lambda: direct(team, "carol"))
        await settled(team)
        assert [len(direct(team, user)) for user in ("bob", "carol")] == [1, 1]


async def test_a_process_that_ends_before_it_noted_a_warning_does_not_say_it_again(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            await run_command(team, "alice", "budget workspace 2 per day")
            slack.faults.add("chat.postMessage", lose_response=True)
            await spend(team, "#general", "bob", 1)
            await slack.until(lambda: warnings(team, "alice"))
        async with started(slack, model, tmp_path) as team:
            await settled(team)
            assert len(warnings(team, "alice")) == 1


@pytest.mark.usefixtures("undrawn_charts")
@pytest.mark.parametrize("lost", ["chat.postMessage", "files.completeUploadExternal"])
async def test_a_digest_of_which_slack_took_a_part_is_completed_and_nothing_of_it_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(notices, "PAUSE_S", 0.1)
    async with workspace(tmp_path) as team:
        await spend(team, "#general", "bob", 2, clock=lambda: time.time() - A_WEEK_AGO_S)
        team.slack.faults.add(lost, lose_response=True)
        await overdue(team, "bob")
        await team.slack.until(lambda: direct(team, "bob")[1:])
        await settled(team)
        said, picture = direct(team, "bob")
        assert "blocks" in said
        assert picture["files"][0]["name"] == "week.png"
