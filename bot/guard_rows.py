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

from bot.errors import SetupError

LABELS = {"topic": {"on": True, "off": False}, "answerable": {"yes": True, "no": False}}
_FIELDS = {"topic": ("text",), "answerable": ("context", "question")}


@dataclass(frozen=True, slots=True)
class Row:
    texts: tuple[str, ...]  # (text,) or (context, question)
    label: bool
    kind: str = ""


def read(path: Path, head: str) -> list[Row]:
    """Rows for the head "topic" or "answerable"; SetupError names the first lines that are not such rows."""
    rows: list[Row] = []
    problems: list[str] = []
    try:
        for number, plain in _plain(path):
            row = _row(plain, head)
            if row is None:
                problems.append(f"{path}:{number}: not a row with {_shape(head)}")
            else:
                rows.append(row)
    except (OSError, ValueError, csv.Error) as exc:
        problems.append(f"{path}: {exc}")
    if not rows and not problems:
        problems.append(f"{path}: no rows")
    if problems:
        raise SetupError(problems[:10])
    return rows


def _plain(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, row) of each line that is not empty."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        if path.suffix.lower() == ".csv":
            yield from enumerate(csv.DictReader(lines), 2)
            return
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, json.loads(line)


def _row(plain: Any, head: str) -> Row | None:
    if not isinstance(plain, Mapping):
        return None
    texts = tuple(plain.get(name) for name in _FIELDS[head])
    label = LABELS[head].get(str(plain.get("label", "")).strip().lower())
    if label is None or not all(isinstance(t, str) and t.strip() for t in texts):
        return None
    return Row(tuple(map(str, texts)), label, str(plain.get("kind") or ""))


def _shape(head: str) -> str:
    return ", ".join(_FIELDS[head]) + " and a label " + " or ".join(LABELS[head])
