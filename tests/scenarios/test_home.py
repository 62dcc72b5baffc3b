"""The Home tab: a page that a newcomer understands, then what concerns oneself, commands last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.welcome.disclosures import SENTENCE
from handlers import commands, home
from handlers.slack.blocks import SETTINGS_OF
from handlers.welcome import newcomer
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace


async def opened(team: Workspace, user: str) -> str:
    """Everything that somebody's Home tab says, from top to bottom."""
    await team.slack.open_home(user)
    view = await team.slack.until(lambda: team.slack.home(user))
    assert len(view["blocks"]) <= 100
    return "\n".join(str(block.get("text") or block.get("elements") or block) for block in view["blocks"])


def in_order(shown: str, *parts: str) -> bool:
    places = [shown.index(part) for part in parts]
    return places == sorted(places)


async def test_what_matters_comes_first_what_is_mine_then_and_commands_last(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        shown = await opened(team, "carol")
        assert in_order(
            shown,
            "AI assistant",
            "How to ask",
            *newcomer.EXAMPLES,
            SENTENCE,
            "/parley forget",
            "You have not asked me anything yet.",
            "Commands",
        )
        assert f"<@{team.slack.bot}>" in shown, "whom to mention"
        assert "for 30 days" in shown
        (words,) = re.findall(r"\*Your words\*\\n(.*?)'", shown)
        assert words.count(". ") == 1, "two sentences"


async def test_at_most_twelve_commands_are_listed_and_help_has_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        monkeypatch.setitem(commands.HELP, f"more {number}", "another one")
    async with workspace(tmp_path) as team:
        shown = await opened(team, "carol")
        listed = shown[shown.index("Commands") :]
        assert [f"`/parley {name}`  " in listed for name in commands.HELP] == [True] * home.COMMANDS + [
            False
        ] * (len(commands.HELP) - home.COMMANDS)
        assert "`/parley help` lists every command." in listed


async def test_who_looks_after_channels_finds_them_there_and_nobody_elses(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "owner @bob", "#support")
        support = team.slack.channel("#support")
        assert f"*Channels you look after*\\n<#{support}>" in await opened(team, "bob")
        assert "Channels you look after" not in await opened(team, "carol")


async def test_a_private_channel_that_one_is_not_in_is_not_named_there(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "owner @carol", "#leads")
        assert team.slack.channel("#leads") not in await opened(team, "carol")


async def test_while_slack_does_not_say_who_somebody_is_the_rest_is_there_all_the_same(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.add("users.info", status=503, times=0)
        shown = await opened(team, "carol")
        assert in_order(shown, "How to ask", SENTENCE, "Your month", home.NOT_NOW, "Commands")
        assert SETTINGS_OF not in shown


@pytest.mark.parametrize(
    ("days", "said"), [("0", "until somebody has it forgotten"), ("1", "for a day"), ("7", "for 7 days")]
)
async def test_how_long_words_are_kept_is_said_as_it_is_set(tmp_path: Path, days: str, said: str) -> None:
    async with workspace(tmp_path, PARLEY_KEEP_MESSAGES_DAYS=days) as team:
        assert f"I keep it {said}." in await opened(team, "carol")


async def test_the_operators_own_sentence_stands_there(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_DISCLOSURE="Hier antwortet eine KI, <die> irren kann.") as team:
        shown = await opened(team, "carol")
        assert "Hier antwortet eine KI, &lt;die&gt; irren kann." in shown
        assert SENTENCE not in shown
