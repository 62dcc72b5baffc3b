"""Apps, bots and workflows that may ask: those that the operator names, and each so often an hour.

Two bots that may ask each other would talk for ever. So an app asks by mentioning us alone, and after so many
questions in a channel within an hour it is told once that these were too many; for the hour that follows
nothing of it is answered there. What counts stands in the inbox, so a restart begins no new hour.
"""

from __future__ import annotations

from typing import Literal

from bot.core.values import Incoming
from storage.engine import Tx
from storage.jobs import queries

HOUR_S = 3600.0
PAUSE = ":pause"  # ends the key of the post under which an app is told
TOO_MANY = (
    "That was more than {limit} questions of this app in this channel within an hour, and I answer no more "
    "of them, so that two apps do not talk to each other for ever. I answer it again in an hour."
)

Weighed = Literal["ask", "pause", "ignore"]


def weigh(tx: Tx, asked: Incoming, *, limit: int, now: float) -> Weighed:
    """What becomes of an app's question: it is answered, or told of the limit, or ignored."""
    known = queries.list_keys(tx, asked.key)
    if known:  # another event of the same post
        return "ask" if asked.key in known else "ignore"
    place = asked.conversation
    recent = queries.list_recent(
        tx, place.team, asked.user, conversations=f"{place.team}:{place.channel}:", since=now - HOUR_S
    )
    if any(key.endswith(PAUSE) for key in recent):
        return "ignore"
    return "ask" if len(recent) < limit else "pause"
