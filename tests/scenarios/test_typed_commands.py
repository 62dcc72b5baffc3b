"""/parley as people type it: what is understood, and what is said where it is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from handlers import commands
from handlers.channel.form import describe_retention
from handlers.commands import split_command
from tests.support.commands import parley
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


async def said(team: Workspace, words: str, user: str = "alice") -> str:
    return str((await run_command(team, user, words))["text"])


async def budgets(team: Workspace) -> list[tuple[str, str, str, Decimal]]:
    found = await team.bot.services.costs.budgets.standings(team.slack.team)
    return [(s.budget.scope, s.budget.target, s.budget.period, s.cap_now_usd) for s in found]


# The word


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "usage",
            "Usage",
            "USAGE.",
            "usage?",
            "“usage”",
            "`usage`",
            "ｕｓａｇｅ",
            "\u00a0usage\u202f",
            "\u200busage\ufeff",
        ),
        *(
            "/parley usage",
            "parley usage",
            "/parley /parley Usage",
            "@parley usage",
            "<@U0PARLEY01> usage",
            "/usage",
        ),
        *("usage\n", "us\u00adage", "\u2066usage\u2069"),
    ],
)
async def test_a_command_is_known_however_it_is_typed(team: Workspace, typed: str) -> None:
    assert "This month in this channel" in await parley(team, typed)


def test_what_comes_after_the_word_is_left_as_it_was_typed() -> None:
    assert split_command("estimate\u00a0How “much”\n is <#C1|fish> &amp; chips?", "U1") == (
        "estimate",
        "How “much”\n is <#C1> & chips?",
    )
    assert split_command("  ", "U1") == split_command("/parley", "U1") == ("help", "")
    assert split_command("usage:\nweek", "U1") == ("usage", "week")


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [("usge", "usage"), ("Settigns", "settings"), ("budgets", "budget"), ("forgetall", "forget")],
)
async def test_an_unknown_word_is_said_with_the_nearest_command(
    team: Workspace, typed: str, nearest: str
) -> None:
    shown = await parley(team, typed)
    assert f"Did you mean `/parley {nearest}`?" in shown
    assert "I did not understand" in shown


@pytest.mark.parametrize("typed", ["estimate", "digest", "estimate\u00a0"])
async def test_a_command_that_needs_more_words_says_which(team: Workspace, typed: str) -> None:
    assert "There is something missing. Try: `" in await said(team, typed)


async def test_a_question_put_to_the_command_is_told_where_to_ask(team: Workspace) -> None:
    shown = await parley(team, "hello, what's the weather like tomorrow")
    assert commands.ASK_ELSEWHERE in shown
    assert all(f"/parley {name}" in shown for name in commands.HELP)


async def test_help_for_one_command_shows_its_lines(team: Workspace) -> None:
    shown = await parley(team, "help Forget")
    assert "/parley forget all" in shown
    assert "/parley usage" not in shown
    shown = await parley(team, "help budgt")
    assert "Did you mean `/parley budget`?" in shown


# Words that nobody knows


@pytest.mark.parametrize(
    ("typed", "unknown"),
    [
        ("usage lats month", "lats month"),
        ("usage month by mood", "by mood"),
        ("usage week month", "month"),
        ("settings please", "please"),
        ("export everything", "everything"),
        ("digest on friday", "on friday"),
        ("owner @bob @carol", "@bob @carol"),
        ("keep 7 days or so", "7 days or so"),
        ("budget channel 20 per month sometimes", "sometimes"),
        ("budget show", "show"),
    ],
)
async def test_words_that_a_command_does_not_know_are_said_and_nothing_is_done(
    team: Workspace, typed: str, unknown: str
) -> None:
    typed = typed.replace("@bob", "<@U0BOB00001>").replace("@carol", "<@U0CAROL001>")
    unknown = unknown.replace("@bob", "<@U0BOB00001>").replace("@carol", "<@U0CAROL001>")
    assert f"I did not understand “{unknown}”" in await said(team, typed)
    assert await budgets(team) == []
    assert not team.slack.modals("alice")


@pytest.mark.parametrize("typed", ["forget bob", "forget thread please", "forget @bob", "forget al"])
async def test_what_is_to_be_forgotten_is_asked_when_it_is_not_understood(
    team: Workspace, typed: str
) -> None:
    shown = await parley(team, typed)
    assert "I did not understand" in shown
    assert commands.FORGET_HINT in shown


# Names


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "budget person @nobody 5 per day",
            "budget person bob 5 per day",
            "budget channel #nowhere 5 per day",
        ),
        *(
            "budget channel general 5 per day",
            "budget person @everyone 5 per day",
            "budget person @here 5 per day",
        ),
        *("owner @nobody", "owner bob", "owner remove @nobody", "owner <!subteam^S1|@devs>"),
        *("budget workspace 5 per day owner @nobody", "budget each person @nobody 5 per day"),
        "budget person &lt;@bob&gt; 5 per day",
    ],
)
async def test_a_name_that_slack_did_not_resolve_is_refused(team: Workspace, typed: str) -> None:
    shown = await said(team, typed)
    assert "pick it from the list" in shown or "I did not understand" in shown
    assert await budgets(team) == []
    general = team.slack.channel("#general")
    assert list(await team.bot.services.costs.owners(team.slack.team, general)) == []


async def test_a_name_that_slack_resolved_is_taken(team: Workspace) -> None:
    bob, support = team.slack.user("bob"), team.slack.channel("#support")
    await said(team, "budget person @bob 5 per day")
    await said(team, f"budget channel <#{support}|support> 6$ a week")
    assert await budgets(team) == [
        ("person", bob, "day", Decimal(5)),
        ("channel", support, "week", Decimal(6)),
    ]
    assert f"<@{bob}>" in await said(team, f"owner <@{bob}|bob>")


# Models


@pytest.mark.parametrize(
    ("typed", "nearest"), [("gpt-4.1-mni", "gpt-4.1-mini"), ("gpt4o", "gpt-4o"), ("bananas", "gpt-4.1-mini")]
)
async def test_a_model_nobody_knows_is_refused_with_the_nearest_names(
    team: Workspace, typed: str, nearest: str
) -> None:
    shown = await said(team, f"budget model {typed} 5 per day")
    assert f"I did not understand “{typed}”" in shown
    assert f"`{nearest}`" in shown
    assert await budgets(team) == []


@pytest.mark.parametrize("typed", ["gpt-4.1-mini", "GPT-4.1-Mini", "“gpt-4.1-mini”", "gpt‑4.1‑mini"])
async def test_a_model_is_known_however_it_is_typed(team: Workspace, typed: str) -> None:
    assert "is set" in await said(team, f"budget model {typed} 5 per day")
    assert await budgets(team) == [("model", "gpt-4.1-mini", "day", Decimal(5))]


async def test_a_model_that_is_set_up_is_known_without_a_price(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_SMALL_MODEL="Our-Llama") as team:
        assert "is set" in await said(team, "budget model our-llama 5 per day")
        assert await budgets(team) == [("model", "Our-Llama", "day", Decimal(5))]


# Amounts and times


@pytest.mark.parametrize(
    ("typed", "cap"),
    [
        *(
            ("20$", "20"),
            ("$20", "20"),
            ("20 USD", "20"),
            ("20 dollars", "20"),
            ("1,000", "1000"),
            ("1 000", "1000"),
        ),
        *(("twenty", "20"), ("1,50", "1.50"), ("２０", "20"), ("50 cents", "0.50")),
    ],
)
async def test_a_budget_takes_amounts_as_people_write_them(team: Workspace, typed: str, cap: str) -> None:
    assert "is set" in await said(team, f"budget\u00a0channel {typed} per month")
    ((_, _, _, found),) = await budgets(team)
    assert found == Decimal(cap)


@pytest.mark.parametrize("typed", ["€20", "20 euros", "1.000,50", "1.000", "-5", "20k", "twenty-ish"])
async def test_an_amount_that_could_be_misread_sets_nothing(team: Workspace, typed: str) -> None:
    assert "I did not understand" in await said(team, f"budget channel here {typed} per month")
    assert await budgets(team) == []


@pytest.mark.parametrize("typed", ["2 days", "two days", "48 hours", "2", "2\u00a0days,"])
async def test_a_budget_is_raised_for_a_time_as_people_write_it(team: Workspace, typed: str) -> None:
    await said(team, "budget channel 5 per month")
    assert "Budget 1 is raised until" in await said(
        team, f"budget raise 1 to $50 for {typed} because R&D won"
    )
    assert await budgets(team) == [("channel", team.slack.channel("#general"), "month", Decimal(50))]
    log = str((await run_command(team, "alice", "budget log"))["blocks"])
    assert "because R&amp;D won" in log, "escaped once"


@pytest.mark.parametrize("typed", ["7", "7 days", "a\u00a0week", "seven days", "７ days", "7 days!"])
async def test_a_channel_is_kept_for_a_time_as_people_write_it(team: Workspace, typed: str) -> None:
    shown = await said(team, f"keep {typed}")
    assert shown.startswith(
        describe_retention(
            dict.fromkeys(("messages", "recordings", "verdicts"), 7.0), team.slack.channel("#general")
        )
    )


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        *(("90 minutes", "1.50 h"), ("1,5 hours", "1.50 h"), ("two hours", "2.00 h"), ("2\nhours", "2.00 h")),
        *(
            ("2 hours of speech", "2.00 h"),
            ("half an hour", "30.0 min"),
            ("1h30", "1.50 h"),
            ("For 2 Hours.", "2.00 h"),
        ),
    ],
)
async def test_speech_is_estimated_for_a_time_as_people_write_it(
    team: Workspace, typed: str, hours: str
) -> None:
    shown = str((await run_command(team, "bob", f"estimate {typed}"))["blocks"])
    assert hours in shown
    assert "read and answer" not in shown


@pytest.mark.parametrize("typed", ["2 houres", "2", "1.000 hours", "a month", "1,500 hours"])
async def test_a_time_that_is_not_understood_is_not_estimated_as_a_text(team: Workspace, typed: str) -> None:
    assert "I did not understand" in await said(team, f"estimate {typed}")
