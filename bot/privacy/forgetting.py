"""Forgetting what people said, at somebody's wish, and giving a person all that is kept of them.

Which rows go is storage/privacy/forget.py's; whose amounts they were is taken out of the ledger by a job
(bot/privacy/anonymise.py). What is erased because it is old is bot/privacy/retention.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bot.conversation.service import Turns
from bot.core.settings import Settings
from bot.core.values import Conversation
from bot.guard.service import ChannelGuard
from bot.jobs.inbox import Inbox
from bot.privacy import anonymise
from bot.privacy.access_log import AccessLog
from bot.voice.service import Clips
from storage.conversation import messages
from storage.engine import Engine, Tx
from storage.privacy import export, forget


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

    async def forget_thread(self, conversation: Conversation, user: str) -> int | None:
        """Forgets a thread for somebody who takes part in it; how many messages, None for an outsider."""
        if not await self._engine.read(messages.speaks_in, conversation.key, user):
            return None
        await self._clips.forget_thread(conversation, by=user)
        return await self._erase(partial(forget.forget, place=conversation, by=user, now=self._clock()))

    async def forget_latest_thread(self, team: str, channel: str, user: str) -> int | None:
        """Forgets the thread a person last spoke in within a channel; None when there is none."""
        thread = await self._engine.read(messages.latest_of, team, channel, user)
        return await self.forget_thread(Conversation(team, channel, thread), user) if thread else None

    async def forget_person(self, team: str, user: str, *, by: str = "") -> int:
        """Forgets everything a person said in a workspace; how many messages. `by` "": the operator."""
        await self._clips.forget_person(team, user, by=by)
        key, payload = anonymise.make_order(team, user)
        erased = 0

        def erase(tx: Tx) -> bool:
            nonlocal erased
            erased = forget.forget_user(tx, team, user, by=by, now=self._clock())
            return True

        await self._inbox.put(key, key, anonymise.ANONYMISE, payload, team=team, when=erase)
        self._guard.reload_models()
        await self._engine.scrub()
        return erased

    async def leave_team(self, team: str) -> None:
        """The app was removed from a workspace: what people said there goes, if the operator wants it so."""
        if self._settings.uninstalled == "erase":
            self._turns.end_team(team)
            await self._erase(partial(forget.forget_team, team=team, now=self._clock()))

    async def export_person(self, team: str, user: str) -> bytes:
        """Everything kept of a person, as JSON, for that person."""
        self._access_log.note(team, user, "export", "their own words")
        return await self._engine.read(export.export_person, team, user)

    async def _erase(self, erase: partial[int]) -> int:
        erased = await self._engine.write(erase)
        self._guard.reload_models()
        await self._engine.scrub()
        return erased
