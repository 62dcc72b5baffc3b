"""Reads rarer formats with the extra `docs`: OpenDocument, RTF, e-books, e-mails, Office before 2007."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from typing import BinaryIO

from bot.core.limited_child import FileRefused
from bot.documents.file_types import OTHER_FORMATS
from bot.documents.found_text import FoundText
from bot.documents.outline import Outline, Rows
from bot.documents.plain import outline_markdown

_ESCAPED = re.compile(r"\\([^\w\s])")
_WITHIN = re.compile(r"\[([^\]]*)\]\(#[^)\s]*\)")  # a link to another place of the same document


def read_other(kind: str, source: BinaryIO, found: FoundText) -> None:
    if importlib.util.find_spec("kreuzberg") is None:
        raise FileRefused(f"to read .{kind} files, the extra “docs” has to be installed where I run")
    import kreuzberg

    source.seek(0)
    config = kreuzberg.ExtractionConfig(output_format="markdown", use_cache=False)
    try:
        result = kreuzberg.extract_bytes_sync(source.read(), OTHER_FORMATS[kind], config=config)
    except kreuzberg.exceptions.ValidationError as exc:
        raise FileRefused(f"I do not read .{kind} files; share it as a PDF") from exc
    except Exception as exc:
        raise FileRefused("it is damaged") from exc
    outline = _WithoutMarkup(found)
    outline_markdown(result.content, outline)
    outline.finish()


class _WithoutMarkup(Outline):
    """Undoes what was written only so that nobody takes the document's own words for Markdown."""

    def enter(self, level: float, heading: str) -> None:
        super().enter(level, _plain(heading))

    def hold(self, paragraph: str, *, joined: bool = False) -> None:
        super().hold(_plain(paragraph), joined=joined)

    def add_table(self, rows: Rows, *, header: Sequence[str] | None = None) -> None:
        plain = [[_plain(cell) for cell in row] for row in rows]
        super().add_table(plain, header=header and [_plain(cell) for cell in header])


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", _WITHIN.sub(r"\1", text))
