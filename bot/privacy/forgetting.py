"""Forgetting what people said, at somebody's wish, and giving a person all that is kept of them.

Which rows go is storage/privacy/forget.py's; whose amounts they were is taken out of the ledger by a job
(bot/privacy/anonymise.py). What is erased because it is old is bot/privacy/retention.py's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.conversation.service import Turns
from bot.core.settings import Settings
from bot.core.values import Conversation, WordsKept
from bot.guard.service import ChannelGuard
from bot.jobs.inbox import Effect, Inbox, Job
from bot.privacy import anonymise
from bot.privacy.access_log import AccessLog
from bot.privacy.portions import put_removals_of, thin_out, thin_out_person
from bot.privacy.removal import erase_removed
from bot.privacy.under_way import FORGET, UnderWay, erase_person
from bot.voice.service import Clips
from storage.conversation import messages
from storage.engine import Engine, Tx
from storage.privacy import export, forget, kept, removal
from storage.privacy.portions import Whose, is_kept_with


class Forgetting:
    """Erases threads, people and workspaces everywhere, and exports what is kept of a person."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        inbox: Inbox,
        turns: Turns,
        clips: Clips,
        guard: ChannelGuard,
        access_log: AccessLog,
        *,
        clock: Callable[[], float],
    ) -> None:
        """`clock` gives unix seconds."""
        self._settings = settings
        self._engine = engine
        self._inbox = inbox
        self._turns = turns
        self._clips = clips
        self._guard = guard
        self._access_log = access_log
        self._clock = clock

    async def forget_thread(self, conversation: Conversation, user: str) -> WordsKept | None:
        """Forgets a thread for somebody who takes part in it; what went, None for an outsider.

        With it goes the thread in which its first message was answered. Where all threads are one
        conversation, all of it goes, and what these threads held for themselves before.
        """
        first = await self._engine.read(messages.find_thread, conversation)
        threads = [replace(conversation, thread=each, whole=False) for each in (conversation.thread, first)]
        places = {place.key: place for place in (*threads, replace(conversation, thread=first))}
        gone = [await self._forget_conversation(place, user) for place in places.values()]
        went = [words.kinds for words in gone if words is not None]
        return WordsKept({kind: sum(w[kind] for w in went) for kind in went[0]}) if went else None

    async def _forget_conversation(self, conversation: Conversation, user: str) -> WordsKept | None:
        if not await self._engine.read(_has_words_in, conversation, user):
            return None
        before = await self._engine.read(kept.count_in_conversation, conversation.key)
        documents = await self._engine.write(put_removals_of, conversation, now=self._clock())
        await self._clips.forget_thread(conversation, by=user)
        whose = Whose(conversation.team, conversation=conversation.key)
        erased = await thin_out(self._engine, whose, now=self._clock())
        await self._engine.write(forget.forget, conversation, by=user, erased=erased, now=self._clock())
        self._guard.reload_models()
        await self._engine.scrub()
        await self._inbox.look(True)  # the cards of what was kept of it are changed by jobs
        after = await self._engine.read(kept.count_in_conversation, conversation.key)
        went = _difference(before, after)
        return WordsKept(went | {"documents": went["documents"] + documents})

    async def forget_latest_thread(self, team: str, channel: str, user: str) -> WordsKept | None:
        """Forgets the thread a person last spoke in within a channel; None when there is none."""
        thread = await self._engine.read(messages.latest_of, team, channel, user)
        if thread is None:
            return None
        return await self.forget_thread(Conversation(team, channel, thread), user)

    async def count_kept(self, team: str, user: str) -> WordsKept:
        """What would go if everything of a person were forgotten now."""

        def count(tx: Tx) -> WordsKept:
            return WordsKept(
                kept.count_of_person(tx, team, user),
                threads=kept.count_threads(tx, team, user),
                requests=kept.count_requests(tx, team, user),
                under_way=len(forget.list_under_way(tx, team, user)),
            )

        return await self._engine.read(count)

    async def forget_person(self, team: str, user: str, *, by: str = "") -> WordsKept:
        """Forgets everything a person said in a workspace; what went. `by` "": the operator.

        What they asked and has no answer yet goes as soon as it has one.
        """
        before = await self.count_kept(team, user)
        await self._clips.forget_person(team, user, by=by)
        key, payload = anonymise.make_order(team, user)
        erased = await thin_out_person(self._engine, team, user, now=self._clock())

        def erase(tx: Tx) -> bool:
            erase_person(tx, team, user, by=by, erased=erased, now=self._clock())
            return True

        await self._inbox.put(key, key, anonymise.ANONYMISE, payload, team=team, when=erase)
        self._guard.reload_models()
        await self._engine.scrub()
        await self._inbox.look(True)
        left = await self.count_kept(team, user)
        return replace(before, kinds=_difference(before.kinds, left.kinds))

    async def work(self, job: Job) -> Sequence[Effect]:
        """A question has its answer, or was given up on: now it goes like everything its person said."""
        asked = UnderWay(**json.loads(job.payload))
        if await self._engine.read(forget.is_under_way, asked.key):  # its person is yet to be told
            await self._inbox.put(f"{job.key}:", job.conversation, FORGET, job.payload)
            return []
        if await self._engine.read(forget.is_under_way, asked.other_key):  # which has such a job as well
            return []
        at = (asked.team, asked.channel, asked.message)
        await self._clips.forget_message(asked.message_key, *at, by=asked.person)
        await self._engine.write(
            forget.forget_turn, *at, key=asked.message_key, person=asked.person, now=self._clock()
        )
        self._guard.reload_models()
        await self._engine.scrub()
        return []

    async def leave_team(self, team: str) -> None:
        """After `note_removed`: what people said in a workspace goes, now or after a while."""
        if self._settings.uninstalled == "erase":
            await self._turns.end_team(team)
            await erase_removed(self._engine, self._settings, now=self._clock())
            self._guard.reload_models()

    async def note_removed(self, team: str) -> None:
        """The app was removed from a workspace; what follows from it survives this process."""
        await self._engine.write(removal.note_removed, team, now=self._clock())

    async def note_installed(self, team: str) -> None:
        """The app is in a workspace, perhaps again: nothing is erased there for its removal."""
        await self._engine.write(removal.drop_removed, team)

    async def export_person(self, team: str, user: str) -> bytes:
        """Everything kept of a person, as JSON, for that person."""
        self._access_log.note(team, user, "export", "their own words")
        return await self._engine.read(export.export_person, team, user)


def _has_words_in(tx: Tx, place: Conversation, user: str) -> bool:
    """Whether somebody takes part in a conversation, or in what was kept of it."""
    return messages.speaks_in(tx, place.key, user) or is_kept_with(tx, place, person=user)


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What went, by kind."""
    return {kind: before[kind] - after[kind] for kind in before}
