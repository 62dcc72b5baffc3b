"""Files shared in the fake Slack and fetched from there, or from a server that misbehaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.settings import Settings
from bot.core.values import File
from bot.sandbox.slack.people.acts import FileUpload
from bot.sandbox.slack.server import FakeSlack
from handlers.slack.client import SlackClient
from handlers.slack.downloads import SlackFiles
from handlers.slack.payloads import file_from

CONTENT = b"RIFF" + bytes(5_000)


@asynccontextmanager
async def files(slack: FakeSlack, *, temporary_limit_mb: int = 4, **more: Any) -> AsyncIterator[SlackFiles]:
    settings = Settings(
        slack_bot_token=slack.bot_token,
        slack_api_url=slack.api_url,
        file_limit_mb=1,
        temporary_limit_mb=temporary_limit_mb,
    )
    client = SlackClient(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[]))
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield SlackFiles(settings, client, session, sign_in_retry_s=0.01, **more)


async def shared(slack: FakeSlack, content: bytes = CONTENT, **more: Any) -> File:
    """What the bot is told of a file that somebody drops into a channel."""
    upload = FileUpload("audio_message.mp4", content, voice=True, duration_s=3, more=more)
    ts = await slack.say("alice", "#general", "", files=[upload])
    return replace(file_from(slack.thread("#general", ts)[0]["files"][0]), name="../../<!channel>.mp4")


async def fetched(slack: FakeSlack, file: File) -> bytes:
    async with files(slack) as slack_files, slack_files.fetched(file) as path:
        return path.read_bytes()


BAD = (
    "",
    "files.slack.com/x",
    "//files.slack.com/x",
    "http://files.slack.com/x",
    "ftp://files.slack.com/x",
    "file:///etc/passwd",
    "data:audio/wav;base64,AAAA",
    "https://files.slack.com:444/x",
    "https://files.slack.com:80/x",
    "https://files.slack.com@evil.example/x",
    "https://files.slack.com:443@evil.example/x",
    "https://user@files.slack.com/x",
    "https://user:password@files.slack.com/x",
    "https://:@files.slack.com/x",
    "https://files.slack.com.evil.example/x",
    "https://evil.example/files.slack.com",
    "https://evil.example#@files.slack.com/",
    "https://evil.example?@files.slack.com/",
    "https://evil.example\\@files.slack.com/",
    "https://files.slack.com\\.evil.example/",
    "https://files-slack.com/x",
    "https://xfiles.slack.com/x",
    "https://slack.com/x",
    "https://a.files.slack.com/x",
    "https://files.slack.com./x",
    "https://files.slack.com%2eevil.example/x",
    "https://files.slack.com%00.evil.example/x",
    "https://files。slack。com.evil.example/x",
    "https://fіles.slack.com/x",  # a Cyrillic letter
    "https://drive.example/document",
    "https://127.0.0.1/x",
    "https://[::1]/x",
    "https://169.254.169.254/latest",
    "https://files.slack.com:x/y",
    "https://[files.slack.com/x",
    "javascript:alert(1)//https://files.slack.com",
)
