"""Rows as they are shown: what was read, under what people said of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from bot.fields.checks import lift_doubts
from bot.fields.values import EVERYTHING, FieldCandidate, FieldForm, FieldRow, RowFilter, Value
from storage.engine import Tx
from storage.fields import reviews as stored_reviews
from storage.fields import rows as stored
from storage.fields.reviews import StoredReview
from storage.fields.rows import ListedRow


def encode_values(values: Sequence[Value]) -> str:
    """As they are kept."""
    return json.dumps([asdict(value) for value in values])


def decode_values(found: str) -> tuple[Value, ...]:
    """What `encode_values` wrote."""
    return tuple(
        Value(**one | {"candidates": tuple(FieldCandidate(**each) for each in one["candidates"])})
        for one in json.loads(found)
    )


def join_row(row: ListedRow, said: Sequence[StoredReview]) -> FieldRow:
    """A row with the last word of people on its values."""
    by_field = {one.field: one for one in said}
    values = tuple(
        _overrule(value, by_field[value.field]) if value.field in by_field else value
        for value in decode_values(row.found)
    )
    return FieldRow(
        row.id,
        row.form,
        row.document,
        row.team,
        row.channel,
        row.piece,
        values,
        row.page,
        row.title,
        row.link,
        row.made_at,
    )


def list_rows(tx: Tx, form: FieldForm, wanted: RowFilter = EVERYTHING) -> list[FieldRow]:
    """What documents yielded for a form, documents in the order in which they were added."""
    said = stored_reviews.list_reviews(tx, form.id)
    found = stored.list_rows(tx, form.id, document=wanted.document)
    joined = [join_row(row, [one for one in said if one.row_id == row.id]) for row in found]
    rows = [replace(row, values=lift_doubts(form, row.values)) for row in joined]
    return filter_rows(rows, wanted)


def filter_rows(rows: Sequence[FieldRow], wanted: RowFilter) -> list[FieldRow]:
    """Those that are wanted, in their order."""
    return [
        row
        for row in rows
        if (not wanted.document or row.document == wanted.document)
        and (not wanted.doubtful or row.state == "doubtful")
        and all(_contains(row, name, words) for name, words in wanted.values.items())
    ]


def _contains(row: FieldRow, name: str, words: str) -> bool:
    value = row.find(name)
    return value is not None and words.casefold() in f"{value.value}\n{value.text}".casefold()


def _overrule(value: Value, said: StoredReview) -> Value:
    return replace(
        value,
        text=said.text,
        value=said.value,
        page=said.page,
        quote=said.quote,
        state="confirmed" if said.state == "confirmed" else "corrected",
        why="",
    )
