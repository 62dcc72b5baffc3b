"""What a person in Slack sees of costs: reports, pictures, files; and who sees what."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.reports.usage import UsageRow
from bot.sandbox.slack.api.blocks import check_blocks
from handlers.costs import blocks
from tests.support.spending import MODEL, run_command, spend
from tests.support.workspace import MANIFEST, Workspace, workspace


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    """Alice is an admin, Bob, Carol and Dana (a guest) are not; the private #leads is Alice's and Bob's."""
    async with workspace(tmp_path) as team:
        await spend(team, "#general", "alice", 1)
        await spend(team, "#general", "bob", 2)
        await spend(team, "#finance", "carol", 4)
        await spend(team, "#leads", "bob", 8)
        await spend(team, team.slack.dm("bob"), "bob", 16, kind="title")
        yield team


def table(message: dict[str, Any]) -> dict[str, list[str]]:
    """First cell → the others, of the table in a message."""
    (block,) = [b for b in message["blocks"] if b["type"] == "table"]
    rows = [[cell["text"] for cell in row] for row in block["rows"]]
    return {row[0]: row[1:] for row in rows}


def costs(message: dict[str, Any]) -> dict[str, str]:
    """First cell → cost."""
    rows = table(message)
    at = next(iter(rows.values())).index("cost")
    return {name: row[at] for name, row in list(rows.items())[1:]}


def files(team: Workspace, user: str) -> list[dict[str, Any]]:
    """The files somebody got in their direct messages, oldest first."""
    direct = team.slack.workspace.direct(team.slack.user(user))
    return [file for message in direct.messages.values() for file in message.get("files", ())]


def content(team: Workspace, file: dict[str, Any]) -> bytes:
    return team.slack.workspace.files[file["id"]].content


async def test_the_plain_command_answers_within_the_acknowledgement_and_asks_slack_nothing(
    team: Workspace,
) -> None:
    before = len(team.slack.requests)
    shown = await run_command(team, "bob", "usage")
    assert "$4.80" in str(shown["blocks"])
    assert len(team.slack.requests) == before


async def test_a_member_sees_channels_they_can_enter_and_no_other(team: Workspace) -> None:
    assert costs(await run_command(team, "bob", "usage month by channel")) == {
        "direct messages": "$25.60",
        "#leads": "$12.80",
        "#finance": "$6.40",
        "#general": "$4.80",
        "total": "$49.60",
    }
    carol = costs(await run_command(team, "carol", "usage month by channel"))
    assert carol == {"#finance": "$6.40", "#general": "$4.80", "total": "$11.20"}


async def test_a_member_sees_of_people_only_themself(team: Workspace) -> None:
    found = costs(await run_command(team, "bob", "usage by person"))
    assert found == {"bob": "$41.60", "(others)": "$8.00", "total": "$49.60"}


async def test_an_admin_sees_everything_but_the_names_of_private_channels(team: Workspace) -> None:
    found = costs(await run_command(team, "alice", "usage by channel"))
    assert found["total"] == "$49.60"
    assert found["#leads"] == "$12.80"
    assert found["(private channels)"] == "$25.60"
    people = costs(await run_command(team, "alice", "usage by person"))
    assert people["carol"] == "$6.40"


async def test_the_owner_of_a_channel_sees_its_people(team: Workspace) -> None:
    assert "carol" not in costs(await run_command(team, "bob", "usage by person"))
    named = await run_command(team, "alice", "owner @bob", channel="#finance")
    assert f"<@{team.slack.user('bob')}>" in named["text"]
    assert costs(await run_command(team, "bob", "usage by person"))["carol"] == "$6.40"
    await run_command(team, "alice", "owner remove @bob", channel="#finance")
    assert "carol" not in costs(await run_command(team, "bob", "usage by person"))


async def test_only_admins_name_owners(team: Workspace) -> None:
    assert "not yours" in (await run_command(team, "bob", "owner @bob"))["text"]
    assert "not yours" in (await run_command(team, "bob", "owner remove @alice"))["text"]
    assert "Try" in (await run_command(team, "alice", "owner bob who"))["text"]


# Without a permission of the manifest


@asynccontextmanager
async def without(tmp_path: Path, scope: str) -> AsyncIterator[Workspace]:
    """The same team in a workspace whose app was installed without one scope."""
    scopes = [one for one in MANIFEST["oauth_config"]["scopes"]["bot"] if one != scope]
    manifest = MANIFEST | {"oauth_config": {"scopes": {"bot": scopes}}}
    async with workspace(tmp_path, slack={"manifest": manifest}) as team:
        await spend(team, "#general", "bob", 2)
        await spend(team, "#finance", "carol", 4)
        await spend(team, "#leads", "bob", 8)
        await run_command(team, "alice", "budget channel 10 per month")
        yield team


LOOKED_UP = ["channels:read", "groups:read", "mpim:read", "users:read", "im:write"]


@pytest.mark.parametrize("scope", LOOKED_UP)
@pytest.mark.usefixtures("undrawn_charts")
async def test_a_report_shows_what_can_be_shown_and_names_the_missing_permission(
    tmp_path: Path, scope: str
) -> None:
    async with without(tmp_path, scope) as team:
        assert scope in str((await run_command(team, "bob", "budget"))["blocks"])
        shown = await run_command(team, "bob", "usage month by channel")
        found = costs(shown)
        assert scope in str(shown["blocks"][-1])
        assert "$3.20" in found.values(), "of the channel in which it was asked"
        assert ("$12.80" in found.values()) is (scope != "groups:read")
        assert ("#finance" in found) is (scope not in ("channels:read", "users:read"))


@pytest.mark.parametrize("scope", LOOKED_UP)
async def test_home_shows_what_can_be_shown_and_names_the_missing_permission(
    tmp_path: Path, scope: str
) -> None:
    async with without(tmp_path, scope) as team:
        await team.slack.open_home("bob")
        view = str(await team.slack.until(lambda: team.slack.home("bob")))
        assert "$16.00" in view, "one's own month"
        assert scope in view
        assert "/parley help" in view


async def test_who_is_not_known_as_an_admin_is_none(tmp_path: Path) -> None:
    async with without(tmp_path, "users:read") as team:
        assert "not yours" in (await run_command(team, "alice", "budget workspace 5 per day"))["text"]
        assert "#leads" not in str((await run_command(team, "carol", "usage by channel"))["blocks"])


async def test_nothing_is_said_to_be_missing_where_nothing_is(team: Workspace) -> None:
    assert "without" not in str((await run_command(team, "bob", "usage by channel"))["blocks"])


async def test_who_leaves_a_private_channel_sees_it_no_more(team: Workspace) -> None:
    await team.slack.join("bob", "#leads", leave=True)
    assert "#leads" not in costs(await run_command(team, "bob", "usage by channel"))


async def test_somebody_from_another_company_sees_only_what_they_are_in(team: Workspace) -> None:
    await spend(team, "#partners", "dana", 1)
    found = costs(await run_command(team, "dana", "usage by channel", channel="#partners"))
    assert found == {"#partners": "$1.60", "total": "$1.60"}


async def test_a_report_brings_its_picture_into_the_askers_direct_messages(team: Workspace) -> None:
    shown = await run_command(team, "bob", "usage month by kind")
    assert costs(shown)["title"] == "$25.60"
    (picture,) = await team.slack.until(lambda: files(team, "bob"))
    assert content(team, picture).startswith(b"\x89PNG")
    (asked,) = team.calls("files.getUploadURLExternal")
    assert "title $25.60" in asked["alt_txt"]
    assert len(asked["alt_txt"]) < 1000
    assert not files(team, "alice")


@pytest.mark.usefixtures("undrawn_charts")
async def test_csv_is_a_file_in_the_askers_direct_messages(team: Workspace) -> None:
    await run_command(team, "carol", "usage week csv")
    _, sheet = await team.slack.until(lambda: files(team, "carol"))
    rows = list(csv.DictReader(io.StringIO(content(team, sheet).decode())))
    mine = {(row["channel_name"], row["user_name"], row["cost_usd"]) for row in rows}
    assert mine == {("#finance", "carol", "6.400000000"), ("#general", "(others)", "4.800000000")}


async def test_a_month_without_use_draws_nothing(team: Workspace) -> None:
    shown = await run_command(team, "bob", "usage 2020-01 by model csv")
    assert "Nothing was used." in str(shown["blocks"])
    assert not files(team, "bob")


async def test_what_has_no_price_is_said_and_counted_and_not_drawn(team: Workspace) -> None:
    await spend(
        team, "#support", "carol", 1, model="whisper-1"
    )  # which is paid by the second, not by the token
    shown = await run_command(team, "carol", "usage today by model csv")
    rows = table(shown)
    assert rows["whisper-1"][-2:] == ["unpriced", "1"]
    assert rows["total"][-2:] == ["$11.20", "1"]
    assert "1 of them without a known price" in str(shown["blocks"])
    assert "unpriced for 1 model request" in str(
        (await run_command(team, "carol", "usage", "#support"))["blocks"]
    )


async def test_words_it_does_not_know_are_said(team: Workspace) -> None:
    assert "“yesteryear”" in (await run_command(team, "bob", "usage yesteryear"))["text"]


async def test_when_slack_does_not_tell_who_somebody_is_nothing_is_shown(team: Workspace) -> None:
    team.slack.faults.add("users.info", error="user_not_found")
    assert "$" not in str(await run_command(team, "alice", "usage by channel"))


@pytest.mark.usefixtures("undrawn_charts")
async def test_when_the_picture_cannot_be_given_it_is_said_and_the_report_stands(team: Workspace) -> None:
    team.slack.faults.add("files.upload", status=500)
    assert costs(await run_command(team, "carol", "usage today by kind"))["total"] == "$11.20"
    shown = await team.slack.until(lambda: team.slack.ephemerals("carol")[1:])
    assert "Slack" in shown[0]["text"]
    assert not files(team, "carol")


def test_a_table_of_many_rows_ends_in_the_rest_and_the_total() -> None:
    rows = [
        UsageRow(channel=f"C{n}", requests=1, cost_usd=Decimal(1), input_tokens=10**12) for n in range(500)
    ]
    block = blocks.table(rows, {f"C{n}": "#" + "long" * 20 for n in range(500)})
    cells = [[cell["text"] for cell in row] for row in block["rows"]]
    assert len(cells) == blocks.ROWS + 3
    assert [cells[-2][0], cells[-2][-1], cells[-1][0], cells[-1][-1]] == [
        "all others",
        "$480.00",
        "total",
        "$500.00",
    ]
    check_blocks([block])


async def test_an_estimate_before_anything_is_done(team: Workspace) -> None:
    speech = await run_command(team, "bob", "estimate 1.5 hours")
    assert table(speech)["speech to text"][1] == "1.50 h"
    assert "$0.54" in str(speech["blocks"])  # whisper-1
    assert "gpt-transcribe (in use)" in str(speech["blocks"])
    assert f"{MODEL} (in use)" in str(speech["blocks"])
    assert "60,000 + 30,000 tokens" in str(speech["blocks"])
    assert "It takes about 8–15 minutes." in str(speech["blocks"])
    text = await run_command(team, "bob", "estimate How much is the fish?")
    assert MODEL in str(text["blocks"])
    assert "Try" in (await run_command(team, "bob", "estimate"))["text"]


async def test_home_shows_the_month_and_to_an_admin_the_workspace(team: Workspace) -> None:
    for user, seen in (("alice", True), ("bob", False)):
        await team.slack.open_home(user)
        home = str(await team.slack.until(lambda user=user: team.slack.home(user)))  # type: ignore[misc]
        assert "Your month" in home
        assert ("The workspace's month" in home and "$49.60" in home) is seen
