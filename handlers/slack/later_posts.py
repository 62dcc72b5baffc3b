"""What somebody posted in a thread since a post of theirs, read from Slack as it would be delivered."""

from __future__ import annotations

import logging
from typing import Any

from bot.core.errors import SlackRefused
from bot.core.ids import is_earlier
from bot.core.settings import Settings
from bot.core.values import Incoming
from handlers.slack.client import SlackClient
from handlers.slack.payloads import POST_SUBTYPES, is_bot
from handlers.slack.posts import incoming_from

log = logging.getLogger(__name__)

PAGE = 200
PAGES = 5


async def read_later_posts(
    slack: SlackClient, settings: Settings, asked: Incoming
) -> tuple[list[Incoming], str]:
    """The asker's posts that do not mention us, oldest first; and the newest post of anybody."""
    place, bot = asked.conversation, await slack.find_bot_user()
    posts, newest, cursor = list[Incoming](), "", ""
    for _ in range(PAGES):
        try:
            page = await slack.get(
                "conversations.replies",
                channel=place.channel,
                ts=place.thread,
                oldest=asked.message,
                limit=PAGE,
                **({"cursor": cursor} if cursor else {}),
            )
        except SlackRefused as exc:
            log.warning("what follows a mention cannot be read: %s", exc.code)
            break
        for message in page.get("messages") or ():
            newest = max(newest, message["ts"])
            if is_earlier(asked.message, message["ts"]) and _is_by(message, asked.user, bot):
                posts.append(_read_post(message, asked, bot, settings))
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    return [post for post in posts if not post.mentioned], newest


def _is_by(message: dict[str, Any], user: str, bot: str) -> bool:
    """Whether it is a post of that person. One that mentions us is delivered as a question by itself."""
    subtype = message.get("subtype")
    return subtype in POST_SUBTYPES and message.get("user") == user and not is_bot(message, bot)


def _read_post(message: dict[str, Any], asked: Incoming, bot: str, settings: Settings) -> Incoming:
    place = asked.conversation
    event = {"type": "message", "channel": place.channel, "channel_type": "channel"}
    return incoming_from({"team_id": place.team}, event, message, bot, settings)
