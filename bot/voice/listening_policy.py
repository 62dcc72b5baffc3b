"""Which clips are transcribed, and how: what a channel wants, within what the operator set.

A clip is transcribed when somebody turns to Parley with it (a direct message, a mention), and otherwise as
far as the channel says: `mentioned` no further, `threads` in threads that Parley takes part in, `every` every
clip.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.errors import NotUnderstood
from bot.core.settings import LISTEN, Settings
from bot.core.values import File, Incoming
from bot.text import languages
from bot.voice.containers import CONTAINERS
from storage.channel import preferences
from storage.engine import Tx

# What may be a recording although it is announced as something nobody knows.
UNKNOWN = frozenset({"", "application/octet-stream", "application/ogg"})
ENDINGS = tuple(ending for ending, _ in CONTAINERS.values())
# The channel's own names for what it sets.
LISTENS, SPOKEN, WORDS = "listen", "languages", "words"


@dataclass(frozen=True, slots=True)
class ListeningPolicy:
    """What holds in one channel. No `spoken` or `words` of its own: the operator's."""

    listen: str
    spoken: tuple[str, ...] = ()  # codes
    words: tuple[str, ...] = ()

    def allows(self, incoming: Incoming) -> bool:
        """Are the recordings in this message for us?"""
        if incoming.direct or incoming.mentioned or self.listen == "every":
            return True
        return self.listen == "threads" and incoming.message != incoming.conversation.thread


def read_policy(tx: Tx, settings: Settings, team: str, channel: str) -> ListeningPolicy:
    """What a channel wants, or the operator where it says nothing."""
    wishes = preferences.wishes(tx, team, channel)
    return ListeningPolicy(
        wishes.get(LISTENS, settings.voice_listen),
        split_list(wishes.get(SPOKEN, "")),
        split_list(wishes.get(WORDS, "")),
    )


def check_wish(name: str, value: str) -> str:
    """A channel's wish as it is kept. NotUnderstood when it cannot be granted."""
    if name == LISTENS:
        if value not in LISTEN:
            raise NotUnderstood(value, f"I know {', '.join(LISTEN)}.")
        return value
    if name == SPOKEN:
        codes = [languages.code(word) for word in split_list(value)]
        if "" in codes:
            raise NotUnderstood(split_list(value)[codes.index("")], "Name languages like en or Japanese.")
        return ", ".join(codes)
    return ", ".join(split_list(value))


def may_hold_speech(file: File) -> bool:
    """May there be something to hear in it? What is announced is believed only when it clearly says no."""
    kind = file.mime.partition("/")[0]
    return (
        file.voice
        or file.stub
        or kind in ("audio", "video")
        or file.mime in UNKNOWN
        or file.name.lower().endswith(ENDINGS)
    )


def is_of_no_kind(file: File) -> bool:
    """May it just as well be a document? It is announced as something nobody knows."""
    return file.mime in UNKNOWN and not file.voice and not file.name.lower().endswith(ENDINGS)


def split_list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
