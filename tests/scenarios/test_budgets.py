"""Budgets as people in Slack meet them: set in words, warned of, used up, raised; and who may do what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot.core.calendar import next_first_day
from bot.costs.budgets import Standing
from tests.support.roles import PEOPLE, furnish
from tests.support.spending import run_command, spend
from tests.support.workspace import Workspace, workspace

USED_UP = "budget is used up. It starts again on "


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(
        tmp_path, PARLEY_SMALL_MODEL="gpt-4.1-nano", PARLEY_TIME_ZONE="Europe/Berlin"
    ) as team:
        yield team


async def standings(team: Workspace) -> list[Standing]:
    return await team.bot.services.costs.budgets.standings(team.slack.team)


async def answered(team: Workspace, text: str = "@parley hello", **who: str) -> str:
    thread = await team.ask(text, **who)
    return await team.answer(who.get("channel", "#general"), thread)


@pytest.mark.both_engines
async def test_a_used_up_budget_is_said_to_the_asker_with_the_day_it_starts_again(team: Workspace) -> None:
    await run_command(team, "alice", "budget channel 2 per month")
    await spend(team, "#general", "bob", 1)
    assert "$1.60 of $2.00" in str((await run_command(team, "bob", "budget"))["blocks"])
    await spend(team, "#general", "bob", 0)
    await run_command(team, "alice", "budget channel 1.60 per month")
    asked = len(team.model.requests)
    said = await answered(team, user="bob")
    again = next_first_day(team.bot.services.calendar.today().replace(day=1), "month")
    assert said == (
        f"The monthly channel {USED_UP}{again:%A}, {again.day} {again:%B} (Europe/Berlin); "
        "an admin can raise it before."
    )
    assert len(team.model.requests) == asked  # nothing was asked of the model
    assert "used up" not in await answered(team, channel="#support")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("workspace 0 per week", "weekly workspace"),
        ("person @bob 0 per day", "daily personal"),
        ("each person 0 per day", "daily personal"),
        ("model gpt-4.1-mini 0 per day", "daily gpt-4.1-mini"),
        ("kind answer 0 per month", "monthly answer"),
    ],
)
async def test_every_scope_stops_what_it_covers(team: Workspace, words: str, named: str) -> None:
    assert "is set" in (await run_command(team, "alice", f"budget {words}"))["text"]
    assert (await answered(team, user="bob")).startswith(f"The {named} {USED_UP}")


async def test_from_80_percent_on_the_smaller_model_answers_where_the_owner_wants_it(team: Workspace) -> None:
    await run_command(team, "alice", "budget channel 2 per month degrade")
    await answered(team)
    await spend(team, "#general", "bob", 1)
    await answered(team)
    assert [request.model for request in team.model.requests] == ["gpt-4.1-mini", "gpt-4.1-nano"]


async def test_without_a_smaller_model_a_budget_cannot_ask_for_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        said = await run_command(team, "alice", "budget channel 2 per month degrade")
        assert "PARLEY_SMALL_MODEL" in said["text"]
        assert await standings(team) == []


async def test_an_admin_raises_a_budget_for_a_while_in_their_own_name(team: Workspace) -> None:
    await run_command(team, "alice", "budget channel 0 per month")
    assert USED_UP in await answered(team, user="bob")
    raised = await run_command(team, "alice", "budget raise 1 to 5 for 2 days because of the launch")
    assert "Budget 1 is raised until" in raised["text"]
    assert "(raised from $0.00)" in str(raised["blocks"])
    assert USED_UP not in await answered(team, user="bob")
    log = str((await run_command(team, "alice", "budget log"))["blocks"])
    assert f"<@{team.slack.user('alice')}> raised #general, monthly, to $5.00 until" in log
    assert "because of the launch" in log


async def test_the_list_of_changes_does_not_name_private_channels_to_outsiders(team: Workspace) -> None:
    await run_command(team, "alice", "budget channel 5 per day", channel="#leads")
    assert "#leads" in str((await run_command(team, "alice", "budget log"))["blocks"])
    await team.slack.join("alice", "#leads", leave=True)
    assert "leads" not in str((await run_command(team, "alice", "budget log"))["blocks"])
    assert "leads" not in str((await run_command(team, "alice", "budget"))["blocks"])


@pytest.mark.both_engines
async def test_a_hundred_questions_at_once_stay_below_the_cap(team: Workspace) -> None:
    await run_command(team, "alice", "budget channel 0.05 per day")
    team.model.script("An answer.", times=0, first_token_s=0.5)  # so that all are under way at once
    threads = [await team.ask(f"@parley question {n}", user="bob") for n in range(100)]
    said = [await team.answer("#general", thread) for thread in threads]
    await team.quiet()
    (standing,) = await standings(team)
    refused = sum("of the daily channel budget" in one or USED_UP in one for one in said)
    assert 0 < refused < 100
    assert len(team.model.requests) == 100 - refused
    assert (standing.reserved_usd, 0 < standing.spent_usd <= Decimal("0.05")) == (0, True)


# Who may do what

MAY = {
    "budget channel 1 per day": ("admin", "owner"),
    "budget channel 9 per month": ("admin",),  # more than the admin's cap
    "budget workspace 100 per month": ("admin",),
    "budget person @carol 1 per day": ("admin",),
    "budget kind image 1 per day": ("admin",),
    "budget raise 1 to 50 for 3 days": ("admin",),
    "budget remove 1": ("admin",),
    "budget log": ("admin",),
    "owner @carol": ("admin",),
}


@pytest.mark.parametrize("place", ["#general", "direct messages"])
@pytest.mark.parametrize("words", MAY)
async def test_each_order_is_carried_out_for_those_who_may_give_it_and_nobody_else(
    team: Workspace, words: str, place: str
) -> None:
    await furnish(team)
    await run_command(team, "alice", "budget channel 5 per month")
    allowed = MAY[words] if place == "#general" else ("admin",)
    if words.startswith("owner") and place != "#general":
        allowed = ()  # direct messages have no other owner
    for role in reversed(PEOPLE):
        where = place if place == "#general" else team.slack.dm(PEOPLE[role])
        before = await state(team)
        said = str(await run_command(team, PEOPLE[role], words, channel=where))
        assert ("not yours to do" in said or "Try: `owner`" in said) is (role not in allowed), (role, said)
        assert (await state(team) == before) is (role not in allowed or words == "budget log"), role


async def state(team: Workspace) -> object:
    costs = team.bot.services.costs
    general = team.slack.channel("#general")
    return (
        [(s.budget, s.cap_now_usd) for s in await standings(team)],
        list(await costs.owners(team.slack.team, general)),
        len(await costs.budgets.changes(team.slack.team, limit=100)),
    )


async def test_a_right_that_was_taken_away_is_gone_at_once(team: Workspace) -> None:
    assert "is set" in (await run_command(team, "alice", "budget workspace 5 per day"))["text"]
    team.slack.workspace.people[team.slack.user("alice")].admin = False
    assert "not yours" in (await run_command(team, "alice", "budget workspace 6 per day"))["text"]
