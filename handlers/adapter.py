"""Slack as the conversation needs it: a place to reply, and the thread around a message."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bot.conversation.memory import ThreadMessage
from bot.conversation.surroundings import Surroundings
from bot.core.errors import SlackRefused
from bot.core.settings import Settings
from bot.core.values import Conversation, Incoming
from bot.notes.looking_again import NoteQuestion
from bot.text.redact import redact
from bot.unanswered.repair import AskerState
from bot.welcome.invitations import InvitationNote
from handlers.reply.progress import ReplyProgress
from handlers.reply.reply import SlackReply
from handlers.slack import mrkdwn
from handlers.slack.blocks import Block
from handlers.slack.client import SlackClient
from handlers.slack.contents import is_by_app, quote_app, read_contents
from handlers.slack.directory import Directory
from handlers.slack.later_posts import read_later_posts
from handlers.slack.note_question import build_note_question, tell_once
from handlers.slack.own_messages import is_card
from handlers.slack.pacing import STOP_STREAM
from handlers.slack.permissions import Permissions
from handlers.slack.status import SessionEnds
from handlers.slack.threads import ThreadStarts
from handlers.welcome.delivery import give_note

log = logging.getLogger(__name__)

# How much of somebody else's thread is read when the bot is called into it: its last messages. Slack hands
# threads out from their beginning, so the pages before them have to be turned (handlers/slack/threads.py).
NEXT_PAGE = 1_000
THREAD_PAGES = 11
THREAD_MESSAGES = 1_000


class SlackChat:
    """Slack as the bot sees it: bot.app.Chat."""

    def __init__(self, slack: SlackClient, settings: Settings) -> None:
        self.slack = slack
        self._settings = settings
        self.directory = Directory(slack)
        self.permissions = Permissions(slack)
        self.threads = ThreadStarts(slack)
        self._ends = SessionEnds(slack)
        self._link_hosts = frozenset(h.strip().lower() for h in settings.link_hosts.split(",") if h.strip())

    def reply(
        self, incoming: Incoming, reply_id: str, progress: ReplyProgress, *, resumed: bool
    ) -> SlackReply:
        return SlackReply(
            self.slack,
            self._ends,
            incoming,
            reply_id,
            progress,
            link_hosts=self._link_hosts,
            names=self.directory,
            resumed=resumed,
        )

    def streams_now(self, incoming: Incoming) -> bool:
        """Whether an answer would be shown while it is written."""
        return not incoming.by_app and self.slack.pacing.expect_stream()

    async def end_session(self, channel: str, thread: str) -> None:
        """A thread shows no longer that somebody is at work there. SlackUnavailable."""
        await self._ends.end_now(channel, thread)

    async def end_stream(self, channel: str, message: str) -> None:
        """A message whose writer has died is not being written any more. SlackUnavailable."""
        try:
            await self.slack.call(STOP_STREAM, channel=channel, ts=message)
        except SlackRefused as exc:
            log.info("a stream is not there to be ended: %s", exc.code)

    async def names(self, ids: Collection[str]) -> Mapping[str, str]:
        """What people are called, and apps that ask."""
        return await self.directory.find_names(id for id in ids if id[0] in "UWB")

    async def surroundings(self, conversation: Conversation, user: str) -> Surroundings:
        """The channel and the asker's time zone; direct messages have no name."""
        zone = await self.directory.find_zone(user)
        if conversation.channel.startswith("D"):
            return Surroundings(zone=zone)
        name, purpose = await self.directory.find_channel(conversation.channel)
        return Surroundings(name, purpose, zone)

    async def is_outsider(self, user: str) -> bool:
        """Whether somebody is a guest or of another company; also where Slack does not tell."""
        return await self.permissions.is_outsider(user)

    async def find_asker(self, channel: str, user: str) -> AskerState:
        """Whether whoever asked there is still there. SlackUnavailable."""
        return await self.permissions.find_asker(channel, user)

    async def tell(self, user: str, text: str, shown: Sequence[Block] = ()) -> None:
        """Writes to somebody directly, in Slack's own markup; `shown` are the blocks it is shown as."""
        opened = await self.slack.call("conversations.open", users=user)
        await self.slack.call(
            "chat.postMessage",
            channel=opened["channel"]["id"],
            text=redact(text),
            **({"blocks": list(shown)} if shown else {}),
            unfurl_links=False,
            unfurl_media=False,
        )

    async def give_note(self, note: InvitationNote, *, resumed: bool) -> str:
        """Tells whoever invited us what holds in the channel; where that stands, "" where Slack refuses."""
        return await give_note(self.slack, self.directory, note, resumed=resumed)

    async def ask_about_note(self, question: NoteQuestion, *, resumed: bool) -> None:
        """Asks somebody whether a note is right still. SlackRefused."""
        note, direct = question.note, await self.directory.open_direct(question.person)
        asked = build_note_question(note.id, note.title, note.said, note.text)
        place = (direct, question.key)
        await tell_once(self.slack, place, asked, since=question.since, resumed=resumed)

    async def list_deciders(self, channel: str, *, named: Collection[str]) -> list[str]:
        """Who can be asked to decide about a channel; `named`: whom an admin named for it."""
        return await self.permissions.list_deciders(channel, named=named)

    async def thread(self, conversation: Conversation, *, before: str) -> tuple[list[ThreadMessage], bool]:
        """The last posts of the thread before a message, oldest first, and whether that is all of it."""
        posts: list[ThreadMessage] = []
        await self.slack.find_bot_user()
        cursor = ""
        for _ in range(THREAD_PAGES):
            try:
                page = await self._read_page(conversation, before, cursor)
            except SlackRefused as exc:
                log.warning("a thread cannot be read: %s", exc.code)
                return posts, False
            earlier = [m for m in page.get("messages") or () if float(m["ts"]) < float(before)]
            posts += filter(None, map(self._read_post, earlier))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return posts[-THREAD_MESSAGES:], len(posts) <= THREAD_MESSAGES
        return posts[-THREAD_MESSAGES:], False

    async def _read_page(self, place: Conversation, before: str, cursor: str) -> dict[str, Any]:
        if not cursor:
            return await self.threads.take(place, before)
        return await self.slack.get(
            "conversations.replies",
            channel=place.channel,
            ts=place.thread,
            latest=before,
            limit=NEXT_PAGE,
            cursor=cursor,
        )

    async def read_later_posts(self, asked: Incoming) -> tuple[list[Incoming], str]:
        """What its author posted in the thread since, oldest first; and the newest post of anybody."""
        return await read_later_posts(self.slack, self._settings, asked)

    def _read_post(self, message: dict[str, Any]) -> ThreadMessage | None:
        """A post as it is remembered; None for one that says nothing, or only repeats what a person said."""
        ts = message["ts"]
        if message.get("user") == self.slack.bot_user:
            words = "" if is_card(message) else mrkdwn.make_readable(message.get("text") or "")
            return ThreadMessage(ts, "assistant", "", words) if words else None
        if is_by_app(message):
            quoted = quote_app(message, bot=self.slack.bot_user)
            return ThreadMessage(ts, "human", "", "", quoted) if quoted else None
        found = read_contents(message, bot=self.slack.bot_user)
        if not (found.text or found.quoted or found.files):
            return None
        return ThreadMessage(ts, "human", message.get("user") or "", found.text, found.quoted, found.files)
