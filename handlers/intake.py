"""Stores what arrives from Slack before Slack is told that we have it.

Both ways in follow the signature check and come before any request to Slack: `take_post`, which
handlers/slack/deliveries.py hands posts to, and `receive`, Bolt's `before_authorize` middleware. A person's
post, or an invitation into a channel, is committed to the inbox and acknowledged here; what only concerns
stored text (an edit, a deletion) is carried out here too. That the app was removed is written down here, and
goes on with everything else to the listeners of handlers/routes.py.
If a commit fails this raises, Slack gets a failure and delivers again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from bot.conversation.posts import Posts
from bot.core.arrivals import ArrivalOrder
from bot.core.ids import message_key
from bot.core.settings import Settings, split_list
from bot.jobs.deliveries import SignedDeliveries
from bot.knowledge.following import DocumentFollower
from bot.privacy.forgetting import Forgetting
from bot.voice.service import Clips
from bot.welcome.invitations import Invitations
from handlers.slack.allowed_hosts import is_slack_address
from handlers.slack.bolt import AsyncBoltRequest, BoltResponse
from handlers.slack.client import SlackClient
from handlers.slack.contents import read_contents
from handlers.slack.deliveries import ACKNOWLEDGED, POSTS, SIGNATURE
from handlers.slack.payloads import (
    BY_APP,
    POST_SUBTYPES,
    TOMBSTONE,
    invitation_from,
    is_bot,
    is_own,
    list_app_ids,
    team_of,
)
from handlers.slack.posts import (
    app_post_from,
    app_question_from,
    find_app_mention,
    find_mention,
    incoming_from,
)

log = logging.getLogger(__name__)

NOT_A_DELIVERY = 400
QUICK_S = (
    600.0  # so long after a post its edit may arrive before it. Source: three retries within six minutes
)
JOINED = "member_joined_channel"
REMOVED = "app_uninstalled"
# Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
RESPONSE_HOST = "hooks.slack.com"


class Intake:
    """The middleware before all listeners: posts are stored here, the rest goes on."""

    def __init__(
        self,
        posts: Posts,
        clips: Clips,
        invitations: Invitations,
        forgetting: Forgetting,
        deliveries: SignedDeliveries,
        documents: DocumentFollower,
        slack: SlackClient,
        settings: Settings,
        *,
        order: ArrivalOrder | None = None,
    ) -> None:
        """`order`: where commits may overtake each other, what keeps those of a channel in theirs."""
        self._posts = posts
        self._clips = clips
        self._invitations = invitations
        self._deliveries = deliveries
        self._forgetting = forgetting
        self._documents = documents
        self._slack = slack
        self._order = order
        self._settings = settings
        self._asking_apps = frozenset(id.upper() for id in split_list(settings.asking_apps))

    async def take_post(self, body: dict[str, Any]) -> int:
        """Stores a post before it is acknowledged; the status of the answer. If this raises, Slack sends it
        again."""
        if not self._is_answered_to_slack(body):
            log.warning("a delivery that wants its answer sent elsewhere than to Slack")
            return NOT_A_DELIVERY
        event = body["event"]
        try:
            async with self._order.keep(event.get("channel")) if self._order else nullcontext():
                await self._sort(body, event)
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            log.warning(
                "a %s event of a shape that Slack does not send: %s", event["type"], type(exc).__name__
            )
            return NOT_A_DELIVERY
        return ACKNOWLEDGED

    async def receive(
        self, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Whatever comes by Bolt: what is no post, and posts too where they come so."""
        body = req.body if isinstance(req.body, dict) else {}
        if not self._is_answered_to_slack(body):
            log.warning("a delivery that wants its answer sent elsewhere than to Slack")
            return BoltResponse(status=NOT_A_DELIVERY, body="")
        event = body.get("event")
        asks = event is None and bool(body.get("command") or body.get("type"))
        if asks and not await self._is_first(req):
            log.warning("a command or a button that was delivered before: it is not carried out again")
            return BoltResponse(status=ACKNOWLEDGED, body="")
        if not isinstance(event, dict):
            return await next()
        if event.get("type") == REMOVED:
            await self._forgetting.note_removed(team_of(body))
        if not self._is_stored(body, event):
            return await next()
        return BoltResponse(status=await self.take_post(body), body="")

    async def _is_first(self, req: AsyncBoltRequest) -> bool:
        """Whether what is asked for was not asked by the very same delivery before. Over a socket nothing is
        signed, and nobody else can deliver."""
        [signature] = req.headers.get(SIGNATURE.lower()) or [""]
        return not signature or await self._deliveries.take(signature)

    def _is_stored(self, body: dict[str, Any], event: dict[str, Any]) -> bool:
        """Whether an event is a post, or that we, and nobody else, came into a channel."""
        if event.get("type") == JOINED:
            return bool(event.get("user")) and event["user"] == self._find_bot_user(body)
        return event.get("type") in POSTS

    def _is_answered_to_slack(self, body: dict[str, Any]) -> bool:
        """Whether all addresses to which answers would be sent are Slack's."""
        given = [
            body.get("response_url"),
            *(one.get("response_url") for one in body.get("response_urls") or ()),
        ]
        api = self._slack.client.base_url
        return all(is_slack_address(url, api, host=RESPONSE_HOST) for url in given if url)

    async def _sort(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        if event["type"] == JOINED:
            await self._invitations.take(invitation_from(body, event))
            return
        match event.get("subtype"):
            case "message_changed" if (event.get("message") or {}).get("subtype") == TOMBSTONE:
                await self._apply_deletion(body, event, event["message"]["ts"])
            case "message_changed":
                await self._apply_edit(body, event)
            case "message_deleted":
                await self._apply_deletion(body, event, event["deleted_ts"])
            case "channel_convert_to_private":
                await self._documents.note(team_of(body), "channel", event["channel"])
            case subtype if subtype in POST_SUBTYPES or subtype == BY_APP:
                await self._store(body, event, event)

    async def _apply_deletion(self, body: dict[str, Any], event: dict[str, Any], ts: str) -> None:
        team, channel = team_of(body), event["channel"]
        key = message_key(team, channel, ts)
        await self._posts.apply_deletion(key, team, channel, ts)
        await self._note_kept_thread(team, channel, event.get("previous_message") or {})
        await self._documents.note(team, "message", f"{channel}:{ts}", happened="deleted")
        await self._clips.forget_message(key, team, channel, ts)

    async def _apply_edit(self, body: dict[str, Any], event: dict[str, Any]) -> None:
        """Changes the stored text; an edit that adds a mention is a question.

        What Slack adds to a post by itself (a quote of what its link leads to) is no edit by its author.
        """
        after, before = event.get("message") or {}, event.get("previous_message") or {}
        bot = self._find_bot_user(body)
        if is_bot(after, bot):
            await self._apply_edit_of_app(body, event, after, before)
            return
        if not after.get("user"):
            return
        changed, was = incoming_from(body, event, after, bot, self._settings), read_contents(before, bot=bot)
        if changed.text == was.text and after.get("text") == before.get("text"):
            await self._posts.add(changed)
            return
        await self._note_kept_thread(team_of(body), event["channel"], after)
        if _is_quick(after):  # the post itself may be on its way, or could not be stored and comes again
            await self._posts.take_early_edit(replace(changed, edited=True))
        await self._posts.apply_edit(changed)
        if changed.mentioned and not find_mention(before, bot):
            await self._store(body, event, after)

    async def _note_kept_thread(self, team: str, channel: str, message: dict[str, Any]) -> None:
        """A thread that is kept as a document goes with what is said in it now."""
        if root := message.get("thread_ts") or message.get("ts"):
            await self._documents.note(team, "thread", f"{channel}:{root}", happened="changed")

    async def _store(self, body: dict[str, Any], event: dict[str, Any], message: dict[str, Any]) -> None:
        bot = self._find_bot_user(body)
        if is_bot(message, bot):
            await self._store_of_app(body, event, message)
            return
        if not message.get("user"):
            return
        incoming = incoming_from(body, event, message, bot, self._settings)
        if incoming.direct or incoming.mentioned:
            take = self._posts.take_late_mention if message.get("edited") else self._posts.take
            await take(incoming)
            return
        await self._posts.take_unmentioned(incoming)
        await self._clips.transcribe_unasked(incoming)

    async def _store_of_app(
        self, body: dict[str, Any], event: dict[str, Any], message: dict[str, Any]
    ) -> None:
        """What another app posted: a question, where the operator lets it ask and it mentions us."""
        bot = self._find_bot_user(body)
        if is_own(body, message, bot):
            return
        asks = self._may_ask(message)
        asked = app_question_from(body, event, message, bot, self._settings) if asks else None
        if asked is not None and asked.mentioned:
            await self._posts.take_from_app(asked)
        elif message.get("thread_ts"):
            await self._posts.remember_aside(app_post_from(body, event, message, bot, self._settings))

    async def _apply_edit_of_app(
        self, body: dict[str, Any], event: dict[str, Any], after: dict[str, Any], before: dict[str, Any]
    ) -> None:
        bot = self._find_bot_user(body)
        if is_own(body, after, bot):
            return
        asked = app_question_from(body, event, after, bot, self._settings) if self._may_ask(after) else None
        if asked is None or not asked.mentioned:
            await self._posts.change_remembered(app_post_from(body, event, after, bot, self._settings))
            return
        await self._posts.apply_edit(asked)
        if not find_app_mention(before, bot):
            await self._posts.take_from_app(asked)

    def _may_ask(self, message: dict[str, Any]) -> bool:
        """Whether the operator named the app, the bot or the workflow that wrote it."""
        return not self._asking_apps.isdisjoint(id.upper() for id in list_app_ids(message))

    def _find_bot_user(self, body: dict[str, Any]) -> str:
        """Our own user id, as the delivery itself names it."""
        for authorization in body.get("authorizations") or ():
            if authorization.get("is_bot") and authorization.get("user_id"):
                self._slack.learn_bot_user(authorization["user_id"])
        return self._slack.bot_user


def _is_quick(edited: dict[str, Any]) -> bool:
    """Whether a post was edited so soon that it may be on its way yet."""
    edited_at = (edited.get("edited") or {}).get("ts")
    return edited_at is not None and float(edited_at) - float(edited["ts"]) < QUICK_S
