"""Rows of fields as people see them: Slack's table in a message, lines of text in a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from bot.fields.values import FieldForm, FieldRow, Value
from handlers.channel.fields import shorten
from handlers.slack.blocks import Block, section
from handlers.slack.mrkdwn import escape

ROWS = 99  # beside the header. Source: docs.slack.dev/reference/block-kit/blocks/table-block, 100 rows
COLUMNS = 19  # beside the place. Source: the same, 20 columns
TABLE_CHARACTERS = 9_000  # of the 13,200 that a message's blocks may take
CELL = 80  # characters
DOUBTFUL, NOTHING, WHERE = "⚠ ", "—", "where"
RIGHT = frozenset({"number", "money"})


def build_table(form: FieldForm, rows: Sequence[FieldRow], *, several: bool = False) -> tuple[Block, int]:
    """A table of as many rows as a message takes, and how many those are. `several`: of several documents,
    so that each row says of which."""
    fields = form.fields[:COLUMNS]
    lines = [[*(field.name for field in fields), WHERE]]
    size = len(orjson.dumps(lines))
    for row in rows[:ROWS]:
        values = [row.find(field.name) for field in fields]
        line = [*(_write_cell(value) for value in values), _name_place(row, several=several)]
        size += sum(len(orjson.dumps(_cell(cell))) for cell in line)
        if size > TABLE_CHARACTERS and len(lines) > 1:
            break
        lines.append(line)
    aligned = [{"align": "right" if field.type in RIGHT else "left"} for field in fields]
    table = {
        "type": "table",
        "column_settings": [*aligned, {"align": "left"}],
        "rows": [[_cell(cell) for cell in line] for line in lines],
    }
    return table, len(lines) - 1


def list_rows(form: FieldForm, rows: Iterable[FieldRow]) -> list[Block]:
    """Rows as text, one below the other, where no table can stand."""
    return [section(_write_line(form, row)) for row in rows]


def count_open(rows: Iterable[FieldRow]) -> int:
    """How many values somebody has to look at."""
    return sum(value.open for row in rows for value in row.values)


def name_row(row: FieldRow) -> str:
    """A row's document with its page, as a link where it has one; in Slack's markup."""
    name = escape(row.title or "a document")
    page = f", page {row.page}" if row.page else ""
    return f"<{row.link}|{name}>{page}" if row.link else f"{name}{page}"


def _write_line(form: FieldForm, row: FieldRow) -> str:
    told = [
        f"{escape(field.name)} *{escape(_write_cell(row.find(field.name)))}*"
        for field in form.fields
        if row.find(field.name)
    ]
    return f"{name_row(row)}\n{' · '.join(told)}"


def _write_cell(value: Value | None) -> str:
    shown = shorten(" ".join((value.value or value.text).split()), CELL) if value else ""
    return f"{DOUBTFUL}{shown}".strip() if value and value.open else shown or NOTHING


def _name_place(row: FieldRow, *, several: bool) -> str:
    page = f"page {row.page}" if row.page else ""
    return ", ".join(filter(None, (shorten(row.title, CELL) if several else "", page))) or NOTHING


def _cell(text: str) -> dict[str, str]:
    return {"type": "raw_text", "text": text}
