"""Recordings recognised through the real provider and ledger, against a strict fake model API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.calendar import Calendar
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.costs import pricing
from bot.costs.ledger import Ledger
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from bot.sandbox.model.server import FakeModel
from bot.sandbox.rehearsal.recordings import RecognisedSpeech
from bot.voice.recognition import Recognizer
from storage.costs import ledger as ledger_rows
from storage.database import open_engine
from storage.engine import Engine
from tests.support.audio_files import tones
from tests.support.engines import database_url

SCOPE = Scope("T1", "C1", "U1", "T1:C1:1", "answer")


@dataclass
class Setting:
    recognizer: Recognizer
    model: FakeModel
    engine: Engine
    now: list[float]

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Requests with sound, oldest first."""
        return [r.body for r in self.model.requests if r.endpoint.startswith("audio/")]

    async def spent(self) -> list[dict[str, Any]]:
        used = partial(ledger_rows.used, by=("kind", "model"), where={})
        return await self.engine.read(used, "T1", "2000-01-01", "2100-01-01")


@asynccontextmanager
async def recognizer_on(
    tmp_path: Path,
    *,
    recognise: Callable[[bytes], RecognisedSpeech] = tones,
    speech: Any = None,
    speech_model: str = "whisper-1",
    **more: Any,
) -> AsyncIterator[Setting]:
    """`speech`: asked to transcribe in the place of the provider."""
    now = [1_795_000_000.0]
    calendar = Calendar(ZoneInfo("UTC"), clock=lambda: now[0])
    async with (
        FakeModel(recognise=recognise) as model,
        open_engine(database_url(tmp_path / "parley.db")) as engine,
    ):
        settings = Settings(
            openai_api_key="sk-1", openai_base_url=model.base_url, speech_model=speech_model, **more
        )
        prices = pricing.load_prices(base_url=model.base_url)
        ledger = Ledger(engine, prices, calendar)
        await ledger.start()
        async with Provider(settings, ledger, Scheduler(), engine) as provider:
            recognizer = Recognizer(
                settings, engine, speech or provider, provider.complete, prices=prices, calendar=calendar
            )
            yield Setting(recognizer, model, engine, now)
