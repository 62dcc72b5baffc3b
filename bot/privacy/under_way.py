"""What a person asked and has no answer to yet, when everything of theirs is to be forgotten.

Were it forgotten at once, it would be taken for deleted and never answered. So a job is stored behind the one
that answers it, in the same conversation and together with the erasure; its worker is Forgetting.work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.core.codec import encode
from bot.core.ids import PRESSED, message_key
from bot.voice.service import UNASKED, unasked_key
from storage.engine import Tx
from storage.jobs import inbox
from storage.privacy import forget

FORGET = "forget"  # the kind of job


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A message that is answered, or listened to in passing (`unasked`), and is forgotten after that.

    Of what a button asked for, `message` is the key of its job, under which memory keeps it.
    """

    team: str
    channel: str
    message: str
    person: str
    unasked: bool

    @classmethod
    def of(cls, key: str, conversation: str, person: str) -> Self:
        """By the key of its job, or of one that goes on from it, and that job's conversation."""
        lane = f"{UNASKED}:"
        team, channel, _ = conversation.removeprefix(lane).split(":", 2)
        if key.startswith(PRESSED):
            return cls(team, channel, ":".join(key.split(":")[:3]), person, unasked=False)
        message = key.removeprefix(lane).split(":")[3]
        return cls(team, channel, message, person, unasked=key.startswith(lane))

    @property
    def message_key(self) -> str:
        if self.message.startswith(PRESSED):
            return self.message
        return message_key(self.team, self.channel, self.message)

    @property
    def key(self) -> str:
        """Of its job."""
        return unasked_key(self.message_key) if self.unasked else self.message_key

    @property
    def other_key(self) -> str:
        """Of the job that does the other thing with the same message."""
        return self.message_key if self.unasked else unasked_key(self.message_key)


def erase_person(tx: Tx, team: str, person: str, *, by: str, erased: int, now: float) -> int:
    """Everything of a person goes, what is under way as soon as it is over; how many messages, with those
    that were `erased` before."""
    for job in forget.list_under_way(tx, team, person):
        asked = UnderWay.of(job["key"], job["conversation"], person)
        inbox.put(tx, f"{FORGET}:{asked.key}", job["conversation"], FORGET, encode(asked), now=now)
    return forget.forget_user(tx, team, person, by=by, erased=erased, now=now)
