"""A `Reply` in Slack, exactly once: shown live while it is written, then made final however often it takes.

The normal way is a stream that is stopped with the rest of the text, or a single post. Every other way (a
crash before, a lost stream, an answer of Slack's that never came) goes through `publish`, which looks at
the thread and then edits, adopts or posts until the thread holds exactly the parts of the reply. Each final
message carries the reply's own id in its metadata.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.core.errors import SlackError, SlackLimited, SlackRefused, SlackUnavailable
from bot.core.values import Incoming, Message, Reply
from bot.ops.metrics import METRICS
from bot.voice.recognition import format_minutes
from handlers.reply.lateness import find_apology
from handlers.reply.output_filter import OutputFilter, filter_text
from handlers.reply.progress import ReplyProgress
from handlers.reply.queue_words import describe_place
from handlers.reply.splitting import split, strip_markdown
from handlers.reply.stream import LiveStream, StreamPlace
from handlers.slack import blocks
from handlers.slack.client import SlackClient
from handlers.slack.links import list_addresses
from handlers.slack.mrkdwn import escape
from handlers.slack.own_messages import HISTORY_LAG_S, find_own, read_id
from handlers.slack.pacing import POST, STOP_STREAM
from handlers.slack.status import Session, SessionEnds, StatusLine

log = logging.getLogger(__name__)

METADATA = "parley_reply"
# A recording of less is heard before anybody has read how far it is.
WORTH_TELLING_S = 60.0
LISTENING = "listening: {minutes}"
WAITING = "waiting for the model's server, which is not there right now"
# Whoever asked so recently waits for the answer, and gets it before those who asked long ago.
FRESH_S = 60.0
REFUSALS = 20  # of one message for its rate, until the inbox tries it again later
# Of the 12,000 characters that all markdown blocks of a message may have, notes and buttons get the rest.
PART_LIMIT = 11_000
# An answer of more messages than this floods a thread: the rest is not shown, and that is said.
MOST_PARTS = 20
NOT_ALL_SHOWN = "This answer is longer than I may write into a thread: its end is not shown."
STOPPED = "Stopped: the rest of this answer is not shown."
SMALLER = 3_000  # for a Slack that calls even that too long
TOO_LONG = "msg_too_long"
# Codes that say: not with these blocks.
BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
ORPHANS = 1000  # numbers of parts from here on are those of orphans
# Codes that say: nothing can be written there any more.
THREAD_GONE = "thread_not_found"
UNREACHABLE = frozenset(
    {
        THREAD_GONE,
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "cannot_reply_to_message",
    }
)
ELSEWHERE = "I could not answer you where you asked ({code}), so here it is:\n\n"


class NameBook(Protocol):
    """What people and channels are called (handlers/slack/directory.py)."""

    def known_name(self, id: str) -> str: ...
    async def find_names(self, ids: Collection[str]) -> Mapping[str, str]: ...


class SlackReply:
    """One reply on its way. `resumed`: an earlier attempt may have left something in the thread.

    `progress` is told what has to be known of it after a crash.
    """

    def __init__(
        self,
        slack: SlackClient,
        ends: SessionEnds,
        incoming: Incoming,
        reply_id: str,
        progress: ReplyProgress,
        *,
        resumed: bool,
        link_hosts: Collection[str] = (),
        names: NameBook | None = None,
    ) -> None:
        where = incoming.conversation
        self._slack = slack
        self._progress = progress
        self._incoming = incoming
        self._reply_id = reply_id
        self._place = StreamPlace(where.team, where.channel, where.thread, incoming.user)
        self._vouched = {*link_hosts, *list_addresses(incoming.text)}
        self._names = names
        self._filter = self._make_filter()
        self._messages = list(progress.messages)
        self._uncertain = resumed  # something of ours may stand in the thread that we do not know of
        self._uncertain_since = time.monotonic()
        self._touched = False  # a post may have come to stand in it
        self._ended = False  # the person wants no more of it
        self.delivered = False  # Slack has all of it
        self._disclosure = ""  # that an AI says it, where the person was not told yet
        self._redactions_told = False
        self._apology: str | None = None  # for the wait, once the first words are shown
        self._standing: list[str] = []  # the messages of the whole reply, where an earlier attempt left it
        self._live = (
            None
            if resumed or incoming.by_app  # Slack streams to people
            else LiveStream(
                slack,
                self._place,
                self._filter,
                metadata=self._metadata,
                sending=progress.note_sending,
                opened=self._note_opened,
            )
        )
        self._line = StatusLine(slack, where.channel, where.thread)
        self._session = Session(
            slack, ends, where.channel, where.thread, left_open=progress.session, note=progress.note_session
        )

    # While the turn runs

    def show_working(self) -> None:
        """Shows that somebody is at work, unless the answer comes first; with it comes the stop button."""
        self._session.begin()

    def show_transcribing(self, done_s: float, total_s: float) -> None:
        """How far a recording is that takes a while."""
        if total_s >= WORTH_TELLING_S:
            done = done_s >= total_s
            self._line.show("" if done else LISTENING.format(minutes=format_minutes(done_s, total_s)))

    def show_waiting(self, waiting: bool) -> None:
        """That the model's server is not there and is waited for."""
        self._line.show(WAITING if waiting else "")

    def show_queue(self, place: int, wait_s: float) -> None:
        """Where the question stands in the line for the model, 1 next; 0: it is its turn."""
        self._line.show(describe_place(place, wait_s) if place else "")

    def vouch_for(self, messages: Sequence[Message]) -> None:
        """The addresses that people wrote in this conversation may be links, wherever the answer repeats
        them."""
        for message in messages:
            if message.role == "human" and message.speaker[:1] in ("U", "W"):
                self._vouched.update(list_addresses(message.text))

    def append(self, text: str) -> None:
        """More of the answer. A resumed reply is shown when it is whole, in the place of what was there."""
        if self._live is not None:
            self._live.append(text)

    def take_back(self) -> None:
        """Some of what was shown is no part of the answer: the final text will stand in its place."""
        if self._live is not None:
            self._live.lose()

    async def aclose(self) -> None:
        """Ends a delivery that is under way behind the part it is at; `deliver` returns then."""
        self._ended = True

    # When it has ended

    async def deliver(self, reply: Reply) -> list[str] | None:
        """Makes the reply final; ids of the messages it occupies, None when its question is gone and nobody
        can read it. May be called again after any failure."""
        rest = await self._settle_live()
        notes = [(await self._filter_text(note))[0] for note in reply.notes]  # they quote names and texts
        self._disclosure = reply.disclosure
        under = blocks.closing(
            tuple(notes),
            reply_id=self._reply_id,
            feedback=reply.whole,
            retry=reply.retryable,
            verdict=reply.verdict,
            follow_ups=reply.follow_ups,
            disclosure=reply.disclosure,
        )
        messages: list[str] | None
        try:
            messages = await self._finish(reply.text, rest, under)
        except SlackRefused as exc:
            if exc.code not in UNREACHABLE:
                raise
            text, _ = await self._filter_text(reply.text)
            shown = replace(reply, text=text, notes=tuple(notes))
            messages = self._standing or await self._post_privately(exc.code, shown)
        self.delivered = True
        await self._line.clear()
        await self._session.end()
        return messages

    def _note_opened(self, messages: list[str]) -> None:
        self._find_apology()
        self._line.note_message()
        self._progress.note_opened(messages)

    async def _filter_text(self, text: str) -> tuple[str, int]:
        """A text as it is shown, and how many secrets it had. Whoever is mentioned in it and not known is
        looked up first."""
        output = self._make_filter()
        shown = filter_text(text, output)
        if await self._find_names(output.unnamed):
            shown = filter_text(text, self._make_filter())
        return shown, output.redactions

    async def _find_names(self, unnamed: frozenset[str]) -> bool:
        """Whether somebody who was shown by the id has a name."""
        return bool(self._names is not None and unnamed and await self._names.find_names(unnamed))

    def _note_redactions(self, count: int) -> None:
        """The operator hears of secrets in an answer: whoever put them there should change them."""
        if count and not self._redactions_told:
            self._redactions_told = True
            METRICS.count("parley_redactions_total", count)
            log.warning("%d secrets were taken out of the answer %s", count, self._reply_id)

    def _make_filter(self) -> OutputFilter:
        pinged = set() if self._incoming.by_app else {self._incoming.user}
        return OutputFilter(self._vouched, pinged, self._name_of)

    def _name_of(self, id: str) -> str:
        """What a person is called, or this channel: others may be private."""
        if self._names is None or (id[0] not in "UW" and id != self._place.channel):
            return ""
        return self._names.known_name(id)

    async def _finish(self, text: str, rest: str | None, under: list[blocks.Block]) -> list[str]:
        """`rest`: what is left to say at the end of a stream that has shown the text so far."""
        if rest is not None and not await self._find_names(self._filter.unnamed):
            self._note_redactions(self._filter.redactions)
            if await self._stop_stream(rest, under):
                return self._messages
        text, redactions = await self._filter_text(text)
        self._note_redactions(redactions)
        try:
            return await self._publish(self._bodies(split(text, PART_LIMIT), under))
        except SlackRefused as exc:
            if exc.code != TOO_LONG:
                raise
        return await self._publish(self._bodies(split(text, SMALLER), under))

    def _bodies(self, parts: list[str], under: list[blocks.Block]) -> list[dict[str, Any]]:
        if len(parts) > MOST_PARTS:
            parts, under = parts[:MOST_PARTS], [blocks.context(NOT_ALL_SHOWN), *under]
        last = len(parts) - 1
        return [self._body(i, part, under if i == last else []) for i, part in enumerate(parts)]

    async def put(self, text: str, shown: list[blocks.Block]) -> str:
        """Posts, finds or changes a message beside the answer, never streamed; its id."""
        self._apology = ""
        body = {"text": text, "blocks": shown, "metadata": self._metadata(0)}
        (ts,) = await self._publish([body], streamed=False)
        return ts

    async def find_delivered(self) -> list[str]:
        """Ids of the messages of this reply that stand in the thread as final."""
        try:
            found = await self._look() or {}
        except SlackRefused:  # nothing can be seen there any more
            return []
        return [ts for part, ts in sorted(found.items()) if part < ORPHANS]

    async def withdraw(self) -> None:
        """Takes back what is already to be seen, because the question was deleted."""
        await self._settle_live()
        try:
            found = (await self._find()).values() if self._uncertain else ()
        except SlackRefused:  # the thread is gone, and all in it
            found = ()
        for ts in {*self._messages, *found}:
            await self._remove(ts)
        await self.wait_idle()

    async def wait_idle(self) -> None:
        """Nothing more is shown and no status is left standing, whatever happened."""
        await self._settle_live()
        await self._line.clear()
        await self._session.end()

    # The ways into Slack

    async def _settle_live(self) -> str | None:
        """Ends the live part; what is left to say at the stream's end, None when that is not enough."""
        live, self._live = self._live, None
        if live is None:
            return None
        rest = await live.settle()
        self._messages = live.messages
        self._uncertain, self._uncertain_since = live.unsure, time.monotonic()
        return rest

    async def _stop_stream(self, rest: str, under: list[blocks.Block]) -> bool:
        """The normal end of a running stream; False when the thread has to be put in order instead."""
        if apology := self._find_apology():
            under = [blocks.context(apology), *under]
        arguments: dict[str, Any] = {"blocks": under} if under else {}
        if rest:
            arguments["markdown_text"] = rest
        if await self._session.is_shown():
            arguments["session_status"] = "active"
        try:
            await self._slack.call_first(
                STOP_STREAM,
                channel=self._place.channel,
                ts=self._messages[-1],
                metadata=self._metadata(len(self._messages) - 1),
                **arguments,
            )
        except SlackRefused as exc:
            log.info("stream not stopped: %s", exc.code)
            return False
        self._session.mark_ended()
        return True

    @property
    def untouched(self) -> bool:
        """Whether nothing of it has come to stand in Slack so far."""
        return not (self._uncertain or self._messages or self._touched)

    @property
    def session(self) -> bool:
        """Whether its thread may still show that somebody is at work."""
        return self._session.noted

    async def _publish(self, bodies: list[dict[str, Any]], *, streamed: bool = True) -> list[str]:
        """Puts the thread in order: every part once, nothing else of ours in this reply's place.

        What was never streamed leaves no orphans, and claims none.
        """
        there = await self._find(len(bodies)) if self._uncertain else {}
        if there.keys() >= set(range(len(bodies))):
            self._standing = [there[part] for part in range(len(bodies))]
        if not streamed:
            there = {part: ts for part, ts in there.items() if part < ORPHANS}
        mine = [*self._messages, *(ts for ts in there.values() if ts not in self._messages)]
        mine.sort(key=float)
        for index, body in enumerate(bodies):
            if self._ended and 0 < index >= len(mine):
                bodies = [*bodies[: index - 1], self._mark_stopped(bodies[index - 1])]
                await self._write("chat.update", bodies[-1], ts=mine[index - 1])
                break
            if index < len(mine):
                if streamed:
                    await self._end_stream(mine[index])
                await self._write("chat.update", self._with_apology(body), ts=mine[index])
            else:
                mine.append(await self._post(body))
                self._messages = mine
        for surplus in mine[len(bodies) :]:
            await self._remove(surplus)
        return mine[: len(bodies)]

    def _mark_stopped(self, body: dict[str, Any]) -> dict[str, Any]:
        under = blocks.closing(
            (STOPPED,), reply_id=self._reply_id, feedback=False, retry=False, disclosure=self._disclosure
        )
        return body | {"text": self._with_disclosure(body["text"]), "blocks": [*body["blocks"], *under]}

    async def _post(self, body: dict[str, Any]) -> str:
        """Once it is its turn in the channel; what Slack refuses for its rate is the next one there."""
        await self._progress.note_sending()
        for refused in range(REFUSALS):
            posting = self._slack.pacing.posting(
                self._place.channel,
                fresh=self._waited_s() < FRESH_S,
                again=refused > 0,
                waiting=self._progress.outside,
            )
            try:
                async with posting as under_way:
                    under_way.message = await self._post_now(body)
                return under_way.message
            except SlackLimited:
                self._apology = None  # nobody has seen it yet
                if refused == REFUSALS - 1:
                    raise
        raise AssertionError("unreachable")

    async def _post_now(self, body: dict[str, Any]) -> str:
        thread = {"thread_ts": self._place.thread} if self._place.thread else {}
        try:
            answer = await self._write(
                POST, self._with_apology(body), **thread, unfurl_links=False, unfurl_media=False
            )
        except SlackLimited:
            raise
        except SlackError:
            self._touched = True
            raise
        self._touched = True
        self._line.note_message()
        return str(answer["ts"])

    def _waited_s(self) -> float:
        return time.time() - self._incoming.sent_at.timestamp()

    def _find_apology(self) -> str:
        """For the wait until the first words are shown, which they are now, or were before."""
        if self._apology is None:
            self._apology = find_apology(self._waited_s())
        return self._apology

    def _with_apology(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["metadata"] != self._metadata(0) or not (apology := self._find_apology()):
            return body
        first, *under = body["blocks"]
        return body | {"blocks": [first, blocks.context(apology), *under]}

    async def _write(self, method: str, body: dict[str, Any], **how: Any) -> dict[str, Any]:
        """With its blocks, or without them where Slack does not take them. A post has its turn already."""
        write = self._slack.send if method == POST else self._slack.call
        try:
            return await write(method, channel=self._place.channel, **how, **body)
        except SlackRefused as exc:
            if exc.code not in BLOCKS_REFUSED:
                raise
            log.error("blocks of a reply were refused: %s", exc.code)
        plainer = blocks.without_blocks(body)
        return await write(method, channel=self._place.channel, **how, **plainer)

    def _body(self, index: int, part: str, under: list[blocks.Block]) -> dict[str, Any]:
        text = strip_markdown(part)
        return {
            "text": self._with_disclosure(text) if under else text,
            "blocks": [blocks.markdown(part), *under],
            "metadata": self._metadata(index),
        }

    def _with_disclosure(self, text: str) -> str:
        """What is heard of a message: screen readers read `text`, and no blocks.

        Source: https://docs.slack.dev/reference/methods/chat.postMessage
        """
        return "\n\n".join(filter(None, (text, escape(self._disclosure))))

    def _metadata(self, index: int) -> dict[str, Any]:
        return {"event_type": METADATA, "event_payload": {"id": self._reply_id, "part": index}}

    async def _find(self, parts: int = 1) -> dict[int, str]:
        """What an earlier attempt left in the thread: ids by part, orphaned streams after them.

        An orphan is a message of ours after the question that no reply claims. There can be none of another
        turn: one turn at a time runs in a thread, and each finished one has its metadata. Slack may not show
        yet what was posted a moment ago: less than all `parts` is looked for once more.
        """
        found = await self._look()
        if found is not None and found.keys() >= set(range(parts)):
            return found
        with self._progress.outside():
            await asyncio.sleep(max(self._uncertain_since + HISTORY_LAG_S - time.monotonic(), 0.0))
        found = await self._look()
        if found is None:
            raise SlackRefused(THREAD_GONE)
        return found

    async def _look(self) -> dict[int, str] | None:
        """None where Slack knows no such thread. SlackUnavailable while it does not let us look."""
        found: dict[int, str] = {}
        place = self._place
        mine = find_own(self._slack, place.channel, place.thread, after=self._incoming.message)
        try:
            async for message in mine:
                self._sort_found(message, found)
        except SlackRefused as exc:
            if exc.code == THREAD_GONE:
                return None
            if exc.code in UNREACHABLE:
                raise
            raise SlackUnavailable(f"the thread cannot be looked at: {exc.code}") from exc
        return found

    def _sort_found(self, message: dict[str, Any], found: dict[int, str]) -> None:
        metadata = message.get("metadata") or {}
        if read_id(message) == self._reply_id:
            found[int(metadata["event_payload"].get("part", 0))] = message["ts"]
        elif metadata.get("event_type") != METADATA and not message.get("files"):
            found[ORPHANS + len(found)] = message["ts"]

    async def _end_stream(self, ts: str) -> None:
        """Closes a stream that may still be running; a message that is none says so and is left alone."""
        await self._slack.try_call("chat.stopStream", channel=self._place.channel, ts=ts)

    async def _remove(self, ts: str) -> None:
        await self._end_stream(ts)
        try:
            await self._slack.call("chat.delete", channel=self._place.channel, ts=ts)
        except SlackRefused as exc:
            log.info("%s is not there to be deleted: %s", ts, exc.code)

    async def _post_privately(self, code: str, reply: Reply) -> list[str] | None:
        """The place is gone or closed to us: the asker gets the answer privately, unless they took the
        question back, or are an app, which reads nothing privately."""
        if code == THREAD_GONE and self._incoming.message == self._place.thread:
            return None
        if self._incoming.by_app:
            return []
        METRICS.count("parley_replies_total", outcome="elsewhere")
        opened = await self._slack.call("conversations.open", users=self._place.user)
        direct = opened["channel"]["id"]
        there = await self._find_parts_in(direct) if self._uncertain else frozenset()
        parts = split(ELSEWHERE.format(code=code) + reply.text, PART_LIMIT)
        under = blocks.closing(
            reply.notes, reply_id=self._reply_id, feedback=False, retry=False, disclosure=reply.disclosure
        )
        for index, body in enumerate(self._bodies(parts, under)):
            if index not in there:
                await self._slack.call(
                    "chat.postMessage", channel=direct, unfurl_links=False, unfurl_media=False, **body
                )
        return []

    async def _find_parts_in(self, direct: str) -> frozenset[int]:
        """Parts of this reply that an earlier attempt wrote to the asker directly."""
        mine = find_own(self._slack, direct, "", after=self._incoming.message)
        return frozenset(
            [m["metadata"]["event_payload"]["part"] async for m in mine if read_id(m) == self._reply_id]
        )
