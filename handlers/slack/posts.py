"""A person's post as an `Incoming`.

What has another shape than Slack's raises one of AttributeError, LookupError, TypeError and ValueError.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.core.ids import message_key
from bot.core.values import Conversation, Incoming
from handlers.slack import mrkdwn
from handlers.slack.contents import Contents, quote_app, read_contents
from handlers.slack.payloads import is_external, team_of
from handlers.slack.reading import as_text
from handlers.slack.rich_text import find_mentioned

# A link to a message, which Slack quotes a moment later in another event of the post.
_MESSAGE_LINK = re.compile(r"https://[\w.-]+\.slack\.com/archives/\w+/p\d{16}")


def incoming_from(body: dict[str, Any], event: dict[str, Any], message: dict[str, Any], bot: str) -> Incoming:
    """A person's post as a value. `message` is the event itself, or the new version inside an edit.

    An edit that makes a post a question makes it one now, however old the post is.
    """
    team, channel, ts = team_of(body), event["channel"], message["ts"]
    if not all(isinstance(id, str) for id in (channel, ts, message["user"], message.get("thread_ts") or "")):
        raise TypeError("an id that is no text")
    found = read_contents(message, bot=bot)
    told_as_mention = event.get("type") == "app_mention"
    mentioned = find_mention(message, bot)
    return Incoming(
        key=message_key(team, channel, ts),
        conversation=Conversation(team, channel, message.get("thread_ts") or ts),
        user=message["user"],
        message=ts,
        text=found.text,
        sent_at=datetime.fromtimestamp(float((message.get("edited") or {}).get("ts") or ts), UTC),
        direct=event.get("channel_type") == "im",
        mentioned=told_as_mention if mentioned is None else mentioned,
        to_others=not told_as_mention and mrkdwn.mentions_another(as_text(message.get("text")), bot),
        external=is_external(body, message, team),
        files=found.files,
        quoted=found.quoted,
        unreadable=found.unreadable,
        unfinished=_is_unfinished(found, told_as_mention=told_as_mention),
    )


def app_post_from(body: dict[str, Any], event: dict[str, Any], message: dict[str, Any], bot: str) -> Incoming:
    """What another app posted, to be remembered as its words: nobody asks anything with it."""
    by_nobody = incoming_from(body, event, {**message, "user": ""}, bot)
    quoted = quote_app(message, bot=bot)
    return replace(by_nobody, text="", quoted=quoted, files=(), unreadable=(), mentioned=False)


def find_mention(message: dict[str, Any], bot: str) -> bool | None:
    """Whether its author mentions the bot: not in code, not in what others wrote. None: it is nowhere."""
    in_blocks = find_mentioned(message.get("blocks")).get(bot)
    if in_blocks is not None:
        return in_blocks
    text = message.get("text")
    if isinstance(text, str) and f"<@{bot}" in text:
        return mrkdwn.is_mentioned(text, bot)
    return False if bot and bot in repr(message.get("attachments")) else None


def _is_unfinished(found: Contents, *, told_as_mention: bool) -> bool:
    """Whether more of a post is to be expected: an `app_mention` may come before its files, and Slack quotes
    the messages that are linked to a moment later."""
    nothing = not (found.text or found.quoted or found.files or found.unreadable)
    return (told_as_mention and nothing) or (not found.quoted and bool(_MESSAGE_LINK.search(found.text)))
