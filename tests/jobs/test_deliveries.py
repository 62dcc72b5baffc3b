"""Each signed delivery is carried out once: by this process, by the next one, and beside a full disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.core.errors import Busy
from bot.jobs.deliveries import KEPT_S, SignedDeliveries
from storage.database import open_engine
from storage.engine import Tx
from tests.support.engines import database_url


class FullDisk:
    """An engine that takes no more."""

    async def write(self, fn: Any, /, *args: Any, **kw: Any) -> Any:
        raise Busy("disk full")


async def test_a_delivery_is_taken_once_as_long_as_its_signature_is_believed(tmp_path: Path) -> None:
    now = [1_000.0]
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        deliveries = SignedDeliveries(engine, lambda: now[0])
        assert [await deliveries.take(one) for one in ("a", "b", "a")] == [True, True, False]
        now[0] += KEPT_S - 1
        assert not await SignedDeliveries(engine, lambda: now[0]).take("a"), "the next process knows"
        now[0] += 2
        await deliveries.take("c")
        assert await engine.read(count) == 1, "what is too old to be believed goes"


async def test_a_database_that_takes_nothing_keeps_nobody_from_asking() -> None:
    deliveries = SignedDeliveries(FullDisk(), lambda: 1_000.0)  # type: ignore[arg-type]
    assert [await deliveries.take(one) for one in ("a", "a", "b")] == [True, False, True]


def count(tx: Tx) -> int:
    row = tx.one("select count(*) as n from taken_deliveries")
    assert row
    return int(row["n"])
