"""Reads CSV and its kin: delimiter found, rows kept with their header and their number."""

from __future__ import annotations

import csv
import io
import itertools

from bot.core.limited_child import FileRefused
from bot.documents.found_text import FoundText
from bot.documents.tables import numbered_sections

DELIMITERS = ",;\t|"
SAMPLE = 20_000  # characters
SAMPLE_ROWS = 50
MOST_COLUMNS = 5_000
csv.field_size_limit(1_000_000)


def read_delimited(text: str, found: FoundText) -> None:
    """Each line a row. A file that is no table after all is read as text."""
    delimiter = find_delimiter(text)
    if not delimiter:
        found.add(text)
        return
    text = text.removeprefix(f"sep={delimiter}\n")  # how spreadsheets are told the delimiter
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        found.add_all(numbered_sections(enumerate((row[:MOST_COLUMNS] for row in rows), 1)))
    except csv.Error as exc:
        raise FileRefused("it is damaged") from exc


def find_delimiter(text: str) -> str:
    """What stands between the cells of nearly every row; "" where nothing does."""
    best, most = "", 0.0
    for delimiter in DELIMITERS:
        widths = _widths(text[:SAMPLE], delimiter)
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        agreed = widths.count(usual) / len(widths)
        if usual > 1 and agreed >= 0.6 and agreed * usual**0.5 > most:
            best, most = delimiter, agreed * usual**0.5
    return best


def looks_delimited(text: str) -> bool:
    """Whether a text without a name that says so is a table: several rows, all of several columns."""
    for delimiter in "\t;,":
        widths = _widths(text[:SAMPLE], delimiter)
        if len(widths) >= 4 and min(widths) == max(widths) >= 3:
            return True
    return False


def _widths(sample: str, delimiter: str) -> list[int]:
    lines = sample.splitlines(keepends=True)
    if len(sample) == SAMPLE and len(lines) > 1:
        lines.pop()
    try:
        rows = list(itertools.islice(csv.reader(lines, delimiter=delimiter), SAMPLE_ROWS))
    except csv.Error:
        return []
    return [len(row) for row in rows if row]
