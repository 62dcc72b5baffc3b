"""The chunks whose vectors' signs differ least from a question's, counted by the database where it can."""

from __future__ import annotations

import json
from collections.abc import Sequence

from storage.engine import Tx
from storage.knowledge.vectors import EmbeddedDocument

# Most vectors differ from a question's in about half of their signs. Only those that differ in fewer than
# this share are put in order, unless they are too few.
_NEAR = 0.42
# A table of signs holds vectors of several lengths, which cannot be compared with each other.
_DIFFERENT = "case when length(s.signs) = :bits then s.signs {distance} cast(:asked as bit varying) end"
_NEAREST = """
with asked as materialized (
    select hashtextextended(name, 7) as key from json_array_elements_text(cast(:names as json)) as n(name)
)
select chunk from document_signs s join asked using (key)
where {different} <= :most order by {different} limit :limit
"""


def find_nearest(
    tx: Tx, documents: Sequence[EmbeddedDocument], signs: bytes, *, limit: int
) -> list[int] | None:
    """The chunks of so many nearest vectors, each chunk once; None where the database cannot count."""
    if not tx.bit_distance:
        return None
    bits = 8 * len(signs)
    different = _DIFFERENT.format(distance=tx.bit_distance)
    for most in (int(_NEAR * bits), bits):
        rows = tx.all(
            _NEAREST.format(different=different),
            names=json.dumps([f"{one.embedder} {one.id}" for one in documents]),
            asked=f"{int.from_bytes(signs, 'big'):0{bits}b}",
            bits=bits,
            most=most,
            limit=limit,
        )
        if len(rows) == limit:
            break
    return list(dict.fromkeys(row["chunk"] for row in rows))
