"""How a command speaks to the bot that is running: a Unix socket that only its own user may open.

One process owns a database file, so what a command wants changed is asked of that process; when none runs
here, the command opens the database itself, as it may where several share it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from bot.core.errors import BotError, Missing
from bot.core.settings import Settings

# A Unix socket's path is short. Source: unix(7), sun_path has 108 bytes.
PATH_LIMIT = 100
LINE_BYTES = 64 << 20  # the longest thing told: what was said in a day


def socket_path(settings: Settings) -> Path:
    """Where the running bot listens: beside its database, or in a private folder when that path is too
    long, or the database is not on this machine. Of several bots here that share one, the newest listens."""
    name = settings.database
    if name.startswith("sqlite:"):
        database = Path(name.partition(":///")[2]).absolute()
        beside = database.with_name(database.name + ".sock")
        if len(str(beside)) <= PATH_LIMIT:
            return beside
        name = str(beside)
    folder = Path(tempfile.gettempdir()) / f"parley-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise BotError(f"{folder} belongs to somebody else")
    return folder / hashlib.sha256(name.encode()).hexdigest()[:32]


async def is_running(settings: Settings) -> bool:
    """Whether a bot is at work on this database."""
    try:
        _, writer = await asyncio.open_unix_connection(str(socket_path(settings)))
    except OSError:  # no socket, or one left behind
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def lines_from_running(
    settings: Settings, path: str, body: Mapping[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """What the running bot tells, line by line, while it does something that takes its time."""
    connector = aiohttp.UnixConnector(path=str(socket_path(settings)))
    endless = aiohttp.ClientTimeout(total=None, sock_read=None)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=endless, read_bufsize=LINE_BYTES) as session,
            session.post(f"http://parley{path}", json=body) as answer,
        ):
            answer.raise_for_status()
            while line := await answer.content.readuntil():
                yield json.loads(line)
    except aiohttp.ClientError as exc:
        raise BotError(f"the running bot could not do it: {exc}") from exc


async def ask_running(settings: Settings, path: str, body: Mapping[str, Any] | None = None) -> bool:
    """Asks the running bot to do something; False when none runs. Missing when there is no such thing."""
    connector = aiohttp.UnixConnector(path=str(socket_path(settings)))
    try:
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"http://parley{path}", json=body) as answer,
        ):
            if answer.status == 404:
                raise Missing(await answer.text())
            answer.raise_for_status()
            return True
    except aiohttp.ClientConnectorError:
        return False
    except aiohttp.ClientError as exc:
        raise BotError(f"the running bot could not do it: {exc}") from exc
