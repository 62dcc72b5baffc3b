"""What a command needs to ask a model by itself, where no bot is running: the database, the ledger, the
provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.calendar import Calendar, zone
from bot.core.settings import Settings
from bot.costs import pricing
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from storage.database import open_engine
from storage.engine import Engine


@dataclass(frozen=True, slots=True)
class Standalone:
    """Open as long as the block of `open_standalone` runs."""

    engine: Engine
    provider: Provider
    prices: Prices
    calendar: Calendar


@asynccontextmanager
async def open_standalone(settings: Settings, *, must_exist: bool = False) -> AsyncIterator[Standalone]:
    """Made for one command. `must_exist`: a database that is not there is a SetupError, not made."""
    calendar = Calendar(zone(settings.time_zone))
    prices = pricing.read_prices(settings)
    async with open_engine(settings.database, must_exist=must_exist) as engine:
        ledger = Ledger(engine, prices, calendar)
        await ledger.start()
        async with Provider(settings, ledger, Scheduler(), engine) as provider:
            yield Standalone(engine, provider, prices, calendar)
