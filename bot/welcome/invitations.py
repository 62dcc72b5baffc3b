"""Called into a channel: one note to whoever did it, that says what holds there.

An invitation is a job of the inbox, so it is stored before Slack hears that we have it, and one that is
delivered again changes nothing. What the note says is made here from what is set for the channel, as values;
handlers/welcome puts it into words and into Slack.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bot.channel.options import ANSWERS
from bot.channel.service import Preferences
from bot.core import access
from bot.core.codec import encode
from bot.core.errors import AskError
from bot.core.settings import Settings
from bot.core.values import Invitation
from bot.costs.budgets import Budgets, Standing
from bot.guard.policy import Policy
from bot.guard.service import ChannelGuard
from bot.jobs.inbox import Effect, Inbox, Job
from bot.voice.listening_policy import read_policy
from bot.welcome.disclosures import read_sentence
from storage.engine import Engine
from storage.place import Channel
from storage.welcome import disclosures

INVITATION = "invitation"  # the kind of job


@dataclass(frozen=True, slots=True)
class InvitationNote:
    """What whoever called us into a channel is told. `closed`: why nothing is answered there, and then that
    alone."""

    invitation: Invitation
    closed: AskError | None
    disclosure: str = ""
    answers: str = ""  # what is answered beside mentions: bot.core.settings.ANSWERED
    listen: str = ""  # which clips are heard: bot.voice.listening_policy
    budgets: tuple[Standing, ...] = ()  # that everything in the channel counts towards
    policy: Policy | None = None  # what the channel is for, where its guard is in force
    shared: str = ""  # how people of another company are answered: PARLEY_EXTERNAL


class NoteGiver(Protocol):
    """Whoever gives the note to the person."""

    async def give_note(self, note: InvitationNote, *, resumed: bool) -> str:
        """Where it stands now, "" where Slack takes it nowhere. `resumed`: it may stand there already."""


class Invitations:
    """Takes invitations in, and has a note given for each. `clock` gives unix seconds."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        inbox: Inbox,
        guard: ChannelGuard,
        preferences: Preferences,
        budgets: Budgets,
        giver: NoteGiver,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._settings, self._engine, self._inbox = settings, engine, inbox
        self._guard, self._preferences, self._budgets = guard, preferences, budgets
        self._giver, self._clock = giver, clock

    async def take(self, invitation: Invitation) -> None:
        """Stores an invitation; returns when it is on disk. Nobody is told of one that names nobody."""
        if invitation.inviter:
            key, team, inviter = invitation.key, invitation.team, invitation.inviter
            await self._inbox.put(key, key, INVITATION, encode(invitation), team=team, person=inviter)

    async def work(self, job: Job) -> Sequence[Effect]:
        """One note; that it told the person of an AI is committed with the job's end."""
        invitation = Invitation(**json.loads(job.payload))
        note = await self.describe(invitation)
        place = await self._giver.give_note(note, resumed=job.attempts > 1)
        if note.closed or not place:
            return []
        told = partial(
            disclosures.note,
            team=invitation.team,
            person=invitation.inviter,
            occasion=disclosures.INVITATION,
            channel=place,
            source=invitation.key,
            now=self._clock(),
        )
        return [told]

    async def describe(self, invitation: Invitation) -> InvitationNote:
        """What holds in the channel now."""
        settings, team, channel = self._settings, invitation.team, invitation.channel
        if closed := access.why_channel_closed(channel, external=invitation.external, settings=settings):
            return InvitationNote(invitation, closed)
        at = Channel(team, channel)
        policy = await self._guard.read_policy(at)
        return InvitationNote(
            invitation,
            closed=None,
            disclosure=read_sentence(settings),
            answers=await self._engine.read(self._preferences.read_choice, at, ANSWERS),
            listen=(await self._engine.read(read_policy, settings, team, channel)).listen,
            budgets=tuple(await self._budgets.standings_in(team, channel)),
            policy=policy if policy and not policy.shadow else None,
            shared=settings.external if invitation.external else "",
        )
