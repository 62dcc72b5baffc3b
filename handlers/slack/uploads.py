"""Files we give to people: uploaded to Slack's file host and shared in one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from bot.core.errors import SlackRefused, SlackUnavailable
from bot.core.proxies import find_proxy
from bot.core.settings import Settings
from handlers.slack.allowed_hosts import is_slack_address
from handlers.slack.client import SlackClient


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to upload. `alt_text` describes a picture."""

    name: str
    content: bytes
    title: str
    alt_text: str = ""


async def share_files(
    slack: SlackClient, settings: Settings, files: Sequence[Upload], *, channel: str, comment: str
) -> None:
    """Uploads files and shows them in one message of a conversation. SlackRefused or SlackUnavailable."""
    given = [{"id": await upload(slack, settings, file), "title": file.title} for file in files]
    await slack.call("files.completeUploadExternal", files=given, channel_id=channel, initial_comment=comment)


async def upload(slack: SlackClient, settings: Settings, file: Upload) -> str:
    """Uploads a file that nobody sees yet; its id. SlackRefused or SlackUnavailable."""
    alt = {"alt_txt": file.alt_text} if file.alt_text else {}
    place = await slack.get("files.getUploadURLExternal", filename=file.name, length=len(file.content), **alt)
    if not is_slack_address(place["upload_url"], settings.slack_api_url):
        raise SlackRefused("upload_url_elsewhere")
    session, url = slack.client.session, place["upload_url"]
    assert session is not None
    try:
        async with session.post(
            url, data=file.content, allow_redirects=False, proxy=find_proxy(url)
        ) as response:
            if response.status != 200:
                raise SlackUnavailable(f"file host: {response.status}")
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        raise SlackUnavailable(f"file host: {type(exc).__name__}") from exc
    return str(place["file_id"])
