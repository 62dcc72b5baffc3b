"""What values are worth, decided by code alone."""

from __future__ import annotations

from collections.abc import Sequence

from bot.fields.patterns import Learned
from bot.fields.pieces import DocumentPiece
from bot.fields.places import find_places
from bot.fields.proposals import Proposal
from bot.fields.values import FieldForm, Value


def judge(
    form: FieldForm, piece: DocumentPiece, proposals: Sequence[Proposal], learned: Learned
) -> tuple[Value, ...]:
    """The value of each field of a form."""
    found = list[Value]()
    for field in form.fields:
        placed = [
            place
            for one in proposals
            if one.field == field.name
            for place in find_places(piece, one.text, one.quote, first=one.page)
        ]
        if not placed:
            found.append(Value(field.name, why="The document does not say it." if field.required else ""))
            continue
        place = placed[0]
        found.append(
            Value(
                field.name,
                place.text,
                place.text,
                place.page.page,
                "",
                place.line,
                "doubtful",
                "Not checked.",
            )
        )
    return tuple(found)
