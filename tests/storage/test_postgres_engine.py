"""What the engine of several processes does otherwise than that of a file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bot.core.errors import SetupError
from storage.database import open_engine
from storage.engine import Tx
from storage.provider import model_traits
from tests.support.engines import POSTGRESQL, database_url

pytestmark = [
    pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True),
    pytest.mark.usefixtures("database_engine"),
]


def learn(tx: Tx, model: str) -> None:
    model_traits.set_ratio(tx, model, 1.0, now=0)


def models(tx: Tx) -> list[str]:
    return sorted(model_traits.ratios(tx))


async def test_on_postgresql_others_write_beside_a_write_aside(tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def long(tx: Tx) -> None:
        begun.set()
        assert may_end.wait(30)
        learn(tx, "aside")

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        aside = asyncio.create_task(engine.write_aside(long))
        await asyncio.to_thread(begun.wait, 30)
        await engine.write(learn, "beside")
        may_end.set()
        await aside
        assert await engine.read(models) == ["aside", "beside"]


async def test_postgresql_is_backed_up_with_its_own_tools(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        with pytest.raises(SetupError, match="pg_dump"):
            await engine.backup(tmp_path / "copy.db")
