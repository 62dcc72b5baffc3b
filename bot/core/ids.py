"""The ids of what Parley puts into a conversation: the same however often the work is done again."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

from bot.core.values import File, Incoming

REPLIES = UUID("6f9f0c3e-2f0b-5b62-9a51-70a1e7d3c9b4")  # the namespace of reply ids
_POST = re.compile(r"\d{10}\.\d{6}")
CARDS = UUID("0d5e1c62-7a3c-5b58-8a2e-4f6f8f2b7c11")  # the namespace of card ids

POST = "m:"  # what the keys of posts begin with; those of a channel sort by when they were posted
PRESSED = "b:"  # what the keys begin with of what buttons ask for


def reply_id(key: str) -> str:
    """The id of the reply to a job of that key."""
    return str(uuid5(REPLIES, key))


def is_earlier(message: str, other: str) -> bool:
    """Whether a post stands before another one of its channel. False where either is no post of Slack's,
    whose ids are times: unix seconds with six digits behind the point."""
    return all(map(_POST.fullmatch, (message, other))) and message < other


def message_key(team: str, channel: str, message: str) -> str:
    """The key of a post: one, however many events and deliveries tell of it."""
    return f"{POST}{team}:{channel}:{message}"


def read_message(key: str) -> str:
    """The post that a key is of; "" for the key of something else."""
    message = key.rpartition(":")[2]
    return message if key.startswith(POST) and _POST.fullmatch(message) else ""


def follow_up_key(reply_id: str, what: str) -> str:
    """The key of what a button under an answer asks for: once for each button and answer."""
    return f"{PRESSED}{reply_id}:{what}"


def card_id(incoming: Incoming, file: File) -> str:
    """The id of the card that shows what is said in a file of a message."""
    place = incoming.conversation
    return str(uuid5(CARDS, f"{place.team}:{place.channel}:{incoming.message}:{file.id}"))
