"""How a command speaks to the bot that is running: a Unix socket that only its own user may open.

One process owns the database file, so what a command wants changed is asked of that process; when none
runs, the command opens the database itself.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import aiohttp

from bot.config import Settings
from bot.errors import BotError, Missing

# A Unix socket's path is short. Source: unix(7), sun_path has 108 bytes.
PATH_LIMIT = 100


def socket_path(settings: Settings) -> Path:
    """Where the running bot listens: beside its database, or in a private folder when that path is too
    long."""
    database = Path(settings.database.partition(":///")[2]).absolute()
    beside = database.with_name(database.name + ".sock")
    if len(str(beside)) <= PATH_LIMIT:
        return beside
    folder = Path(tempfile.gettempdir()) / f"parley-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise BotError(f"{folder} belongs to somebody else")
    return folder / hashlib.sha256(str(beside).encode()).hexdigest()[:32]


async def ask_running(settings: Settings, path: str) -> bool:
    """Asks the running bot to do something; False when none runs. Missing when there is no such thing."""
    connector = aiohttp.UnixConnector(path=str(socket_path(settings)))
    try:
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://parley{path}") as answer,
        ):
            if answer.status == 404:
                raise Missing(await answer.text())
            answer.raise_for_status()
            return True
    except aiohttp.ClientConnectorError:
        return False
