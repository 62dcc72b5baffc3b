"""A person's post as an `Incoming`.

What has another shape than Slack's raises one of AttributeError, LookupError, TypeError and ValueError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.core.ids import message_key
from bot.core.settings import Settings
from bot.core.values import Incoming
from handlers.slack import mrkdwn
from handlers.slack.contents import Contents, is_own_card, quote_app, read_contents
from handlers.slack.payloads import is_external, list_app_ids, team_of
from handlers.slack.places import find_place
from handlers.slack.reading import Findings, Reading, as_text
from handlers.slack.rich_text import find_mentioned

_CARD_TEXTS = ("text", "pretext", "value")
DEEPEST_CARD = 12  # levels of lists and objects
# A link to a message, which Slack quotes a moment later in another event of the post.
_MESSAGE_LINK = re.compile(r"https://[\w.-]+\.slack\.com/archives/\w+/p\d{16}")


def incoming_from(
    body: dict[str, Any], event: dict[str, Any], message: dict[str, Any], bot: str, settings: Settings
) -> Incoming:
    """A person's post as a value. `message` is the event itself, or the new version inside an edit.

    An edit that makes a post a question makes it one now, however old the post is.
    """
    team, channel, ts = team_of(body), event["channel"], message["ts"]
    if not all(isinstance(id, str) for id in (channel, ts, message["user"], message.get("thread_ts") or "")):
        raise TypeError("an id that is no text")
    found = read_contents(message, bot=bot, asks=True)
    told_as_mention = event.get("type") == "app_mention"
    mentioned = find_mention(message, bot)
    return Incoming(
        key=message_key(team, channel, ts),
        conversation=find_place(settings, team, channel, message.get("thread_ts") or ts),
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


def app_post_from(
    body: dict[str, Any], event: dict[str, Any], message: dict[str, Any], bot: str, settings: Settings
) -> Incoming:
    """What another app posted, to be remembered as its words: nobody asks anything with it."""
    by_nobody = incoming_from(body, event, {**message, "user": ""}, bot, settings)
    quoted = quote_app(message, bot=bot)
    return replace(by_nobody, text="", quoted=quoted, files=(), unreadable=(), mentioned=False)


def app_question_from(
    body: dict[str, Any], event: dict[str, Any], message: dict[str, Any], bot: str, settings: Settings
) -> Incoming:
    """What another app asks: its words are the question, as a person's are. Who asks is its user, or its bot
    where it has none."""
    by_app = {**message, "user": list_app_ids(message)[0]}
    asked = incoming_from(body, event, by_app, bot, settings)
    found = find_app_mention(message, bot)
    mentioned = asked.mentioned if found is None else found
    return replace(asked, direct=False, mentioned=mentioned, by_app=True)


def find_app_mention(message: dict[str, Any], bot: str) -> bool | None:
    """Whether an app mentions the bot in what it wrote itself: text, blocks, cards. None: it is nowhere."""
    found = find_mention({**message, "attachments": None}, bot)
    if found is not None:
        return found
    cards = Reading(Findings()).each(message.get("attachments"))
    own = [card for card in cards if is_own_card(card, by_app=True)]
    if any(find_mentioned(card.get("blocks")).get(bot) for card in own):
        return True
    if any(mrkdwn.is_mentioned(text, bot) for text in _list_texts([message.get("blocks"), own])):
        return True
    return False if bot and bot in repr((message.get("blocks"), message.get("attachments"))) else None


def _list_texts(part: Any, depth: int = 0) -> Iterator[str]:
    """The texts in an app's blocks and cards that Slack reads as mrkdwn."""
    if depth > DEEPEST_CARD:
        return
    if isinstance(part, list):
        for each in part:
            yield from _list_texts(each, depth + 1)
    elif isinstance(part, dict) and part.get("type") not in ("plain_text", "rich_text"):
        for name, value in part.items():
            if name in _CARD_TEXTS and isinstance(value, str):
                yield value
            else:
                yield from _list_texts(value, depth + 1)


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
