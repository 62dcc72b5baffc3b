"""What is done once an hour: old rows go, and what was erased is gone from the database's files as well."""

from __future__ import annotations

import logging
import time

from bot.core.errors import BotError
from bot.core.settings import Settings
from bot.privacy import retention
from bot.privacy.portions import work_off
from storage.conversation import passed_over, replies
from storage.engine import Engine
from storage.jobs import inbox as jobs
from storage.provider import vectors
from storage.voice import recordings
from storage.workers import mailbox

log = logging.getLogger(__name__)


async def tidy_if_possible(engine: Engine, settings: Settings) -> None:
    """Erases what has outlived its use; what cannot be done now is done in an hour."""
    try:
        await tidy(engine, settings)
    except BotError as exc:
        log.error("housekeeping did not get through and is tried again in an hour: %s", exc)


async def tidy(engine: Engine, settings: Settings) -> None:
    """Erases what has outlived its use, in portions, so that nobody waits for long."""
    for tidy_rows in (jobs.tidy, replies.tidy, passed_over.tidy, recordings.tidy, vectors.tidy):
        await work_off(engine, tidy_rows, now=time.time())
    await engine.write(mailbox.drop_undeliverable)
    await retention.erase_due(engine, settings, now=time.time())
    await engine.scrub()  # what single turns erased is gone from the files as well
