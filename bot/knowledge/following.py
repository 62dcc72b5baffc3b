"""Documents follow what happens in Slack to their files, their channels and the people whose they are.

What Slack tells of as it happens is a job of its own, which asks Slack how things stand and settles the
documents accordingly: hidden while something may come back, removed when it cannot. The same is done for all
of them at night, for what nobody told of; what was hidden by then and still is goes for good.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from bot.core.errors import BotError, UnsupportedFile
from bot.core.settings import Settings
from bot.jobs.inbox import Effect, Inbox, Job
from bot.knowledge.adding import NewDocument
from bot.knowledge.document_card import CardPlace, read_card_place
from bot.knowledge.ingestion import Documents
from bot.knowledge.sources import ChannelState, DocumentSide, FileSharing
from storage.engine import Engine, Tx
from storage.knowledge import documents as rows
from storage.knowledge.documents import Document
from storage.privacy.moving import move_channel

log = logging.getLogger(__name__)

FOLLOW = "document follow"  # a kind of job
PORTION = 500  # documents that are looked through at once

# What something happened to.
Thing = Literal["file", "channel", "person", "thread", "message"]
# What happened to it: it is gone for good, it says something else now, or anything that Slack has to be
# asked.
Happened = Literal["deleted", "changed", "moved"]

# Why a document is not to be found. Those of a channel end with the next look at it.
UNSHARED, LEFT, ARCHIVED, SHARED, PRIVATE, GONE = "unshared", "left", "archived", "shared", "private", "gone"
OF_CHANNEL = (ARCHIVED, SHARED, PRIVATE, GONE)
LASTING = (UNSHARED, LEFT, GONE)  # what is erased when the night finds it so once more
FILE_DELETED = "Its file was deleted, so nothing is answered from it any more."
CHANNEL_DELETED = "Its channel was deleted, so nothing is answered from it any more."
DELETED = {
    "file": FILE_DELETED,
    "channel": CHANNEL_DELETED,
    "message": "Its message was deleted, so nothing is answered from it any more.",
}
NO_MORE = "What it was made of is not here any more, so nothing is answered from it."


class DocumentFollower:
    """Settles documents when something happens to what they are made of."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        inbox: Inbox,
        documents: Documents,
        side: DocumentSide,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._inbox = inbox
        self._documents = documents
        self._side = side
        self._clock = clock

    async def note(
        self, team: str, thing: Thing, id: str, *, happened: Happened = "moved", now: str = ""
    ) -> None:
        """Something happened to a file, a channel, a person, a thread ("channel:thread") or a message. On
        return it is
        on disk, and will be followed. `now`: the id by which a channel goes from now on, where it has
        another."""
        if not now and not await self._engine.read(_find_concerned, team, thing, id):
            return  # as nearly always: Slack tells of every file and every person
        lane = f"{FOLLOW}:{team}:{thing}:{id}"
        await self._inbox.put(
            f"{lane}:{time.time_ns()}",
            lane,
            FOLLOW,
            json.dumps({"team": team, "thing": thing, "id": id, "happened": happened, "now": now}),
            team=team,
        )

    async def work(self, job: Job) -> list[Effect]:
        """A job of our kind."""
        told = json.loads(job.payload)
        team, id = told["team"], told["id"]
        if now := told.get("now"):
            await self._rename_channel(team, id, now)
            id = now  # with its id goes who reads along there
        await self._follow(team, told["thing"], id, told["happened"])
        return []

    async def _rename_channel(self, team: str, old: str, new: str) -> None:
        for document in await self._engine.read(rows.list_around_channel, team, old):
            if document.audience != "thread":  # what was said there is not known under the new id either
                await self._documents.move(_renamed(document, old, new))
        await self._engine.write(move_channel, team, old, new)

    async def _follow(
        self, team: str, thing: Thing, id: str, happened: Happened = "moved", *, at_night: bool = False
    ) -> None:
        found = await self._engine.read(_find_concerned, team, thing, id)
        if happened == "deleted":
            await self._remove(found, DELETED[thing])
        elif thing == "file":
            sharing = await self._side.find_sharing(id)
            await self._follow_file(found, sharing, at_night=at_night)
            if happened == "changed" and sharing is not None:
                await self._read_file_again(found, sharing)
        elif thing == "channel":
            await self._follow_channel(found, await self._side.find_channel_state(id), at_night=at_night)
        elif thing == "person":
            left = LEFT if await self._side.has_left(id) else ""
            await self._settle(found, lambda _: left, (LEFT,), at_night=at_night)
        else:
            await self._read_again(found)

    async def _follow_file(
        self, found: Sequence[Document], sharing: FileSharing | None, *, at_night: bool
    ) -> None:
        if sharing is None:
            await self._remove(found, FILE_DELETED)
            return
        await self._settle(found, partial(_judge_file, sharing), (UNSHARED,), at_night=at_night)

    async def _read_file_again(self, found: Sequence[Document], sharing: FileSharing) -> None:
        for document in found:
            if document.audience != "thread" and not _judge_file(sharing, document):
                renamed = replace(document, name=sharing.file.name)
                taken = await self._engine.read(rows.find_same, renamed)  # and is not to be replaced by this
                name = document.name if taken else renamed.name
                await self._add_again(document, replace(_version_of(document, sharing), name=name))

    async def _follow_channel(
        self, found: Sequence[Document], state: ChannelState, *, at_night: bool
    ) -> None:
        allowed = self._settings.external == "all"
        judge = partial(_judge_channel, state, external_allowed=allowed)
        await self._settle(found, judge, OF_CHANNEL, at_night=at_night)

    async def _read_again(self, found: Sequence[Document]) -> None:
        """Threads in which something was changed or deleted are kept as they stand now."""
        for document in found:
            channel, _, thread = document.name.removeprefix(rows.THREAD).partition(" ")
            try:
                await self._side.read_thread(document.team, channel, thread)
            except UnsupportedFile:
                await self._remove([document], NO_MORE)
            else:
                await self._add_again(document, _thread_version(document))

    async def _add_again(self, document: Document, new: NewDocument) -> None:
        """As it is now, on the same card, and hidden where it was: its channel may be closed meanwhile."""
        await self._documents.add(new, card=_card_of(document), hidden=document.hidden)

    async def _settle(
        self,
        found: Sequence[Document],
        judge: Callable[[Document], str],
        reasons: Sequence[str],
        *,
        at_night: bool,
    ) -> None:
        """Hides each document for the reason that `judge` gives, or shows it again where it was hidden for
        one of these and there is none any more."""
        for document in found:
            reason = judge(document)
            if at_night and reason in LASTING and document.hidden == reason:
                await self._remove([document], NO_MORE)
            elif reason != document.hidden and document.hidden in ("", *reasons):
                reason = reason or await self._find_other_reason(document)
                await self._engine.write(rows.hide, [document.id], reason=reason)

    async def _find_other_reason(self, document: Document) -> str:
        """Why a document that is hidden is not to be shown again, for another thing than ends just now."""
        for thing, id in _depends_on(document):
            if reason := await self._judge(document, thing, id):
                return reason
        return ""

    async def _judge(self, document: Document, thing: Thing, id: str) -> str:
        if thing == "file":
            sharing = await self._side.find_sharing(id)
            return UNSHARED if sharing is None else _judge_file(sharing, document)
        if thing == "channel":
            state = await self._side.find_channel_state(id)
            return _judge_channel(state, document, external_allowed=self._settings.external == "all")
        return LEFT if await self._side.has_left(id) else ""

    async def _remove(self, found: Sequence[Document], why: str) -> None:
        for document in found:
            await self._documents.remove(document, by="", why=why)

    async def sweep(self, is_ours: Callable[[str], bool]) -> None:
        """Looks at everything that documents are made of. `is_ours`: whether Slack tells us of a
        workspace."""
        seen = set[tuple[str, Thing, str]]()
        after = ""
        while found := await self._engine.read(rows.list_all, after=after, limit=PORTION):
            after = found[-1].id
            for document in found:
                for thing, id in _depends_on(document):
                    if (document.team, thing, id) not in seen and is_ours(document.team):
                        seen.add((document.team, thing, id))
                        await self._look(document.team, thing, id)

    async def _look(self, team: str, thing: Thing, id: str) -> None:
        try:
            await self._follow(team, thing, id, at_night=True)
        except BotError as exc:  # the next night looks again
            log.warning("what became of a %s cannot be seen: %s", thing, type(exc).__name__)


def _find_concerned(tx: Tx, team: str, thing: Thing, id: str) -> list[Document]:
    if thing == "file":
        found = rows.find_by_file(tx, team, id)
    elif thing == "person":
        found = rows.list_of_person(tx, team, id)
    elif thing == "channel":
        found = rows.list_around_channel(tx, team, id)
    elif thing == "message":
        found = rows.list_notes_of_message(tx, team, *id.split(":", 1))
    else:
        channel, _, thread = id.partition(":")
        name = rows.name_thread(channel, thread)
        found = [one for one in rows.list_around_channel(tx, team, channel) if one.name == name]
    going = ("removed", "replaced")
    return [one for one in found if one.hidden not in going and (thing == "file" or one.audience != "thread")]


def _depends_on(document: Document) -> list[tuple[Thing, str]]:
    """What a document goes with."""
    found: list[tuple[Thing, str]] = [("file", document.file)] if document.file else []
    if document.audience == "thread":
        return found  # all else of it goes with its conversation
    if document.audience == "person":
        return [*found, ("person", document.person)]
    return [*found, *(("channel", id) for id in {document.channel, document.origin} - {""})]


def _judge_file(sharing: FileSharing, document: Document) -> str:
    """Whether the file still stands where the document was made of it."""
    place = document.channel if document.audience == "thread" else document.origin
    return UNSHARED if place and place not in sharing.channels else ""


def _judge_channel(state: ChannelState, document: Document, *, external_allowed: bool) -> str:
    if not state.there:
        return GONE
    if document.audience == "workspace":
        direct = document.origin.startswith("D")
        return PRIVATE if state.private and not direct else ""
    if state.archived:
        return ARCHIVED
    return SHARED if state.external and not external_allowed else ""


def _renamed(document: Document, old: str, new: str) -> Document:
    """The same document with another id of a channel, wherever it names it."""
    card, kept = document.card, document.name
    return replace(
        document,
        channel=new if document.channel == old else document.channel,
        origin=new if document.origin == old else document.origin,
        card=new + card.removeprefix(old) if card.startswith(f"{old}:") else card,
        name=kept.replace(old, new, 1) if kept.startswith(_named_by(old)) else kept,
    )


def _named_by(channel: str) -> tuple[str, ...]:
    """How names begin that have the channel in them."""
    return rows.name_thread(channel, ""), f"{rows.NOTE}{channel} "


def _card_of(document: Document) -> CardPlace | None:
    return read_card_place(document.card)


def _version_of(document: Document, sharing: FileSharing) -> NewDocument:
    """The same file as it is now, under whatever name."""
    return NewDocument(
        document.team,
        document.audience,
        document.channel,
        document.person,
        sharing.file.name,
        "file",
        link=sharing.link or document.link,
        file=sharing.file,
        origin=document.origin,
        replaces=document.id,
    )


def _thread_version(document: Document) -> NewDocument:
    return NewDocument(
        document.team,
        document.audience,
        document.channel,
        document.person,
        document.name,
        "thread",
        link=document.link,
        origin=document.origin,
        thread=document.name.rpartition(" ")[2],
        replaces=document.id,
    )
