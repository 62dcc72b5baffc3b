"""What the card of a document tells: how far it is, what it costs, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from storage.knowledge.documents import Document

WORTH_TELLING_USD = Decimal("0.01")  # what vectors cost is told from here on, before it is spent


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """A document as people see it. `gone`: why there is none any more, in a sentence; nothing else is told
    then. `cost_usd`: what its vectors will cost, None: unpriced."""

    document: Document
    gone: str = ""
    notes: tuple[str, ...] = ()
    vectors: bool = False  # vectors are made of it
    cost_usd: Decimal | None = Decimal(0)


@dataclass(frozen=True, slots=True)
class CardPlace:
    """Where a card stands: its message, or, where there is none yet, the thread that it will stand in."""

    channel: str
    message: str = ""
    thread: str = ""

    @property
    def key(self) -> str:
        """As it is kept with the document."""
        return f"{self.channel}:{self.message}" if self.message else ""


def read_card_place(key: str) -> CardPlace | None:
    """Where a card stands that was shown; None without one."""
    channel, _, message = key.partition(":")
    return CardPlace(channel, message) if message else None
