"""That the operator was shown a report by a command goes into the audit list."""

from __future__ import annotations

import logging

from bot.core.errors import BotError
from bot.core.settings import Settings
from bot.ops.control_socket import ask_running
from bot.privacy.access_log import AccessLog
from storage.database import is_shared, open_engine

log = logging.getLogger(__name__)


async def note_access(settings: Settings, about: str, scope: str, *, team: str = "") -> None:
    """The bot that runs here writes it down; where there is none, and a server keeps the list, we do.

    A file without a bot on it keeps no note: whoever can read it needs no command for it. Where it fails it
    is said.
    """
    try:
        asked = await ask_running(settings, "/looked", {"team": team, "about": about, "scope": scope})
        if not asked and is_shared(settings.database):
            await _write_down(settings, about, scope, team)
    except (BotError, TimeoutError) as exc:
        log.warning("this look is not in the audit list: %s", exc)


async def _write_down(settings: Settings, about: str, scope: str, team: str) -> None:
    async with open_engine(settings.database, must_exist=True) as engine:
        access_log = AccessLog(engine)
        access_log.note(team, "", about, scope)
        async with access_log.written_down():
            pass
