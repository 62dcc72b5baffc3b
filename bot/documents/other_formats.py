"""Reads rarer formats with the extra `docs`: OpenDocument, RTF, e-books, e-mails, Office before 2007."""

from __future__ import annotations

import importlib.util
from typing import BinaryIO

from bot.core.limited_child import FileRefused
from bot.documents.file_types import OTHER_FORMATS
from bot.documents.found_text import FoundText
from bot.documents.outline import Outline
from bot.documents.plain import outline_markdown


def read_other(kind: str, source: BinaryIO, found: FoundText) -> None:
    if importlib.util.find_spec("kreuzberg") is None:
        raise FileRefused(f"to read .{kind} files, the extra “docs” has to be installed where I run")
    import kreuzberg

    source.seek(0)
    config = kreuzberg.ExtractionConfig(output_format="markdown", use_cache=False)
    try:
        result = kreuzberg.extract_bytes_sync(source.read(), OTHER_FORMATS[kind], config=config)
    except Exception as exc:
        raise FileRefused("it is damaged") from exc
    outline = Outline(found)
    outline_markdown(result.content, outline)
    outline.finish()
