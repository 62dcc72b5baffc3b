"""What a turn starts from: the conversation as it is remembered, before a prompt is made of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.codec import decode_files
from bot.core.values import Message, ShownPicture
from bot.text import tokens
from storage.conversation.messages import Recalled


@dataclass(frozen=True, slots=True)
class Recollection:
    """What a turn starts from.

    `seen`: only so many messages of a longer thread were read; None: all. `left_out`: older turns are missing
    and in no summary, so a count of this prompt says nothing of the conversation; `unsummarised`: because no
    summary could be made of them. `hidden`: messages that the channel's guard refused.
    `pictures`: those that came with the question; `told`: what its asker is
    told of files; `attached`: what is in documents that may not be stored.
    `erasures`: what was ever deleted or changed in it until then.
    """

    summary: str = ""
    messages: tuple[Message, ...] = ()
    turns: int = 0
    seen: int | None = None
    left_out: bool = False
    unsummarised: bool = False
    hidden: int = 0
    pictures: tuple[ShownPicture, ...] = ()
    told: tuple[str, ...] = ()
    attached: str = ""
    erasures: int = 0


def recollection_from(recalled: Recalled, seen: int | None = None) -> Recollection:
    """Stored rows as what a prompt is made of."""
    messages = tuple(
        Message(
            "human" if m.role == "human" else "assistant",
            m.text,
            m.person if m.role == "human" else "",
            m.whole,
            m.person if m.role == "assistant" else "",
            files=decode_files(m.files),
        )
        for m in recalled.messages
    )
    return Recollection(recalled.summary, messages, recalled.turns, seen, erasures=recalled.erasures)


def count_bytes(recollection: Recollection) -> int:
    """Bytes of text that a model has to read."""
    return sum(map(tokens.at_most, (recollection.summary, *(m.text for m in recollection.messages))))


def drop_older_half(recollection: Recollection) -> Recollection:
    """Without the older half of its messages; without its summary when there is no message left."""
    kept = recollection.messages[(len(recollection.messages) + 1) // 2 :]
    summary = recollection.summary if recollection.messages else ""
    return replace(recollection, summary=summary, messages=kept, seen=len(kept), left_out=True)
