"""What an operator is told that is not wrong: words that are kept for ever, and a volume of unknown kind."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import pytest

from bot.core import settings_sources
from bot.core.settings import Settings, table
from bot.ops.volume import is_volume_encrypted
from bot.privacy import notices
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers import check
from tests.support.workspace import MANIFEST, environment, workspace

KINDS = sorted(notices.KEPT)


@pytest.mark.parametrize("env", KINDS)
async def test_never_erasing_is_warned_of_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, env: str
) -> None:
    with caplog.at_level(logging.WARNING):
        async with workspace(tmp_path, **{env: "0"}):
            pass
    warned = [r.getMessage() for r in caplog.records if "never erased" in r.getMessage()]
    assert len(warned) == 1
    assert warned[0].startswith(f"{env}=0: ")


def test_every_setting_that_may_be_for_ever_has_its_sentence() -> None:
    assert {row.env for row in table() if "0: never" in row.help} == set(KINDS)
    assert notices.find_endless(Settings()) == []


@pytest.mark.sqlite_file
async def test_check_gives_both_as_notices_and_not_as_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeSlack(manifest=MANIFEST) as slack, FakeModel() as model:
        given = environment(slack, model, tmp_path) | {"PARLEY_KEEP_VERDICTS_DAYS": "0"}
        await check.run(argparse.Namespace(), settings_sources.load(given))
    told = capsys.readouterr().out
    assert "notice: PARLEY_KEEP_VERDICTS_DAYS=0: " in told
    file = tmp_path / "parley.db"
    unseen = f"notice: database {file}: cannot tell that its volume is encrypted" in told
    assert unseen is not is_volume_encrypted(file)
    assert "wrong: PARLEY_KEEP" not in told and "wrong: database" not in told


def test_of_a_database_that_is_no_file_nothing_is_said() -> None:
    assert notices.find_unencrypted(Settings(database="postgresql://db/parley")) == []
