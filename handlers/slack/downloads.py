"""Files in Slack, fetched: the token goes to Slack's file host and nowhere else, and no file is endless.

Neither name, type, size nor HTTP 200 of a file is believed: Slack answers a request it does not like with its
sign-in page. What the bytes are is found out by whoever opens them (bot/voice/decoding.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bot.core.errors import FileTooLarge, SlackRefused, SlackUnavailable, UnsupportedFile
from bot.core.settings import Settings
from bot.core.temporary import MEGABYTE, NO_ROOM, SPACE, NoRoomLeft, TemporaryFolder, is_disk_full
from bot.core.values import File
from handlers.slack.allowed_hosts import is_slack_address
from handlers.slack.client import SlackClient
from handlers.slack.payloads import file_from

log = logging.getLogger(__name__)

FETCH_DEADLINE_S = 300.0
SIGN_IN_RETRY_S = 5.0  # now and then the sign-in page comes for a file that is only not ready yet
CHUNK_BYTES = 1 << 18
_HTML = (b"<!doctype html", b"<html")
# Slack's words for a file that is gone. Source: the error table of files.info.
_GONE = frozenset({"file_not_found", "file_deleted"})


class SignInPage(Exception):
    """Slack answered with its sign-in page instead of the file."""


class SlackFiles:
    """The files of one workspace."""

    def __init__(
        self,
        settings: Settings,
        slack: SlackClient,
        session: aiohttp.ClientSession,
        *,
        deadline_s: float = FETCH_DEADLINE_S,
        sign_in_retry_s: float = SIGN_IN_RETRY_S,
    ) -> None:
        self._settings = settings
        self._slack = slack
        self._session = session
        self._deadline_s = deadline_s
        self._sign_in_retry_s = sign_in_retry_s
        self._limit_bytes = settings.file_limit_mb * MEGABYTE

    @asynccontextmanager
    async def fetched(self, file: File) -> AsyncIterator[Path]:
        """The file on this machine, until the block ends.

        Raises UnsupportedFile with the reason, FileTooLarge, or SlackUnavailable: worth trying later.
        """
        if not is_slack_address(file.url, self._settings.slack_api_url):
            raise UnsupportedFile(file.name, "it is not kept by Slack")
        if file.size_bytes > self._limit_bytes:
            raise self._too_large(file)
        with SPACE.folder(self._settings.temporary_limit_mb) as folder:
            path = folder.path / "file"  # the name somebody gave it stays out of the file system
            await self._fetch(file, path, folder)
            yield path

    async def details(self, file: File) -> File:
        """What Slack tells of a file when it is asked. UnsupportedFile, SlackUnavailable."""
        try:
            answer = await self._slack.get("files.info", file=file.id)
        except SlackRefused as exc:
            reason = (
                "it is not there any more"
                if exc.code in _GONE
                else f"Slack does not show it to me ({exc.code})"
            )
            raise UnsupportedFile(file.name or "in your message", reason) from exc
        return file_from(answer["file"])

    async def _fetch(self, file: File, path: Path, folder: TemporaryFolder) -> None:
        try:
            async with asyncio.timeout(self._deadline_s):
                try:
                    await self._load(file, path, folder)
                except SignInPage:
                    await asyncio.sleep(self._sign_in_retry_s)
                    await self._load(file, path, folder)
        except NoRoomLeft as exc:
            log.warning("temporary files take all that PARLEY_TEMPORARY_LIMIT_MB gives them")
            raise UnsupportedFile(file.name, NO_ROOM) from exc
        except SignInPage as exc:
            log.error("Slack shows its sign-in page instead of a file: is the scope files:read granted?")
            raise UnsupportedFile(file.name, "Slack does not let me read it") from exc
        except TimeoutError as exc:
            raise UnsupportedFile(file.name, "it took too long to load") from exc
        except (aiohttp.ClientError, OSError) as exc:
            if isinstance(exc, OSError) and is_disk_full(exc):
                log.error("the disk is full: no file can be fetched")
                raise UnsupportedFile(file.name, NO_ROOM) from exc
            raise SlackUnavailable(f"file host: {type(exc).__name__}") from exc

    async def _load(self, file: File, path: Path, folder: TemporaryFolder) -> None:
        headers = {"Authorization": f"Bearer {self._settings.slack_bot_token}", "Accept-Encoding": "identity"}
        size = 0
        async with self._session.get(file.url, headers=headers, allow_redirects=False) as response:
            _check_status(file, response)
            if (response.content_length or 0) > self._limit_bytes:
                raise self._too_large(file)
            with path.open("wb") as out:
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    if not size and _is_sign_in(file, chunk, response.content_length):
                        raise SignInPage
                    size += len(chunk)
                    if size > self._limit_bytes:
                        raise self._too_large(file)
                    folder.take(len(chunk))
                    out.write(chunk)

    def _too_large(self, file: File) -> FileTooLarge:
        return FileTooLarge(file.name, f"{self._settings.file_limit_mb} MB")


@asynccontextmanager
async def open_files(settings: Settings, slack: SlackClient) -> AsyncIterator[SlackFiles]:
    """A connection pool of its own: a large file holds up no answer, and no cookie is kept."""
    timeout = aiohttp.ClientTimeout(total=None, connect=10, sock_read=30)
    async with aiohttp.ClientSession(
        timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=True
    ) as session:
        yield SlackFiles(settings, slack, session)


def _check_status(file: File, response: aiohttp.ClientResponse) -> None:
    """Raises the error that a status other than 200 stands for."""
    status = response.status
    if status == 200:
        return
    if status == 429 or status >= 500:
        after = response.headers.get("Retry-After", "")
        raise SlackUnavailable(
            f"file host: {status}", retry_after_s=float(after) if after.isdigit() else None
        )
    if 300 <= status < 400:
        raise SignInPage  # where to is not asked: the token stays here
    if status in (404, 410):
        raise UnsupportedFile(file.name, "it is not there any more")
    raise UnsupportedFile(file.name, f"Slack does not show it to me ({status})")


def _is_sign_in(file: File, beginning: bytes, length: int | None) -> bool:
    """Whether a page comes that is not the file: a page that somebody uploaded has the file's length."""
    if file.mime == "text/html" or (file.size_bytes and length == file.size_bytes):
        return False
    return beginning.lstrip()[:32].lower().startswith(_HTML)
