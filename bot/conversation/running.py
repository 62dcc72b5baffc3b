"""The turns that are being worked on, as everything around sees them: each can be ended, and begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bot.conversation.turn_values import LiveReply, Stoppable
from bot.core.values import Conversation, Incoming, Message
from bot.jobs.inbox import Job
from bot.voice.message_clips import RunningRecognition

MOST_RESTARTS = 2  # so often a question that somebody goes on with is asked anew; then it is the next one


class AnswerDelivery(Stoppable, Protocol):
    """An answer on its way into Slack. `delivered`: all of it is there."""

    @property
    def delivered(self) -> bool: ...


@dataclass(slots=True)
class Running:
    """A turn that is being worked on, and the ways it can be ended from outside.

    `posts`: the question, in one post or in several that the same person wrote quickly.
    """

    job: Job
    posts: tuple[Incoming, ...]
    work: Stoppable | None = None
    ended: str = ""  # "stopped", "deleted", or "joined": to begin anew with what has come since
    ending: asyncio.Task[None] | None = None
    answering: bool = False  # words of an answer were handed on
    delivery: AnswerDelivery | None = None
    missed: tuple[str, ...] = ()  # what came too late for that
    restarts: int = 0  # because more was added
    taken_back: bool = False  # a recording of it, which may have been heard all the same
    stop_heard: bool = False  # which another process received
    changes: int = 0  # being written down
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # none is any more
    completed: asyncio.Event = field(default_factory=asyncio.Event)  # more of a post has come

    def list_about(self, key: str) -> list[Incoming]:
        """Its posts that are about one of Slack's: asked first, or once more."""
        return [post for post in self.posts if f"{post.key}:".startswith(f"{key}:")]

    def watch(self, work: Stoppable | None) -> None:
        self.work = work
        if work is not None and self.ended:
            self.end(self.ended)

    @property
    def delivered(self) -> bool:
        """Whether all of the answer can be read."""
        return self.delivery is not None and self.delivery.delivered

    def deliver(self, answer: AnswerDelivery) -> None:
        """From here on the answer is written, and an end is the end of its delivery."""
        if self.ended == "joined":  # too late for that
            self.ended = ""
        self.answering, self.delivery = True, answer
        self.watch(answer)

    def end(self, why: str) -> None:
        """Ends the work. What is heard in a recording stays true, so for "joined" that goes on to its end."""
        if self.ended != "deleted":  # whatever comes after that changes nothing
            self.ended = why
        if self.work is not None and not (why == "joined" and isinstance(self.work, RunningRecognition)):
            self.ending = asyncio.create_task(self.work.aclose())

    def stop_once(self) -> None:
        """Its person pressed stop elsewhere; that is told more than once."""
        if not self.stop_heard:
            self.stop_heard = True
            self.end("stopped")

    def add(self) -> None:
        """The person went on: the turn begins anew with that, if nothing of an answer was shown."""
        if not (self.answering or self.ended) and self.restarts < MOST_RESTARTS:
            self.restarts += 1
            self.end("joined")

    def change(self, post: Incoming) -> None:
        """More of a post came, or its author changed it: the turn begins anew, if nothing was shown."""
        before = next((each for each in self.posts if each.key == post.key), None)
        if before is None:
            return
        self.posts = tuple(post if each is before else each for each in self.posts)
        self.completed.set()
        files = post.files[len(before.files) :]
        if self.answering:
            self.missed += tuple(file.name or "a file" for file in files)
        elif not self.ended and (files or _read(post) != _read(before)):
            self.end("joined")

    def remove(self, key: str) -> None:
        """A post was deleted. The question goes with its first one; what was added then stands alone."""
        gone = self.list_about(key)
        if self.posts[0] in gone:
            self.end("deleted")
            return
        self.posts = tuple(post for post in self.posts if post not in gone)
        self.taken_back = self.taken_back or any(post.files for post in gone)
        if not (self.answering or self.ended):
            self.end("joined")

    def begin_anew(self) -> bool:
        """Whether the turn ended because more came, and is now to be run again. A stop has done its work."""
        anew = self.ended == "joined"
        if self.ended != "deleted":
            self.ended = ""
        return anew


class RunningTurns:
    """The turns that are being worked on, at most one in a conversation."""

    def __init__(self) -> None:
        self._turns: dict[str, Running] = {}
        self._beginning: dict[str, asyncio.Event] = {}  # by conversation of jobs

    def __iter__(self) -> Iterator[Running]:
        return iter(self._turns.values())

    def find_working(self, conversation: str) -> Running | None:
        """The turn whose job belongs to a conversation of jobs."""
        return next((running for running in self if running.job.conversation == conversation), None)

    def end_team(self, team: str) -> None:
        """Nobody of a workspace can be answered any more: its turns end, and no word of them stays."""
        for running in self:
            if running.posts[0].conversation.team == team:
                running.end("deleted")

    def find(self, place: Conversation) -> Running | None:
        return self._turns.get(place.key)

    def works_in(self, conversation: str) -> bool:
        """Whether a turn is at work in a conversation, by its key."""
        return conversation in self._turns

    def find_about(self, key: str) -> list[Running]:
        """The turns at work on a post: its first answer, or one that was asked for again."""
        return [running for running in self if running.list_about(key)]

    @contextmanager
    def holding(self, key: str) -> Iterator[None]:
        """While a change of a post is written down: a turn that begins anew for it waits to read it."""
        held = self.find_about(key)
        for running in held:
            running.changes += 1
            running.settled.clear()
        try:
            yield
        finally:
            for running in held:
                running.changes -= 1
                if not running.changes:
                    running.settled.set()

    @contextmanager
    def beginning(self, conversation: str) -> Iterator[None]:
        """From before a turn is read until it is known here: what comes for it meanwhile waits."""
        begun = self._beginning[conversation] = asyncio.Event()
        try:
            yield
        finally:
            del self._beginning[conversation]
            begun.set()

    async def wait_begun(self, conversation: str) -> None:
        """Until a turn that begins in a conversation of jobs is known."""
        if begun := self._beginning.get(conversation):
            await begun.wait()

    def begin(self, place: Conversation, running: Running) -> None:
        self._turns[place.key] = running

    def finish(self, place: Conversation) -> None:
        del self._turns[place.key]


def _read(post: Incoming) -> tuple[object, ...]:
    """What a model would read of a post, beside its files."""
    return post.text, post.quoted, post.unreadable


class NoticedReply:
    """A reply that tells the running turn of its first words."""

    def __init__(self, reply: LiveReply, running: Running) -> None:
        self._reply = reply
        self._running = running

    def show_transcribing(self, done_s: float, total_s: float) -> None:
        self._reply.show_transcribing(done_s, total_s)

    def show_reading(self, done: int, of: int) -> None:
        self._reply.show_reading(done, of)

    def show_waiting(self, waiting: bool) -> None:
        self._reply.show_waiting(waiting)

    def show_queue(self, place: int, wait_s: float) -> None:
        self._reply.show_queue(place, wait_s)

    def vouch_for(self, messages: Sequence[Message]) -> None:
        self._reply.vouch_for(messages)

    def append(self, text: str) -> None:
        if self._running.ended == "joined":  # said before more of the question came: it is asked anew
            return
        self._running.answering = True
        self._reply.append(text)

    def take_back(self) -> None:
        if self._running.answering:
            self._running.answering = False
            self._reply.take_back()
