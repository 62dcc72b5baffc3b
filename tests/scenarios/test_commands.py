"""What people ask of Parley beside talking: /parley, the ⋮ menu, App Home, and forgetting for good."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.reports.usage import UsageRow
from handlers import commands, home
from handlers.costs import blocks as usage_blocks
from handlers.slack import blocks
from tests.support.commands import forget_everything, parley, tell_in_thread
from tests.support.rows import SECRET, kept, on_disk, rows
from tests.support.workspace import Workspace, workspace

# Help and usage


async def test_help_names_every_command(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        for asked in ("help", "", "what?"):
            shown = await parley(team, asked)
            assert all(f"/parley {name}" in shown for name in commands.HELP)


async def test_usage_is_the_models_own_count_for_this_channel_and_month(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        for channel in ("#general", "#general", "#support"):
            await tell_in_thread(team, channel=channel)
        here = [r.usage for r in list(team.model.requests)[:2]]
        shown = await parley(team, "usage")
        assert "2 model requests" in shown
        assert f"{sum(u['prompt_tokens'] for u in here if u):,} tokens read" in shown
        assert f"{sum(u['completion_tokens'] for u in here if u):,} written" in shown
        assert "$0.00" in shown
        assert f"({datetime.now(UTC):%B %Y})" in shown
        assert "1 model request" in await parley(team, "usage", channel="#support")


def test_usage_says_openly_what_has_no_price() -> None:
    used = UsageRow(requests=2, cost_usd=Decimal("0.012345678"), unpriced=1)
    (block,) = usage_blocks.month_usage("This month", "May", used)
    assert "$0.012 for 2 model requests" in block["text"]["text"]
    assert "1 request unpriced" in block["text"]["text"]
    (block,) = usage_blocks.month_usage("This month", "May", UsageRow(requests=2, unpriced=2))
    assert "$" not in block["text"]["text"]
    assert "unpriced for 2 model requests" in block["text"]["text"]


async def test_a_channel_without_requests_has_used_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert "0 model requests" in await parley(team, "usage")


# Forgetting


async def test_forgetting_a_thread_leaves_no_word_of_it_in_the_files(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        other = await tell_in_thread(team, "the other thread")
        thread = await tell_in_thread(team)
        assert "messages" in kept(tmp_path)
        assert "Forgotten: 2 messages" in await parley(team, "forget thread")
        assert kept(tmp_path) == []
        assert on_disk(tmp_path) == []
        assert kept(tmp_path, "the other thread") == ["messages"]
        await team.ask("what do you remember?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert SECRET not in team.model.requests[-1].prompt
        await team.ask("what do you remember?", thread=other)
        await team.answer("#general", other, count=2)
        assert "the other thread" in team.model.requests[-1].prompt


async def test_an_answer_that_slack_has_not_taken_yet_outlives_the_forgetting_of_its_thread(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Here I am.")
        team.slack.faults.add("chat.*", status=503, times=0)
        thread = await team.ask("@parley how are you?")
        remembered = "select count(*) from messages"
        await team.slack.until(lambda: rows(tmp_path, remembered) == [(2,)])
        await team.slack.command("alice", "#general", "/parley", "forget thread")
        team.slack.faults.clear()
        assert await team.answer("#general", thread) == "Here I am."


@pytest.mark.parametrize("which", [0, 1], ids=["its root", "a reply"])
async def test_a_thread_is_forgotten_by_a_link_to(tmp_path: Path, which: int) -> None:
    async with workspace(tmp_path) as team:
        thread = await tell_in_thread(team)
        await tell_in_thread(team, "something later")
        link = await permalink(team, team.slack.thread("#general", thread)[which]["ts"])
        assert "Forgotten: 2 messages" in await parley(team, f"forget thread {link}", channel="#support")
        assert kept(tmp_path) == []
        assert kept(tmp_path, "something later") == ["messages"]


async def permalink(team: Workspace, ts: str) -> str:
    client = AsyncWebClient(token=team.slack.bot_token, base_url=team.slack.api_url)
    answer = await client.chat_getPermalink(channel=team.slack.channel("#general"), message_ts=ts)
    return str(answer["permalink"])


async def test_somebody_who_took_no_part_cannot_make_a_thread_forgotten(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await tell_in_thread(team)
        link = await permalink(team, thread)
        assert blocks.forgotten(None) in await parley(team, f"forget thread {link}", user="bob")
        assert blocks.forgotten(None) in await parley(team, "forget thread", user="bob")
        await team.slack.shortcut("bob", "forget_thread", channel="#general", ts=thread)
        await team.slack.until(lambda: team.slack.ephemerals("bob"))
        assert team.slack.ephemerals("bob")[-1]["text"] == blocks.forgotten(None)
        assert "messages" in kept(tmp_path)


async def test_forgetting_all_takes_what_is_mine_and_leaves_what_is_others(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        await tell_in_thread(team, channel=team.slack.dm("alice"))
        await tell_in_thread(team, "bob's own words", user="bob")
        assert (await forget_everything(team)).startswith("Forgotten: 4 messages.")
        assert (kept(tmp_path), on_disk(tmp_path)) == ([], [])
        assert kept(tmp_path, "bob's own words") == ["messages"]
        assert "3 model requests" in str(await usage(team)), "amounts hold no words and stay"


async def usage(team: Workspace) -> str:
    used = await team.bot.services.costs.this_month(team.slack.team)
    return f"{used.requests} model requests"


async def test_forget_alone_asks_what_and_its_button_forgets_all(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        assert blocks.FORGET_ALL in await parley(team, "forget")
        assert "messages" in kept(tmp_path), "asking forgets nothing"
        shown = team.slack.ephemerals("alice")[-1]
        await team.slack.press("alice", "#general", shown["ts"], blocks.FORGET_ALL)
        await team.slack.until(lambda: "Forgotten: 2 messages" in str(team.slack.ephemerals("alice")))
        assert kept(tmp_path) == []


async def test_the_message_menu_forgets_the_thread(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await tell_in_thread(team)
        (reply,) = team.replies("#general", thread)
        await team.slack.shortcut("alice", "forget_thread", channel="#general", ts=reply["ts"])
        await team.slack.until(lambda: team.slack.ephemerals("alice"))
        assert team.slack.ephemerals("alice")[-1]["text"] == "Forgotten: 2 messages."
        assert (kept(tmp_path), on_disk(tmp_path)) == ([], [])


async def test_what_is_deleted_in_slack_is_deleted_here(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("I will.", times=0)
        thread = await tell_in_thread(team)
        follow_up = await team.slack.say("alice", "#general", "and more of it", thread_ts=thread)
        await team.answer("#general", thread, count=2)
        await team.quiet()
        await team.slack.delete("alice", "#general", thread)
        await team.slack.until(lambda: not kept(tmp_path))
        await team.slack.until(lambda: not on_disk(tmp_path))
        await team.slack.delete("alice", "#general", follow_up)
        await team.slack.until(lambda: not kept(tmp_path, "and more of it"))
        await team.ask("so?", thread=thread)
        await team.answer("#general", thread, count=3)
        assert SECRET not in team.model.requests[-1].prompt
        assert "and more of it" not in team.model.requests[-1].prompt


async def test_a_finished_question_is_kept_in_memory_only(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        assert kept(tmp_path) == ["messages"], "neither the inbox nor the outbox holds it any longer"


# App Home


async def test_the_home_tab_shows_what_parley_does_and_the_persons_own_month(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        await tell_in_thread(team, user="bob")
        await team.slack.open_home("alice")
        view = str(await team.slack.until(lambda: team.slack.home("alice")))
        assert "1 model request" in view
        assert "/parley help" in view


async def test_a_prompt_of_the_messages_tab_is_something_one_can_ask(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        dm = team.slack.dm("alice")
        for prompt in home.PROMPTS:
            thread = await team.ask(prompt["message"], channel=dm)
            assert await team.answer(dm, thread)


# What nobody asked for


@pytest.mark.parametrize(
    "text",
    ["forget thread https://evil.example/archives/", "usage; drop table", "🦜" * 500, "forget " + "x" * 3000],
)
async def test_whatever_follows_the_command_is_answered(tmp_path: Path, text: str) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        assert await parley(team, text)
        assert "messages" in kept(tmp_path)


async def test_a_revoked_token_makes_the_bot_unready_and_loses_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_UNINSTALLED="keep") as team:
        await tell_in_thread(team)
        team.slack.uninstall()
        await asyncio.sleep(0.1)

        async def ready() -> list[Any]:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{team.bot.ops_url}/readyz") as answer,
            ):
                return [answer.status, await answer.text()]

        status, text = await ready()
        assert status == 503
        assert "slack:" in text
        assert "messages" in kept(tmp_path)
