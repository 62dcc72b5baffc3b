"""Where Parley works at all, and what it holds back where another company reads along.

In a channel shared with another company, and for its people anywhere, a question is answered by itself:
nothing of the thread is recalled, nothing is told from a channel's documents, and no word of it is kept here
longer than until its answer is final or given up. An operator may open or close that (PARLEY_EXTERNAL), and
may name the channels to work in (PARLEY_CHANNELS).
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.errors import AskError, KeptInside, NotHere, NotShared
from bot.core.settings import Settings, split_list
from bot.core.values import Incoming, Reply


def why_closed(incoming: Incoming, settings: Settings) -> AskError | None:
    """Why nothing is answered there; None where it is."""
    if incoming.direct:
        return NotShared() if settings.external == "refuse" and incoming.external else None
    channel = incoming.conversation.channel
    return why_channel_closed(channel, external=incoming.external, settings=settings)


def why_channel_closed(channel: str, *, external: bool, settings: Settings) -> AskError | None:
    """The same of a channel. `external`: it is shared with another company, or somebody of one asks."""
    if settings.external == "refuse" and external:
        return NotShared()
    open_to = split_list(settings.channels.upper())
    return NotHere() if open_to and channel not in open_to else None


def admit(incoming: Incoming, settings: Settings) -> None:
    """Raises NotHere or NotShared where nothing is answered."""
    if reason := why_closed(incoming, settings):
        raise reason


def remembers(incoming: Incoming, settings: Settings) -> bool:
    """Whether a thread may be recalled, and what is said in it kept."""
    return settings.external == "all" or not incoming.external


def admit_to_documents(incoming: Incoming, settings: Settings) -> None:
    """Raises KeptInside where what a channel's owner gave is not told."""
    if not remembers(incoming, settings):
        raise KeptInside


def without_later_actions(reply: Reply) -> Reply:
    """The reply without what would need its question later: another try, another verdict, more of
    it."""
    return replace(reply, retryable=False, verdict=0, follow_ups=())
