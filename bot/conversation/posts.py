"""Taking posts in: questions, what is said beside them, edits, deletions, and what is asked for once more.

Whatever asks for an answer is on disk as a job of the inbox before Slack is told that it arrived. A turn that
is at work on a post follows what becomes of it, as long as nothing of its answer is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.channel.options import ANSWERS
from bot.conversation import addressing
from bot.conversation.asking_apps import PAUSE, Weighed, weigh
from bot.conversation.edits import edit_message, join_edit, says_the_same
from bot.conversation.late_edits import keep_words, key_of_post, make_next_question
from bot.conversation.latest_posts import LatestPosts
from bot.conversation.people_answers import offer_answer
from bot.conversation.questions import (
    MESSAGE,
    asks_for_answer,
    find_overtaken,
    follows_directly,
    knows_post,
    lacks_post,
    pass_over,
    read_question,
)
from bot.conversation.records import (
    add_to_post,
    add_to_question,
    extend_remembered,
    forget_message,
    remember_aside,
)
from bot.conversation.running import Running, RunningTurns
from bot.conversation.signals import TurnSignals
from bot.conversation.turn_values import TurnServices
from bot.core.access import remembers, why_closed
from bot.core.codec import decode, encode
from bot.core.errors import (
    Conflict,
    Missing,
    NotPermitted,
    TriedAgain,
)
from bot.core.ids import follow_up_key
from bot.core.values import FOLLOW_UPS, Conversation, Incoming
from bot.jobs.inbox import Inbox
from bot.ops.metrics import METRICS
from storage.conversation import replies, tombstones
from storage.engine import Engine, Tx
from storage.jobs import queries
from storage.place import Channel

log = logging.getLogger(__name__)

STOP = "stop"  # the kind of job of a "stop" in words
OVERTAKEN = (
    "overtaken"  # the kind of job that looks for what was posted after a mention and arrived before it
)
KNOWN = "known or not for us"  # what became of a post that was taken in
AGAIN = ":again"  # ends the key of a question that is asked once more


class Posts:
    """Everything that people and apps post, from the moment it arrives until it waits or is remembered."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        services: TurnServices,
        running: RunningTurns,
        signals: TurnSignals,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._services = services
        self._running = running
        self._signals = signals
        self._clock = clock
        self._latest = LatestPosts()

    async def take(self, incoming: Incoming, *, when: Callable[[Tx], bool] = lambda tx: True) -> None:
        """Stores a post that asks for an answer; returns when it is on disk."""
        if self._latest.holds(incoming):
            METRICS.count("parley_received_total", outcome=KNOWN)
        elif await self._take(incoming, when):
            self._latest.add(incoming)

    async def _take(self, incoming: Incoming, when: Callable[[Tx], bool]) -> bool:
        """Whether it was new."""
        place, changed, overtaken = incoming.conversation, list[Incoming](), ""
        running = self._running.find(place) or self._find_begun(incoming)
        if addressing.read_wish(incoming.text) == "stop" and await self._stop(incoming, running):
            return await self._inbox.put(
                incoming.key, place.key, STOP, encode(incoming), team=place.team, person=incoming.user
            )
        there = running.posts[0].conversation if running else await self._signals.find_begun(incoming)
        if there and there.key != place.key:
            place = there
            incoming = replace(incoming, conversation=place, beside=True)

        def wanted(tx: Tx) -> bool:  # its deletion may have overtaken it
            nonlocal overtaken
            tx.lock(place.key)
            tombstones.lock(tx, place.team, place.channel, incoming.message)
            if not when(tx) or tombstones.forgotten(tx, place.team, place.channel, incoming.message):
                return False
            changed[:] = filter(None, [add_to_post(tx, incoming)])
            if changed:
                self._signals.tell_about(tx, incoming.key)
            self._signals.tell(tx, place.key)
            overtaken = find_overtaken(tx, incoming) if incoming.mentioned and not incoming.by_app else ""
            return True

        new = await self._inbox.put(
            incoming.key,
            place.key,
            MESSAGE,
            encode(incoming),
            team=place.team,
            person=incoming.user,
            since=incoming.sent_at.timestamp(),
            when=wanted,
        )
        if overtaken:
            await self._look_for_overtaken(incoming)
        METRICS.count("parley_received_total", outcome="stored" if new else KNOWN)
        self._pass_on(changed)
        running = self._running.find(place)
        if new and running and not running.list_about(incoming.key):
            posts = await self._engine.read(read_question, running.job, running.posts[0])
            if any(post.key == incoming.key for post in posts):
                running.add()
        return new

    async def _stop(self, incoming: Incoming, running: Running | None) -> bool:
        """Ends what is worked on where somebody wrote "stop"; whether there is anything."""
        if running:
            running.end("stopped")
            return True
        place = incoming.conversation
        return await self._signals.finds_in(place) and await self._engine.write(self._signals.stop, place)

    async def _look_for_overtaken(self, mention: Incoming) -> None:
        """Has what the asker wrote since a late mention be looked for, before its turn is over."""
        place, wordless = mention.conversation, replace(mention, text="", quoted="", files=(), unreadable=())
        await self._inbox.put(
            f"{OVERTAKEN}:{mention.key}",
            f"{place.key}:{OVERTAKEN}",
            OVERTAKEN,
            encode(wordless),
            team=place.team,
            person=mention.user,
            since=mention.sent_at.timestamp(),
        )

    def _find_begun(self, incoming: Incoming) -> Running | None:
        """The question in another thread of a direct conversation with which a post goes on."""
        for running in self._running:
            if not running.answering and follows_directly(running.posts[0], running.posts[-1], incoming):
                return running
        return None

    async def take_late_mention(self, edited: Incoming) -> None:
        """A post that mentions us since it was edited: a question, unless it is one already. Of that one the
        edit itself tells (`apply_edit`)."""
        await self.take(edited, when=lambda tx: not queries.list_keys(tx, edited.key))

    async def take_early_edit(self, edited: Incoming) -> None:
        """An edit that overtook its post stands for it: the old words come later, and change nothing."""
        if edited.direct or edited.mentioned:
            await self.take_late_mention(edited)
        elif await self._engine.read(lacks_post, edited):
            await self.take_unmentioned(edited)

    async def add(self, later: Incoming) -> None:
        """Adds what Slack added to a post by itself, where the post waits or is remembered."""
        if await self._engine.read(knows_post, later):
            changed = await self._signals.write_about(later.key, add_to_question, later)
            await self._engine.write(extend_remembered, later)
            self._pass_on([changed] if changed else [])

    def _pass_on(self, changed: list[Incoming]) -> None:
        """Has a turn that is at work on one of these posts know what it is now."""
        for post in changed:
            for running in self._running.find_about(post.key):
                running.change(post)

    async def take_unmentioned(self, incoming: Incoming) -> None:
        """A post that does not mention us: a question to us, or else words that a thread of ours remembers.

        Where nothing is answered, a mention is told so; what follows it is none of our business.
        """
        settings, asked, offered = self._services.settings, list[bool](), list[bool]()
        if why_closed(incoming, settings):
            return

        def asks(tx: Tx) -> bool:
            at = Channel(incoming.conversation.team, incoming.conversation.channel)
            offered.append(offer_answer(tx, incoming, now=self._now()))
            if offered[-1]:
                asked.append(False)
                return False
            answers = self._services.preferences.read_choice(tx, at, ANSWERS)
            asked.append(asks_for_answer(tx, settings, incoming, answers))
            if not asked[-1] and answers != "mentions":
                pass_over(tx, incoming, now=self._now())
            return asked[-1]

        await self.take(incoming, when=asks)
        if asked and not asked[-1]:
            await self.remember_aside(incoming)
        if any(offered):
            await self._inbox.look(True)

    async def take_from_app(self, incoming: Incoming) -> None:
        """A post of an app that may ask, and mentions us: a question, as long as there are not too many."""
        limit, weighed = self._services.settings.asking_apps_limit, list[Weighed]()

        def is_to(wanted: Weighed, tx: Tx) -> bool:
            weighed.append(weigh(tx, incoming, limit=limit, now=self._now()))
            return weighed[-1] == wanted

        await self.take(incoming, when=partial(is_to, "ask"))
        if weighed[-1:] == ["pause"]:
            told = replace(incoming, key=incoming.key + PAUSE, too_many=True)
            await self.take(told, when=partial(is_to, "pause"))
            if weighed[-1] == "pause":
                where = incoming.conversation.channel
                log.warning("the app %s asked %d times within an hour in %s", incoming.user, limit, where)
        elif weighed[-1:] == ["ignore"]:
            await self.remember_aside(incoming)

    async def remember_aside(self, incoming: Incoming) -> None:
        """A post in a thread of ours that is said to somebody else, or by another app: remembered, not
        answered."""
        settings = self._services.settings
        if why_closed(incoming, settings) or not remembers(incoming, settings):
            return
        await self._engine.write(remember_aside, incoming, now=self._now())

    async def change_remembered(self, post: Incoming) -> None:
        """Another app changed what it posted: an alert is over."""
        if await self._engine.read(knows_post, post):
            await self._engine.write(edit_message, post, now=self._now())

    async def apply_edit(self, edited: Incoming) -> None:
        """What waits and what is remembered follow the edit; an answer that was given stays.

        A question that is being answered is asked anew as long as nothing of an answer is shown. Then the
        old words stay with their answer, and the new ones are the next question.
        """
        with self._running.holding(edited.key):
            if await self._apply_edit(edited):
                return
        if edited.by_app:  # apps write by editing: each step of it would be a question
            return
        key = f"{edited.key}:{edited.sent_at.timestamp():.6f}"
        next_question = replace(edited, key=key, asked_anew=True, edited=True)
        await self.take(next_question, when=lambda tx: not join_edit(tx, edited))

    async def _apply_edit(self, edited: Incoming) -> bool:
        """False: an answer to the old words is shown, which stay with it."""
        given = any(running.delivered for running in self._running.find_about(edited.key))
        if self._begin_anew_with(edited):
            return False
        if not await self._signals.write_about(
            edited.key, edit_message, edited, given=given, now=self._now()
        ):
            return False
        shown = self._begin_anew_with(edited)  # it may have begun, or shown something, meanwhile
        if shown:
            await self._engine.write(keep_words, shown)
        return shown is None

    async def ask_changed(self, before: Incoming, changed: Incoming) -> None:
        """A question was edited elsewhere while its old words are answered: as `apply_edit` for one here."""
        await self._engine.write(keep_words, before)
        if changed.by_app:
            return
        post = replace(changed, key=key_of_post(changed))
        following = make_next_question(changed, now=self._clock())
        await self.take(following, when=lambda tx: not join_edit(tx, post))

    def _begin_anew_with(self, edited: Incoming) -> Incoming | None:
        """Has the turn that is at work on a post ask with its new words; the old ones, where an answer to
        them is shown."""
        for running in self._running.find_about(edited.key):
            for post in running.list_about(edited.key):
                if running.answering and not (running.delivered or says_the_same(post, edited)):
                    return post
                running.change(replace(post, text=edited.text, quoted=edited.quoted))
        return None

    async def apply_deletion(self, key: str, team: str, channel: str, message: str) -> None:
        """The person took it back: no answer if there is none yet, and nothing is remembered of it."""
        there = await self._signals.write_about(
            key, forget_message, key, team, channel, message, now=self._now()
        )
        for running in self._running.find_about(key):
            running.remove(key)
        if there:
            self._services.guard.reload_models()
            await self._engine.scrub()
            await self._inbox.look(True)  # what was attached to it is erased by jobs

    async def retry(self, reply_id: str, user: str, *, external: bool = False) -> None:
        """The one retry of a failed answer, by the person who asked. `external`: another company reads along
        there by now. NotPermitted, TriedAgain or Missing."""
        try:
            await self._ask_again(reply_id, user, external=external)
        except TriedAgain:
            raise
        except Conflict:  # edited at this very moment
            await self._ask_again(reply_id, user, external=external)

    async def follow_up(
        self, reply_id: str, what: str, place: Conversation, *, message: str, user: str, external: bool
    ) -> None:
        """What a button under an answer asks for, once each: the answer again, shorter, longer, or its rest.

        `message`: the one whose button was pressed; `external`: by somebody of another company. Missing
        without such an answer there, NotPermitted, TriedAgain.
        """
        row = await self._engine.read(replies.find, reply_id)
        if row is None or row.conversation != place.key or what not in FOLLOW_UPS:
            raise Missing(f"no reply {reply_id}")
        incoming = Incoming(
            key=follow_up_key(reply_id, what),
            conversation=place,
            user=user,
            message=message,
            text=FOLLOW_UPS[what],
            sent_at=self._clock(),
            direct=True,  # the channel was open to the question before
            mentioned=True,
            external=external,
            follow_up=what,
        )
        if not remembers(incoming, self._services.settings):
            raise NotPermitted("for other companies each question is answered by itself: please write it")
        if await self._engine.read(queries.list_keys, incoming.key):
            raise TriedAgain(f"reply {reply_id}: {what}")
        await self.take(incoming)

    async def _ask_again(self, reply_id: str, user: str, *, external: bool) -> None:
        question = await self._engine.read(replies.retryable, reply_id, user)
        incoming = decode(question)
        external = external or incoming.external
        again = replace(incoming, key=incoming.key + AGAIN, sent_at=self._clock(), external=external)

        def used(tx: Tx) -> bool:  # together with what is asked again, or neither
            where = incoming.conversation
            if tombstones.forgotten(tx, where.team, where.channel, incoming.message):
                raise Missing(f"the question of reply {reply_id}")
            replies.use_retry(tx, reply_id, user, question, now=self._now())
            return True

        await self.take(again, when=used)

    def _now(self) -> float:
        return self._clock().timestamp()
