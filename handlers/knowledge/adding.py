"""What somebody wants taken in, from Slack's shapes to bot.knowledge's: files, a thread, a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.app import Services
from bot.core.errors import Incomplete, SlackRefused, UnsupportedFile
from bot.knowledge.adding import NewDocument
from bot.knowledge.sources import FileSharing
from handlers.adapter import SlackChat
from handlers.knowledge.rights import DocumentRights
from handlers.knowledge.slack_state import SlackState
from handlers.slack.payloads import RECORDED_SUBTYPES
from storage.knowledge.audiences import AudienceKind
from storage.knowledge.documents import Document, name_thread

# A permalink's channel, message and thread. Source: chat.getPermalink's example responses.
PERMALINK = re.compile(r"/archives/(?P<channel>\w+)/p(?P<message>\d{7,})(?:\?thread_ts=(?P<thread>[\d.]+))?")
LOOKED_AT = 30  # messages of a channel in which a file is looked for
NO_FILE = "There is no file in the last messages here. Drop one, or say which: `knowledge add LINK`."
NOT_HERE = "Please add it in the conversation it stands in."


@dataclass(frozen=True, slots=True)
class AddingFrom:
    """Who adds something, where they do, and from where it is to be found."""

    team: str
    channel: str
    user: str
    audience: AudienceKind

    @property
    def belongs_to(self) -> str:
        """The channel of such a document."""
        return "" if self.audience == "workspace" else self.channel


class Adding:
    """Adds what somebody names; each returns the ids of the documents. NotPermitted, KeptInside, NotHere."""

    def __init__(self, services: Services, chat: SlackChat, rights: DocumentRights) -> None:
        self._services = services
        self._chat = chat
        self._rights = rights

    async def add_latest(self, at: AddingFrom) -> list[str]:
        """The files of the newest message that has some. Incomplete without any."""
        await self._require(at)
        page = await self._chat.slack.get("conversations.history", channel=at.channel, limit=LOOKED_AT)
        for message in page.get("messages") or ():
            if files := list_files(message):
                root = message.get("thread_ts") or message["ts"]
                return await self.add_files(at, files, thread=root)
        raise Incomplete(NO_FILE)

    async def add_link(self, at: AddingFrom, link: re.Match[str]) -> list[str]:
        """The files of the message that a permalink leads to; without any, its thread. Incomplete for a
        message of another conversation."""
        if link["channel"] != at.channel:
            raise Incomplete(NOT_HERE)
        ts = f"{link['message'][:-6]}.{link['message'][-6:]}"
        root = link["thread"] or ts
        await self._require(at)
        if files := list_files(await self._read_message(at.channel, root, ts)):
            return await self.add_files(at, files, thread=root)
        return [await self.keep_thread(at, root)]

    async def add_files(
        self,
        at: AddingFrom,
        files: Sequence[str],
        *,
        thread: str = "",
        replaces: Document | None = None,
        shared: bool = True,
        extract: str = "",
        repairs: int = 0,
    ) -> list[str]:
        """Files of Slack's by their ids. `thread`: in which their cards are shown; `shared`: they stand in
        the channel; `extract`: the form of the fields that are wanted of them; `repairs`: the topic of
        unanswered questions that they are to answer."""
        await self._require(at)
        sharings = [await self._find_sharing(id) for id in files]
        return [
            await self._services.documents.add(
                NewDocument(
                    at.team,
                    at.audience,
                    at.belongs_to,
                    at.user,
                    replaces.name if replaces else sharing.file.name,
                    "file",
                    link=sharing.link,
                    file=sharing.file,
                    origin=at.channel if shared else "",
                    card_channel=at.channel,
                    card_thread=thread,
                    replaces=replaces.id if replaces else "",
                    extract=extract,
                    repairs=repairs,
                )
            )
            for sharing in sharings
        ]

    async def _find_sharing(self, id: str) -> FileSharing:
        sharing = await SlackState(self._chat.slack).find_sharing(id)
        if sharing is None:
            raise UnsupportedFile("in your message", "it is not there any more")
        return sharing

    async def keep_thread(self, at: AddingFrom, root: str) -> str:
        """A thread as it stands there now."""
        await self._require(at)
        told = await self._chat.slack.get("chat.getPermalink", channel=at.channel, message_ts=root)
        new = NewDocument(
            at.team,
            at.audience,
            at.belongs_to,
            at.user,
            name_thread(at.channel, root),
            "thread",
            link=str(told["permalink"]),
            origin=at.channel,
            thread=root,
            card_channel=at.channel,
            card_thread=root,
        )
        return await self._services.documents.add(new)

    async def add_text(
        self, at: AddingFrom, title: str, text: str, *, replaces: str = "", repairs: int = 0
    ) -> str:
        """What somebody typed, under a title. `repairs`: as for `add_files`."""
        await self._require(at)
        new = NewDocument(
            at.team,
            at.audience,
            at.belongs_to,
            at.user,
            title,
            "text",
            title=title,
            text=text,
            card_channel=at.channel,
            replaces=replaces,
            repairs=repairs,
        )
        return await self._services.documents.add(new)

    async def _require(self, at: AddingFrom) -> None:
        await self._rights.require_add(at.audience, at.channel, at.user)

    async def _read_message(self, channel: str, root: str, ts: str) -> dict[str, Any]:
        try:
            page = await self._chat.slack.get(
                "conversations.replies", channel=channel, ts=root, oldest=ts, latest=ts, inclusive="true"
            )
        except SlackRefused as exc:
            raise UnsupportedFile("of this thread", "Slack does not show it to me") from exc
        return next((message for message in page.get("messages") or () if message["ts"] == ts), {})


def list_files(message: dict[str, Any]) -> list[str]:
    """The ids of the files in a message, without voice clips and deleted ones."""
    return [
        str(file["id"])
        for file in message.get("files") or ()
        if file.get("mode") != "tombstone" and file.get("subtype") not in RECORDED_SUBTYPES
    ]
