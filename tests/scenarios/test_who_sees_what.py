"""Who may see what of the costs: every role before every kind of channel, on every surface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.roles import PEOPLE, furnish
from tests.support.spending import run_command, spend
from tests.support.workspace import Workspace, workspace

OTHERS, PRIVATE = "(others)", "(private channels)"
CHANNELS = {
    "admin": {"#general", "#finance", "#leads", "direct messages", PRIVATE},
    "owner": {"#general", "#finance", "#leads", "#vault"},
    "member": {"#general", "#finance"},
    "guest": {"#general"},
    "stranger": {"#general"},
}
NAMED = {
    "admin": {"alice", "bob", "carol", "gus", "dana", "eve"},
    "owner": {"alice", "bob", "carol", "gus", "dana", OTHERS},  # the people of #general, which he owns
    "member": {"carol", OTHERS},
    "guest": {"gus", OTHERS},
    "stranger": {"dana", OTHERS},
}
pytestmark = pytest.mark.usefixtures("undrawn_charts")
ROLES = pytest.mark.parametrize("role", PEOPLE)


@pytest.fixture
async def team(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Workspace]:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with workspace(tmp_path, PORT=str(unused_tcp_port), PARLEY_PUBLIC_URL=url) as team:
        await furnish(team)
        for user in PEOPLE.values():
            await spend(team, "#general", user, 1)
        await spend(team, "#finance", "eve", 2)
        await spend(team, "#leads", "bob", 4)
        await spend(team, "#vault", "bob", 8)
        await spend(team, team.slack.dm("alice"), "alice", 1)
        await spend(team, team.slack.dm("eve"), "eve", 16)
        yield team


def first_cells(message: dict[str, Any]) -> set[str]:
    (table,) = [block for block in message["blocks"] if block["type"] == "table"]
    return {row[0]["text"] for row in table["rows"][1:-1]}


def hidden_from(team: Workspace, role: str) -> set[str]:
    """Names and ids that must not meet the eyes of this role."""
    places = {"#general", "#finance", "#leads", "#vault"} - CHANNELS[role]
    people = NAMED["admin"] - NAMED[role]
    return {
        *(place.removeprefix("#") for place in places),
        *(team.slack.channel(place) for place in places),
        *(team.slack.user(person) for person in people),
        team.slack.dm("eve"),
    }


def leaked(team: Workspace, role: str, text: str) -> set[str]:
    return {secret for secret in hidden_from(team, role) if secret in text}


@ROLES
async def test_a_report_by_channel_names_what_the_asker_can_enter(team: Workspace, role: str) -> None:
    shown = await run_command(team, PEOPLE[role], "usage month by channel")
    assert first_cells(shown) == CHANNELS[role]
    assert not leaked(team, role, str(shown["blocks"]))


@ROLES
async def test_a_report_by_person_names_the_asker_and_the_people_of_owned_channels(
    team: Workspace, role: str
) -> None:
    shown = await run_command(team, PEOPLE[role], "usage month by person")
    assert first_cells(shown) == NAMED[role]
    assert not leaked(team, role, str(shown["blocks"]))


@ROLES
async def test_files_tell_no_more_than_the_report(team: Workspace, role: str) -> None:
    await run_command(team, PEOPLE[role], "usage month by kind csv")
    direct = team.slack.workspace.direct(team.slack.user(PEOPLE[role]))
    await team.slack.until(lambda: [m for m in direct.messages.values() if m.get("files")])
    files = [file["id"] for message in direct.messages.values() for file in message.get("files", ())]
    sheet = team.slack.workspace.files[files[-1]].content.decode()
    assert sheet.startswith("day,team,channel")
    assert not leaked(team, role, sheet)
    said = [r.arguments for r in team.slack.requests if r.method == "files.getUploadURLExternal"]
    assert not leaked(team, role, str(said))


@ROLES
async def test_neither_the_page_nor_its_files_nor_the_home_tab_tell_more(team: Workspace, role: str) -> None:
    await run_command(team, "alice", "budget each channel 100 per month")
    for place in ("#vault", "#leads", "#general"):
        # by now the bot knows every name
        await run_command(team, "bob", "usage by channel", channel=place)
    user = team.slack.user(PEOPLE[role])
    url = team.bot.services.costs.link(team.slack.team, user)
    async with aiohttp.ClientSession() as session:
        for more in ("&by=channel", "&by=person", "&by=day", "&format=csv"):
            async with session.get(url + more) as response:
                assert response.status == 200
                assert not leaked(team, role, await response.text()), more
    await team.slack.open_home(PEOPLE[role])
    home = str(await team.slack.until(lambda: team.slack.home(PEOPLE[role])))
    assert not leaked(team, role, home)
