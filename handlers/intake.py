"""What arrives from Slack becomes an `Incoming` and is on disk before Slack hears that we have it.

`receive` runs as Bolt's `before_authorize` middleware: after the signature check, before any request to
Slack. A person's post is committed to the inbox and acknowledged here; what only concerns stored text (an
edit, a deletion) is carried out here too. Everything else goes on to the listeners in handlers/__init__.py.
If a commit fails this raises, Slack gets a failure and delivers again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.conversation.service import Turns
from bot.core.values import Conversation, File, Incoming
from bot.voice.service import Clips
from handlers.slack import mrkdwn
from handlers.slack.allowed_hosts import pinned
from handlers.slack.client import SlackClient

log = logging.getLogger(__name__)

# Subtypes of `message` that are a person saying something.
# Source: https://docs.slack.dev/reference/events/message#subtypes
SAID = frozenset({None, "file_share", "thread_broadcast", "me_message"})
# Subtypes of a file that was recorded in Slack's own client.
CLIPS = frozenset({"slack_audio", "slack_video"})
# What stays of a deleted message that has replies.
TOMBSTONE = "tombstone"
ACKNOWLEDGED = 200
NOT_A_DELIVERY = 400
SLACKBOT = "USLACKBOT"
# Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
RESPONSE_HOST = "hooks.slack.com"


class Intake:
    """The middleware, holding what it needs of the house."""

    def __init__(self, turns: Turns, clips: Clips, door: SlackClient) -> None:
        self._turns = turns
        self._clips = clips
        self._door = door

    async def receive(
        self, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Stores a person's post before Bolt acknowledges it; if this raises, Slack sends it again."""
        body = req.body if isinstance(req.body, dict) else {}
        if not self._may_answer(body):
            log.warning("a delivery that wants its answer sent elsewhere than to Slack")
            return BoltResponse(status=NOT_A_DELIVERY, body="")
        event = body.get("event")
        if not isinstance(event, dict) or event.get("type") not in ("message", "app_mention"):
            return await next()
        try:
            await self._take(req.body, event)
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            log.warning(
                "a %s event of a shape that Slack does not send: %s", event["type"], type(exc).__name__
            )
            return BoltResponse(status=NOT_A_DELIVERY, body="")
        return BoltResponse(status=ACKNOWLEDGED, body="")

    def _may_answer(self, body: dict[str, Any]) -> bool:
        """Whether the addresses that answers are to be sent to are Slack's."""
        given = [
            body.get("response_url"),
            *(one.get("response_url") for one in body.get("response_urls") or ()),
        ]
        api = self._door.client.base_url
        return all(pinned(url, api, host=RESPONSE_HOST) for url in given if url)

    async def _take(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        match event.get("subtype"):
            case "message_changed" if (event.get("message") or {}).get("subtype") == TOMBSTONE:
                await self._deleted(body, event, event["message"]["ts"])
            case "message_changed":
                await self._edited(body, event)
            case "message_deleted":
                await self._deleted(body, event, event["deleted_ts"])
            case subtype if subtype in SAID:
                await self._said(body, event, event)

    async def _deleted(self, body: dict[str, Any], event: dict[str, Any], ts: str) -> None:
        team, channel = team_of(body), event["channel"]
        key = message_key(team, channel, ts)
        await self._turns.deleted(key, team, channel, ts)
        await self._clips.forget_message(key, team, channel, ts)

    async def _edited(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        """An edit changes what is remembered; one that adds a mention is a question."""
        after, before = event.get("message") or {}, event.get("previous_message") or {}
        bot = self._bot_user(body)
        if is_bot(after, bot) or after.get("text") == before.get("text"):
            return
        team, channel, ts = team_of(body), event["channel"], after["ts"]
        text = mrkdwn.readable(after.get("text", ""), without=bot)
        await self._turns.edited(message_key(team, channel, ts), team, channel, ts, text)
        if mrkdwn.mentions(after.get("text", ""), bot) and not mrkdwn.mentions(before.get("text", ""), bot):
            await self._said(body, event, after)

    async def _said(self, body: dict[str, Any], event: dict[str, Any], message: dict[str, Any]) -> None:
        bot = self._bot_user(body)
        if is_bot(message, bot) or not message.get("user"):
            return
        incoming = incoming_from(body, event, message, bot)
        if incoming.direct or incoming.mentioned:
            await self._turns.take(incoming)
            return
        if message.get("thread_ts"):
            to_another = mrkdwn.addressed_to_another(message.get("text", ""), bot)
            await (self._turns.overhear if to_another else self._turns.take_follow_up)(incoming)
        await self._clips.overhear(incoming)

    def _bot_user(self, body: dict[str, Any]) -> str:
        """Our own user id, as the delivery itself names it."""
        for authorization in body.get("authorizations") or ():
            if authorization.get("is_bot") and authorization.get("user_id"):
                self._door.bot_user = authorization["user_id"]
        return self._door.bot_user


def incoming_from(body: dict[str, Any], event: dict[str, Any], message: dict[str, Any], bot: str) -> Incoming:
    """A person's post as a value. `message` is the event itself, or the new version inside an edit.

    An edit that makes a post a question makes it one now, however old the post is.
    """
    team, channel, ts = team_of(body), event["channel"], message["ts"]
    text = message.get("text") or ""
    if not all(isinstance(id, str) for id in (channel, ts, message["user"], message.get("thread_ts") or "")):
        raise TypeError("an id that is no text")
    direct = event.get("channel_type") == "im"
    return Incoming(
        key=message_key(team, channel, ts),
        conversation=Conversation(team, channel, message.get("thread_ts") or ts),
        user=message["user"],
        message=ts,
        text=mrkdwn.readable(text, without=bot),
        sent_at=datetime.fromtimestamp(float((message.get("edited") or {}).get("ts") or ts), UTC),
        direct=direct,
        mentioned=event.get("type") == "app_mention" or mrkdwn.mentions(text, bot),
        external=is_external(body, message, team),
        files=tuple(file_from(f) for f in message.get("files") or () if isinstance(f, dict) and f.get("id")),
    )


def file_from(file: dict[str, Any]) -> File:
    return File(
        id=file["id"],
        name=file.get("name") or "",
        mime=file.get("mimetype") or "",
        size_bytes=int(file.get("size") or 0),
        url=file.get("url_private_download") or file.get("url_private") or "",
        voice=file.get("subtype") in CLIPS,
        stub=file.get("file_access") == "check_file_info",
    )


def message_key(team: str, channel: str, ts: str) -> str:
    """One post, however many events and deliveries tell of it."""
    return f"m:{team}:{channel}:{ts}"


def team_of(body: dict[str, Any]) -> str:
    return body.get("team_id") or body.get("enterprise_id") or ""


def is_bot(message: dict[str, Any], bot: str) -> bool:
    """Said by us or by another bot: never answered, so that bots cannot talk in circles."""
    return bool(message.get("bot_id")) or message.get("user") in (bot, SLACKBOT)


def is_external(body: dict[str, Any], message: dict[str, Any], team: str) -> bool:
    home = {team, body.get("enterprise_id")}
    elsewhere = {message.get("user_team"), message.get("source_team")} - home - {None, ""}
    return bool(body.get("is_ext_shared_channel")) or bool(elsewhere)
