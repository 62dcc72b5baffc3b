"""Labelled files: JSONL or CSV in, rows out; the one place that knows their shape.

A topic row is {"text", "label": "on" | "off"}; an answerability row is {"context", "question", "label":
"yes" | "no"}. Either may have a "kind", by which the report is split.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import SetupError

LABELS = {"topic": {"on": True, "off": False}, "answerable": {"yes": True, "no": False}}
SHOWN = 10  # problems of a file that are named
_FIELDS = {"topic": ("text",), "answerable": ("context", "question")}


@dataclass(frozen=True, slots=True)
class LabelledRow:
    texts: tuple[str, ...]  # (text,) or (context, question)
    label: bool
    kind: str = ""


def read_rows(path: Path, head: str) -> list[LabelledRow]:
    """Rows for the head "topic" or "answerable"; SetupError names the first lines that are not such rows."""
    try:
        plain = list(_read_csv(path) if path.suffix.lower() == ".csv" else _read_jsonl(path))
    except OSError as exc:
        raise SetupError([f"{path}: {exc.strerror}"]) from exc
    rows = [(number, row if isinstance(row, str) else _read_row(row, head)) for number, row in plain]
    problems = [f"{path}:{number}: {row}" for number, row in rows if isinstance(row, str)]
    if problems or not rows:
        raise SetupError(problems[:SHOWN] or [f"{path}: no rows"])
    return [row for _, row in rows if isinstance(row, LabelledRow)]


Numbered = Iterator[tuple[int, Any]]  # line and what stands in it: a row, or a text that says what is wrong


def _read_jsonl(path: Path) -> Numbered:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, _decode(line.removeprefix(b"\xef\xbb\xbf"))


def _decode(line: bytes) -> Any:
    try:
        found = json.loads(line.decode())
    except UnicodeDecodeError:
        return "not UTF-8"
    except ValueError as exc:
        return f"not JSON: {exc}"
    return found if isinstance(found, Mapping) else "not a JSON object"


def _read_csv(path: Path) -> Numbered:
    """The line is the one a row ends in: a quoted text may have several."""
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as lines:
        table = csv.DictReader(lines)
        try:
            for row in table:
                broken = any("\ufffd" in str(value) for value in row.values())
                yield table.line_num, "not UTF-8" if broken else row
        except csv.Error as exc:
            yield table.line_num, f"not CSV: {exc}"


def _read_row(plain: Mapping[str, Any], head: str) -> LabelledRow | str:
    """The row, or what is wrong with it."""
    texts = [plain.get(name) for name in _FIELDS[head]]
    for name, text in zip(_FIELDS[head], texts, strict=True):
        if not isinstance(text, str) or not text.strip():
            return f"{name}: {'missing' if text is None else 'not a text with something in it'}"
    written = plain.get("label")
    label = LABELS[head].get(str(written).strip().lower())
    if label is None:
        shown = "missing" if written is None else f"{written!r}"
        return f"label: {shown}, not {' or '.join(LABELS[head])}"
    return LabelledRow(tuple(map(str, texts)), label, str(plain.get("kind") or ""))
