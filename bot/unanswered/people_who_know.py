"""People who know are asked what documents do not answer, in the thread of the question, once.

A reply of theirs that they confirm answers whoever asked, and is kept as a note with its author, its date and
a day on which it is to be looked at again; what others asked of the same is then asked again. Whom a channel
named, and what was asked, is storage/unanswered/asked_people.py's; that a post may be an answer is seen where
it is taken in (bot/conversation/people_answers.py).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal, Protocol

from bot.conversation.people_answers import PersonsAnswer, put_job
from bot.core.errors import Incomplete, Missing, NotPermitted
from bot.core.values import Reply
from bot.jobs.inbox import Effect, Inbox, Job
from bot.notes.new_note import TEXT_MOST, NewNote
from bot.notes.service import Notes
from bot.unanswered.service import UnansweredQuestions
from storage.engine import Engine, Tx
from storage.place import Channel
from storage.unanswered import asked_people, questions
from storage.unanswered.questions import OpenQuestion

ASK, CONFIRMED = "ask people", "person answered"  # kinds of jobs
LOOK_AGAIN_AFTER = timedelta(days=182)  # its author is asked whether it is right still
TITLE_MOST = 100  # characters of a question
# asked, or confirmed · known: that was done before · nobody: no one can be asked now · closed: the question
# is open no more · gone: the post is not there · long: it is too long for a note · other: it is for others to
# say
Outcome = Literal["done", "known", "nobody", "closed", "gone", "long", "other"]
SAYS = "{name} says:\n\n{quoted}"
NOT_FROM_DOCUMENTS = "From a person who knows, not from documents. I keep it as a note: `/parley notes`."


@dataclass(frozen=True, slots=True)
class PersonsPost:
    """What somebody wrote in a thread, as it stands there now. `link`: to that post."""

    text: str
    at: float  # unix seconds
    link: str = ""


class PeopleChat(Protocol):
    """Slack, as people are asked there."""

    async def list_reachable(self, channel: str, people: Sequence[str]) -> list[str]:
        """Those who are in the channel now and are no guests."""

    async def ask_people(self, asked: PersonsAnswer, people: Sequence[str], *, resumed: bool) -> None:
        """Mentions them in the thread. `resumed`: that may stand there already."""

    async def offer_answer(self, post: PersonsAnswer) -> None:
        """Shows the author of a post, alone, the button that says it is the answer."""

    async def read_post(self, post: PersonsAnswer) -> PersonsPost | None:
        """A post as it is now, if it is that person's; None when it is gone."""

    async def find_newest_post(self, asked: PersonsAnswer) -> str:
        """The newest post of a person in the thread; "" for none."""

    async def names(self, ids: Collection[str]) -> Mapping[str, str]: ...


class TellsAskers(Protocol):
    """Tells whoever asked a question an answer that is not from documents."""

    async def tell(self, at: Channel, question: int, answer: Reply, *, by: str) -> None:
        """Once, in their thread. Missing: it is not open."""


class PeopleWhoKnow:
    """One for the whole process."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        chat: PeopleChat,
        notes: Notes,
        unanswered: UnansweredQuestions,
        askers: TellsAskers,
        *,
        clock: Callable[[], float],
    ) -> None:
        """`clock` gives unix seconds."""
        self._engine, self._inbox, self._chat = engine, inbox, chat
        self._notes, self._unanswered, self._askers = notes, unanswered, askers
        self._clock = clock

    # Whom a channel named

    async def list_named(self, at: Channel) -> list[str]:
        """The people of a channel who know."""
        return await self._engine.read(asked_people.list_named, at)

    async def name(self, at: Channel, people: Sequence[str], *, by: str) -> bool:
        """Names these people and nobody else; whether that changes anything."""
        return await self._engine.write(asked_people.set_named, at, people, by=by, now=self._clock())

    # What is pressed

    async def ask(self, team: str, question: int, *, by: str) -> Outcome:
        """Has the people of the channel asked in the thread, once."""
        found = await self._find_open(team, question)
        if found is None:
            return "closed"
        at = Channel(team, found.channel)
        if not await self._chat.list_reachable(at.channel, await self.list_named(at)):
            return "nobody"
        asked = await self._engine.write(_ask, at, found, by=by, now=self._clock())
        await self._inbox.look(True)
        return "done" if asked else "known"

    async def confirm(self, post: PersonsAnswer) -> Outcome:
        """The post's author says that it is the answer; without a `message` their newest post of the thread
        is meant."""
        named = await self.list_named(post.at)
        if post.person not in named or not await self._chat.list_reachable(post.channel, [post.person]):
            return "other"
        if await self._find_open(post.team, post.question) is None:
            return "closed"
        message = post.message or await self._chat.find_newest_post(post)
        post = replace(post, message=message)
        said = await self._chat.read_post(post) if message else None
        if said is None or not said.text.strip():
            return "gone"
        if len(said.text.strip()) > TEXT_MOST:
            return "long"
        confirmed = await self._engine.write(_confirm, post, now=self._clock())
        await self._inbox.look(True)
        return "done" if confirmed else "known"

    # The jobs

    async def work_ask(self, job: Job) -> list[Effect]:
        """Asks in the thread, unless the question has its answer by now."""
        asked = decode_answer(job)
        if await self._find_open(asked.team, asked.question):
            named = await self.list_named(asked.at)
            people = [one for one in named if one != asked.person]
            if reachable := await self._chat.list_reachable(asked.channel, people):
                await self._chat.ask_people(asked, reachable, resumed=job.attempts > 1)
        return []

    async def work_offer(self, job: Job) -> list[Effect]:
        """Offers somebody that what they wrote is the answer."""
        post = decode_answer(job)
        open = await self._find_open(post.team, post.question)
        if open and await self._chat.list_reachable(post.channel, [post.person]):
            await self._chat.offer_answer(post)
        return []

    async def work_confirmed(self, job: Job) -> list[Effect]:
        """Tells whoever asked, then keeps the note; what an earlier attempt did stays done."""
        post = decode_answer(job)
        question = await self._engine.read(questions.find, post.team, post.question)
        said = await self._chat.read_post(post)
        if question is None or said is None:
            return []
        topic = question.topic or await self._unanswered.find_topic(post.at, question.id)
        names = await self._chat.names({post.person})
        answer = make_answer(names.get(post.person, "Somebody who knows"), said.text)
        with contextlib.suppress(Missing):  # it was told by an earlier attempt, or is open no more
            await self._askers.tell(post.at, question.id, answer, by=post.person)
        await self._keep(post, said, question, topic)
        return []

    async def _keep(self, post: PersonsAnswer, said: PersonsPost, question: OpenQuestion, topic: int) -> None:
        note = NewNote(
            post.team,
            "channel",
            post.channel,
            post.person,
            said.text.strip(),
            title=" ".join(question.meant.split())[:TITLE_MOST],
            link=said.link,
            look_again_at=said.at + LOOK_AGAIN_AFTER.total_seconds(),
            repairs=topic,
            thread=post.thread,
            said_at=said.at,
            message=post.message,
        )
        with contextlib.suppress(Incomplete, NotPermitted):  # it was edited, or forgotten, since
            await self._notes.add(note)

    async def _find_open(self, team: str, id: int) -> OpenQuestion | None:
        question = await self._engine.read(questions.find, team, id)
        return question if question and question.closed_at is None else None


def make_answer(name: str, text: str) -> Reply:
    """What a person who knows said, quoted letter for letter."""
    quoted = "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
    return Reply(SAYS.format(name=name, quoted=quoted), notes=(NOT_FROM_DOCUMENTS,))


def decode_answer(job: Job) -> PersonsAnswer:
    return PersonsAnswer(**json.loads(job.payload))


def _ask(tx: Tx, at: Channel, question: OpenQuestion, *, by: str, now: float) -> bool:
    if not asked_people.note_asked(tx, at, question.id, by=by, now=now):
        return False
    thread = question.conversation.rpartition(":")[2] or question.message
    asked = PersonsAnswer(at.team, at.channel, thread, question.id, question.person, "")
    return put_job(tx, f"{ASK}:{question.id}", ASK, asked, now=now)


def _confirm(tx: Tx, post: PersonsAnswer, *, now: float) -> bool:
    if not asked_people.confirm(tx, post.at, post.question, post.message, by=post.person, now=now):
        return False
    return put_job(tx, f"{CONFIRMED}:{post.question}", CONFIRMED, post, now=now)
