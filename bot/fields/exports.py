"""Rows as files: CSV for a spreadsheet, with nothing that one would compute, and JSONL with every quote."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.fields.values import FieldForm, FieldRow, Value
from bot.pages.spreadsheets import as_csv

COLUMNS = ("document", "page", "state")
OPEN = "to be looked at"
NOTHING = Value("")


def write_csv(form: FieldForm, rows: Sequence[FieldRow]) -> str:
    """RFC 4180: a column for each field, after them what of the row is still to be looked at."""
    names = [field.name for field in form.fields]
    return as_csv((*COLUMNS, *names, OPEN), [_as_cells(row, names) for row in rows])


def write_jsonl(form: FieldForm, rows: Sequence[FieldRow]) -> str:
    """One object a line: each value as it is meant and as it stands there, with page, quote and state."""
    return "".join(json.dumps(_as_object(form, row), ensure_ascii=False) + "\n" for row in rows)


def _as_cells(row: FieldRow, names: Sequence[str]) -> list[str]:
    values = [row.find(name) or NOTHING for name in names]
    doubtful = ", ".join(value.field for value in values if value.open)
    return [row.title, str(row.page or ""), row.state, *(value.value for value in values), doubtful]


def _as_object(form: FieldForm, row: FieldRow) -> dict[str, Any]:
    told = {"document": row.title, "link": row.link, "page": row.page, "kind": form.name, "state": row.state}
    shown = ("value", "text", "page", "quote", "state", "why")
    fields = {
        value.field: {name: asdict(value)[name] for name in shown}
        for value in row.values
        if form.find(value.field)
    }
    return told | {"fields": fields}
