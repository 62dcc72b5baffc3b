"""Words that stand beside a label: "Invoice no.: INV-7", "Lieferant | Rheinbau GmbH"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from bot.fields.pieces import DocumentPiece
from bot.fields.places import FoundPlace

_MOST = 500  # of one page
_LINE = re.compile(
    r"^[ |]*(?P<label>[^\W\d][^|:\n]{1,50}?)[ ]*[:|][ :|]*(?P<value>[^ |:\n][^|:\n]{0,119}?)[ |]*$",
    re.MULTILINE,
)


def list_labelled(piece: DocumentPiece) -> Iterator[FoundPlace]:
    """Every value that stands alone behind its label."""
    for page in piece.pages:
        for match in islice(_LINE.finditer(page.text), _MOST):
            yield FoundPlace(page, *match.span("value"))
