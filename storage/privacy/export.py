"""Everything that is kept of one person, for that person: their words in every table, what they used,
what they set for channels and the workspace, and when they were told that they talk with an AI."""

from __future__ import annotations

import json
from typing import Any

from storage.engine import Tx
from storage.knowledge import notes
from storage.schema import WORDS_OF

# Tables without words of theirs, and the column that says whose.
ABOUT = {
    "usage_days": "person",
    "channel_wishes": "changed_by",
    "field_forms": "changed_by",
    "budget_changes": "person",
    "disclosures": "person",
}


def export_person(tx: Tx, team: str, person: str) -> bytes:
    """Rows by table, as JSON. What somebody else said is in none of them."""
    found = {
        table: tx.all(
            f"select * from {table} where team = :team and {column} = :person", team=team, person=person
        )
        for table, column in (WORDS_OF | ABOUT).items()
    }
    found["notes"] = notes.list_of_person(tx, team, person)
    kept: dict[str, Any] = {table: [_as_json(row) for row in rows] for table, rows in found.items() if rows}
    return json.dumps(kept, indent=2, ensure_ascii=False).encode("utf-8", "replace")


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    """Without what is no text, number or nothing."""
    return {name: value for name, value in row.items() if not isinstance(value, bytes)}
