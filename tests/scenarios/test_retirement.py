"""What people see when a model ends: the operator and owners a message, Home a line, a channel nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.retirement import HEADER
from storage.channel import preferences
from tests.support.guarded_channel import why
from tests.support.promises import kept
from tests.support.roles import furnish
from tests.support.workspace import MANIFEST, Workspace, started, workspace


def in_days(count: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=count)


def direct(team: Workspace, user: str) -> list[str]:
    """What the bot wrote to somebody directly, oldest first."""
    place = team.slack.workspace.direct(team.slack.user(user))
    return [m["text"] for m in place.messages.values() if m.get("user") == team.slack.bot]


def endings(team: Workspace, user: str) -> list[str]:
    return [text for text in direct(team, user) if "gpt-4.1" in text]


async def home(team: Workspace, user: str) -> str:
    await team.slack.open_home(user)
    return str(await team.slack.until(lambda: team.slack.home(user)))


async def nothing_due(team: Workspace) -> None:
    for _ in range(600):
        if not await team.bot.services.retirement.find_due():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("something is still due")


async def test_the_operator_and_the_channels_owner_are_told_once_and_home_says_it(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        day = in_days(12)
        model.ends["gpt-4.1"] = f"{day:%Y-%m-%d}"
        operators = {"PARLEY_OPERATORS": f"{slack.user('carol')}, U0GONE0001"}
        async with started(slack, model, tmp_path) as team:
            await furnish(team)
            await team.bot.services.engine.write(
                preferences.wish,
                slack.team,
                slack.channel("#general"),
                "model",
                "gpt-4.1",
                person=slack.user("bob"),
                now=1.0,
            )
        for _ in range(2):
            async with started(slack, model, tmp_path, **operators) as team:
                await team.slack.until(lambda: endings(team, "bob") and endings(team, "carol"))
                await nothing_due(team)
        when = f"{day.day} {day:%B %Y}"
        assert endings(team, "bob") == [
            f"`gpt-4.1` ends on {when}, in 12 days. From then on `gpt-6-luna` answers in its place. "
            f"It was chosen in <#{slack.channel('#general')}>. Another can be chosen with `/parley settings`."
        ]
        (told,) = endings(team, "carol")
        assert told.startswith(f"channel {slack.channel('#general')} of {slack.team}: gpt-4.1 ends on ")
        assert endings(team, "alice") == endings(team, "bob"), "who made the channel"


async def test_home_says_it_to_whom_it_concerns(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        model.ends["gpt-4.1"] = f"{in_days(5):%Y-%m-%d}"
        async with started(slack, model, tmp_path, PARLEY_MODEL="gpt-4.1") as team:
            await furnish(team)
            await nothing_due(team)
            await team.slack.until(lambda: model.counters["requests:models"])
            assert "`gpt-4.1` ends on" in await home(team, "alice")
            assert HEADER not in await home(team, "carol")


async def test_row_58_nobody_in_a_channel_sees_that_a_model_has_ended(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MODEL="gpt-4.1", PARLEY_SUCCESSORS="gpt-4.1=gpt-4.1-mini") as team:
        team.model.faults.add("ended", model="gpt-4.1", times=0)
        team.model.script("Paris.", times=0)
        thread = await team.ask("@parley What is the capital of France?")
        assert (await team.answer("#general", thread)).startswith("Paris.")
        await team.ask("And of Italy?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert [request.body["model"] for request in team.model.requests] == [
            "gpt-4.1",
            "gpt-4.1-mini",
            "gpt-4.1-mini",
        ]
        assert await kept(team) == ["Paris."] * 2


async def test_row_57_why_this_answer_says_who_was_asked_first(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_FALLBACKS="gpt-4.1") as team:
        team.model.faults.add("server_error", model="gpt-4.1-mini", times=0)
        thread = await team.ask("@parley What is the capital of France?")
        await team.answer("#general", thread)
        assert len(await kept(team)) == 1
        window = await why(team, "alice", thread, team.replies("#general", thread)[-1]["ts"])
        assert "by the language model gpt-4.1. gpt-4.1-mini was asked first and did not answer." in str(
            window
        )
