"""Rows of a report as text, CSV, JSON and Parquet. What is in the rows is bot/reports/usage.py's."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import orjson

from bot.costs.amounts import dollars
from bot.pages import spreadsheets
from bot.reports.usage import UsageRow, total

COLUMNS = tuple(f.name for f in fields(UsageRow))
# What a row on the command line has, whatever was asked for; a day comes before it where days are told apart.
USUAL = (
    "team",
    "channel",
    "user",
    "model",
    "kind",
    "requests",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "audio_seconds",
    "images",
    "cost_usd",
    "unpriced",
)
UNPRICED = "unpriced"


def cost(row: UsageRow) -> str:
    """What it cost, or that no price is known for any of it: never a zero that nobody has counted."""
    return UNPRICED if is_unpriced(row) else dollars(row.cost_usd)


def is_unpriced(row: UsageRow) -> bool:
    return 0 < row.requests == row.unpriced


def compact(count: int) -> str:
    """12, 3.4k, 5.6M: for reading, not for adding up."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= limit:
            return f"{count / limit:.1f}{unit}"
    return str(count)


# Heading and cell of each column of the text table.
SHOWN: dict[str, tuple[str, Callable[[Any], str]]] = {
    "day": ("day", str),
    "team": ("team", str),
    "channel": ("channel", str),
    "user": ("person", str),
    "model": ("model", str),
    "kind": ("kind", str),
    "requests": ("requests", lambda count: f"{count:,}"),
    "input_tokens": ("input", compact),
    "cached_tokens": ("cached", compact),
    "output_tokens": ("output", compact),
    "audio_seconds": ("audio", lambda seconds: f"{seconds / 60:,.1f} min"),
    "images": ("images", str),
    "cost_usd": ("cost", dollars),
    "unpriced": ("unpriced", str),
}
ALWAYS = ("requests", "input_tokens", "cached_tokens", "output_tokens", "cost_usd")
NAMED = ("day", "team", "channel", "user", "model", "kind")


def table(rows: Sequence[UsageRow], columns: Sequence[str]) -> str:
    """Aligned columns of plain text with a total."""
    lines = [[SHOWN[column][0] for column in columns]]
    lines += [cells(row, columns, {}) for row in (*rows, total(rows))]
    lines[-1][0] = "total"
    return _aligned(lines, left=sum(column in NAMED for column in columns))


def cells(row: UsageRow, columns: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """A row for reading, with a name for each id that has one."""
    values = {column: getattr(row, column) for column in columns}
    return [
        cost(row) if column == "cost_usd" else SHOWN[column][1](names.get(str(value), value))
        for column, value in values.items()
    ]


def columns(rows: Sequence[UsageRow]) -> list[str]:
    """Which columns are worth showing to one team."""
    return [c for c in SHOWN if c in ALWAYS or (c != "team" and any(getattr(row, c) for row in rows))]


def _aligned(lines: list[list[str]], *, left: int) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = ["─" * width for width in widths]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (lines[0], rule, *lines[1:-1], rule, lines[-1])
    )


def as_csv(
    rows: Iterable[UsageRow], columns: Sequence[str] = COLUMNS, *, names: Mapping[str, str] | None = None
) -> str:
    """RFC 4180, exact dollars, nothing where no price is known.

    A name a spreadsheet would compute begins with an apostrophe. With `names` (id → name) two more columns:
    channel_name and user_name.
    """
    titles = columns if names is None else (*columns, "channel_name", "user_name")
    return spreadsheets.as_csv(titles, (_cells(row, columns, names) for row in rows))


def _cells(row: UsageRow, columns: Sequence[str], names: Mapping[str, str] | None) -> list[Any]:
    told = () if names is None else (names.get(id, id) for id in (row.channel, row.user))
    return [*(_value(row, column) for column in columns), *told]


def _value(row: UsageRow, column: str) -> Any:
    """None is a cost that nobody knows."""
    return None if column == "cost_usd" and is_unpriced(row) else getattr(row, column)


def as_json(rows: Iterable[UsageRow], columns: Sequence[str] = COLUMNS) -> str:
    """A list of objects with those columns; dollars as numbers, null where no price is known."""
    told = [{column: _value(row, column) for column in columns} for row in rows]
    return orjson.dumps(told, default=float, option=orjson.OPT_INDENT_2).decode()


def as_parquet(rows: Sequence[UsageRow]) -> bytes:
    """Typed columns, dollars as decimal(38, 9), null where no price is known. Needs the charts extra."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), Decimal: pa.decimal128(38, 9)}
    schema = pa.schema([(name, types[type(getattr(UsageRow(), name))]) for name in COLUMNS])
    out = io.BytesIO()
    told = [{column: _value(row, column) for column in COLUMNS} for row in rows]
    pq.write_table(pa.Table.from_pylist(told, schema=schema), out)
    return out.getvalue()
