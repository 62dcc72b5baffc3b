"""What becomes of a workspace that the app was removed from, over restarts and while nobody runs it."""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import pytest

from bot.cli import retention as retention_cli
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.privacy import retention
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.database import open_engine
from storage.jobs import inbox
from storage.privacy import removal
from tests.support.engines import database_url
from tests.support.rows import kept, on_disk
from tests.support.spending import run_command
from tests.support.waiting import until
from tests.support.workspace import MANIFEST, Workspace, started, workspace

SECRET = "the harbour plan"
DAY_S = 86_400.0
KEEP = {"PARLEY_UNINSTALLED": "keep"}


async def scene(team: Workspace) -> None:
    """Something said, something spent, something decided; then the app is removed."""
    thread = await team.ask(f"@parley remember {SECRET}")
    await team.answer("#general", thread)
    await run_command(team, "alice", "budget channel 20 per month")
    await run_command(team, "alice", f"budget raise 1 to 50 for 2 days because of {SECRET}")
    await run_command(team, "alice", "keep 20")
    await run_command(team, "alice", "owner @bob")
    await remove(team)


async def remove(team: Workspace) -> None:
    team.slack.uninstall()
    await team.quiet()


async def tidy(tmp_path: Path, *, days: float, uninstalled: str = "keep") -> dict[str, int]:
    """Housekeeping so many days from now, by a process of another day."""
    settings = Settings(uninstalled=uninstalled, keep_messages_days=0, keep_verdicts_days=0)
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        return await retention.erase_due(engine, settings, now=time.time() + days * DAY_S)


async def count(tmp_path: Path, table: str) -> int:
    async with open_engine(database_url(tmp_path / "parley.db"), read_only=True) as engine:
        (row,) = await engine.read(lambda tx: tx.all(f"select count(*) as n from {table}"))
        return int(row["n"])


async def test_kept_words_go_within_fourteen_days_and_amounts_and_settings_stay(tmp_path: Path) -> None:
    async with workspace(tmp_path, **KEEP) as team:
        await scene(team)
        for table, at in (("removed_workspaces", "at"), ("inbox", "received_at")):
            earlier = f"update {table} set {at} = {at} - {DAY_S / 6}"
            await team.bot.services.engine.write(lambda tx, earlier=earlier: tx.changed(earlier))
        await team.bot.services.forgetting.forget_person(team.slack.team, team.slack.user("bob"))
        await team.quiet()  # a job of our own, which does not bring the app back
    assert await tidy(tmp_path, days=12.5) == {}
    assert "messages" in kept(tmp_path, SECRET)
    assert (await tidy(tmp_path, days=13.5))["removed workspaces"] > 0
    assert kept(tmp_path, SECRET) == [] and not on_disk(tmp_path, SECRET)
    for table in ("ledger", "usage_days", "budgets", "channel_wishes", "channel_owners", "audit"):
        assert await count(tmp_path, table), table
    for table in ("messages", "conversations", "disclosures", "removed_workspaces"):
        assert not await count(tmp_path, table), table
    assert await tidy(tmp_path, days=30) == {}


async def test_without_keeping_everything_but_amounts_goes_at_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await scene(team)
        await until(lambda: kept(tmp_path, SECRET) == [])
        late = ("m:T:C:1", "T:C:1", "message", f'{{"text": "{SECRET}"}}')  # a delivery that was under way
        post = partial(inbox.put, team=team.slack.team, person="U1", now=time.time())
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await engine.write(lambda tx: post(tx, *late))
    assert await tidy(tmp_path, days=0.1, uninstalled="erase") == {}
    assert kept(tmp_path, SECRET) == []
    for table in ("channel_wishes", "removed_workspaces"):
        assert not await count(tmp_path, table), table
    assert await count(tmp_path, "ledger")


@pytest.mark.both_engines
@pytest.mark.parametrize("uninstalled", ["keep", "erase"])
async def test_a_process_that_died_over_the_removal_erases_at_its_next_start_though_no_token_is_good(
    tmp_path: Path, uninstalled: str
) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            await team.answer("#general", await team.ask(f"@parley remember {SECRET}"))
            days = 14 if uninstalled == "keep" else 0
            note = {"now": time.time() - days * DAY_S}
            await team.bot.services.engine.write(removal.note_removed, slack.team, **note)
            for table, column in (("inbox", "received_at"),):
                old = f"update {table} set {column} = 0"
                await team.bot.services.engine.write(lambda tx, old=old: tx.changed(old))
        slack.uninstall()
        with pytest.raises(SetupError, match="SLACK_BOT_TOKEN"):
            async with started(slack, model, tmp_path, PARLEY_UNINSTALLED=uninstalled):
                pass
    assert kept(tmp_path, SECRET) == []


async def test_an_app_that_is_back_keeps_everything(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path, **KEEP) as team:
            await scene(team)
        slack.workspace.revoked = False
        async with started(slack, model, tmp_path, **KEEP):
            pass
    assert await tidy(tmp_path, days=15) == {}
    assert "messages" in kept(tmp_path, SECRET)


async def test_a_workspace_of_several_that_speaks_again_keeps_everything(tmp_path: Path) -> None:
    async with workspace(tmp_path, **KEEP) as team:
        await team.answer("#general", await team.ask(f"@parley remember {SECRET}"))
        before = {"now": time.time() - 2 * DAY_S}
        await team.bot.services.engine.write(removal.note_removed, team.slack.team, **before)
        await team.answer("#general", await team.ask("@parley are you back?"))
    assert await tidy(tmp_path, days=15) == {}
    assert "messages" in kept(tmp_path, SECRET)
    assert not await count(tmp_path, "removed_workspaces")


async def test_the_operator_sees_what_is_still_to_go_and_erases_it_without_a_bot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path, **KEEP) as team:
        await scene(team)
        settings = team.bot.settings
    await retention_cli.run(argparse.Namespace(apply=False), settings)
    assert f"{team.slack.team}: the app was removed on " in capsys.readouterr().out
    await retention_cli.run(argparse.Namespace(apply=True), settings.changed(uninstalled="erase"))
    assert "removed" not in capsys.readouterr().out
    assert kept(tmp_path, SECRET) == []
