"""A `Reply` in Slack, exactly once: shown live while it is written, then made final however often it takes.

The normal way is a stream that is stopped with the rest of the text, or a single post. Every other way (a
crash before, a lost stream, an answer of Slack's that never came) goes through `publish`, which looks at
the thread and then edits, adopts or posts until the thread holds exactly the parts of the reply. Each final
message carries the reply's own id in its metadata.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bot.core.errors import SlackRefused
from bot.core.values import Incoming, Message, Reply
from bot.ops.metrics import METRICS
from bot.voice.recognition import format_minutes
from handlers.reply.bodies import SMALLER, Bodies, Body
from handlers.reply.output_filter import OutputFilter, filter_text
from handlers.reply.progress import ReplyProgress
from handlers.reply.queue_words import describe_place
from handlers.reply.stream import LiveStream, StreamPlace
from handlers.reply.traces import ORPHANS, UNREACHABLE, ReplyTraces
from handlers.reply.writing import ReplyWriter
from handlers.slack import blocks
from handlers.slack.client import SlackClient
from handlers.slack.links import list_addresses
from handlers.slack.own_messages import THREAD_GONE
from handlers.slack.pacing import POST, STOP_STREAM
from handlers.slack.status import Session, SessionEnds, StatusLine

log = logging.getLogger(__name__)

# A recording of less is heard before anybody has read how far it is.
WORTH_TELLING_S = 60.0
READING = "reading documents: {done} of {of}"
LISTENING = "listening: {minutes}"
WAITING = "waiting for the model's server, which is not there right now"
TOO_LONG = "msg_too_long"
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
        self._elsewhere: tuple[str, dict[int, str]] = (
            "",
            {},
        )  # where the asker reads it privately; ids by part
        self._ended = False  # the person wants no more of it
        self.delivered = False  # Slack has all of it
        self._redactions_told = False
        self._bodies = Bodies(reply_id)
        self._traces = ReplyTraces(slack, incoming, reply_id, uncertain=resumed, waiting=progress.outside)
        self._line = StatusLine(slack, where.channel, where.thread)
        self._writer = ReplyWriter(slack, incoming, self._bodies, progress, self._line)
        self._standing: list[str] = []  # the messages of the whole reply, where an earlier attempt left it
        self._live = (
            None
            if resumed or incoming.by_app  # Slack streams to people
            else LiveStream(
                slack,
                self._place,
                self._filter,
                metadata=self._bodies.mark,
                sending=progress.note_sending,
                opened=self._note_opened,
            )
        )
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

    def show_reading(self, done: int, of: int) -> None:
        """How many documents are gone through, where it is not done at once."""
        self._line.show(READING.format(done=done, of=of) if done else "")

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
        self._bodies.disclosure = reply.disclosure
        under = blocks.closing(
            tuple(notes),
            reply_id=self._reply_id,
            feedback=reply.whole and not reply.note,
            retry=reply.retryable,
            verdict=reply.verdict,
            follow_ups=reply.follow_ups,
            disclosure=reply.disclosure,
            sources=reply.sources,
            note=reply.note,
            against=reply.against,
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
        self._writer.find_apology()
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
            return await self._publish(self._bodies.make(text, under))
        except SlackRefused as exc:
            if exc.code != TOO_LONG:
                raise
        return await self._publish(self._bodies.make(text, under, limit=SMALLER))

    async def put(self, text: str, shown: list[blocks.Block]) -> str:
        """Posts, finds or changes a message beside the answer, never streamed; its id."""
        self._writer.apologises = False
        body = {"text": text, "blocks": shown, "metadata": self._bodies.mark(0)}
        (ts,) = await self._publish([body], streamed=False)
        return ts

    async def find_delivered(self) -> list[str]:
        """Ids of the messages of this reply that stand in the thread as final."""
        try:
            found = await self._traces.look() or {}
        except SlackRefused:  # nothing can be seen there any more
            return []
        return [ts for part, ts in sorted(found.items()) if part < ORPHANS]

    async def withdraw(self) -> None:
        """Takes back what is already to be seen, because the question was deleted."""
        await self._settle_live()
        try:
            found = await self._traces.find()
        except SlackRefused:  # the thread is gone, and all in it
            found = {}
        for ts in {*self._messages, *found.values()}:
            await self._writer.remove(ts)
        direct, private = self._elsewhere
        for ts in private.values():
            await self._writer.delete(direct, ts)
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
        self._traces.note(uncertain=live.unsure)
        return rest

    async def _stop_stream(self, rest: str, under: list[blocks.Block]) -> bool:
        """The normal end of a running stream; False when the thread has to be put in order instead."""
        if apology := self._writer.find_apology():
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
                metadata=self._bodies.mark(len(self._messages) - 1),
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
        return not (self._traces.uncertain or self._messages or self._writer.touched)

    @property
    def session(self) -> bool:
        """Whether its thread may still show that somebody is at work."""
        return self._session.noted

    async def _publish(self, bodies: list[Body], *, streamed: bool = True) -> list[str]:
        """Puts the thread in order: every part once, nothing else of ours in this reply's place.

        What was never streamed leaves no orphans, and claims none.
        """
        there = await self._traces.find(len(bodies))
        if there.keys() >= set(range(len(bodies))):
            self._standing = [there[part] for part in range(len(bodies))]
        if not streamed:
            there = {part: ts for part, ts in there.items() if part < ORPHANS}
        mine = [*self._messages, *(ts for ts in there.values() if ts not in self._messages)]
        mine.sort(key=float)
        for index, body in enumerate(bodies):
            if self._ended and 0 < index >= len(mine):
                bodies = [*bodies[: index - 1], self._bodies.stop_behind(bodies[index - 1])]
                await self._writer.update(mine[index - 1], bodies[-1])
                break
            if index < len(mine):
                if streamed:
                    await self._writer.end_stream(mine[index])
                await self._writer.update(mine[index], body)
            else:
                mine.append(await self._writer.post(body))
                self._messages = mine
        for surplus in mine[len(bodies) :]:
            await self._writer.remove(surplus)
        return mine[: len(bodies)]

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
        self._elsewhere = direct, await self._traces.find_in(direct)
        under = blocks.closing(
            reply.notes, reply_id=self._reply_id, feedback=False, retry=False, disclosure=reply.disclosure
        )
        for index, body in enumerate(self._bodies.make(ELSEWHERE.format(code=code) + reply.text, under)):
            if index not in self._elsewhere[1]:
                answer = await self._slack.call(
                    POST, channel=direct, unfurl_links=False, unfurl_media=False, **body
                )
                self._elsewhere[1][index] = str(answer["ts"])
        return []
