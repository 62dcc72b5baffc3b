"""What Slack is to fields: where people see how far the reading is, and the table that came of it.

Implemented in handlers/fields; what is asked here knows nothing of Slack's own shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.fields.values import FieldCost, FieldForm, FieldRow, FieldRun
from bot.knowledge.document_card import CardPlace
from storage.knowledge.documents import Document


@dataclass(frozen=True, slots=True)
class FieldCard:
    """What is told of one document that is read for a form: how far it is and, at the end, its rows. `gone`:
    why there is nothing to be shown any more, in a sentence; nothing else is told then."""

    run: FieldRun
    form: FieldForm
    document: Document
    cost: FieldCost
    rows: tuple[FieldRow, ...] = ()
    gone: str = ""


class FieldSide(Protocol):
    """Slack, as fields need it. It may raise SlackUnavailable."""

    async def show_run(self, card: FieldCard, place: CardPlace, *, look: bool) -> CardPlace | None:
        """Posts or changes a card, with the table once it is done; where it stands, None where Slack refuses.
        `look`: an earlier attempt may have posted it."""
