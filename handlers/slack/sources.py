"""The sources under an answer: number, title as a link to the file or thread, place, and the words quoted.

Titles and quotes are shown letter for letter as text elements, in which nothing is read as markup, a mention
or a link; the links are those that Slack gave us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.core.values import Source
from bot.text.invisible import strip_hidden
from bot.text.redact import redact

SOURCES = "sources"  # the block by which they are known
LONGEST_TITLE, LONGEST_QUOTE = 120, 200  # characters shown


def list_sources(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """One block with a line for each of them; none for none."""
    if not sources:
        return []
    lines = [{"type": "rich_text_section", "elements": list(_write_line(source))} for source in sources]
    return [{"type": "rich_text", "block_id": SOURCES, "elements": lines}]


def read_sources(blocks: Sequence[dict[str, Any]]) -> list[str]:
    """The same lines as plain words."""
    found = (block for block in blocks if block.get("block_id") == SOURCES)
    return ["\n".join(map(_read_line, block["elements"])) for block in found]


def _write_line(source: Source) -> Iterator[dict[str, Any]]:
    title = _shorten(source.title, LONGEST_TITLE)
    yield _text(f"[{source.number}] ")
    linked = source.link.startswith(("https://", "http://"))
    yield {"type": "link", "url": source.link, "text": title} if linked else _text(title)
    if source.place:
        yield _text(f", {_shorten(source.place, LONGEST_TITLE)}")
    if source.quote:
        yield _text(f": “{_shorten(source.quote, LONGEST_QUOTE)}”")


def _read_line(line: dict[str, Any]) -> str:
    return "".join(element["text"] for element in line["elements"])


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _shorten(words: str, most: int) -> str:
    """What of somebody's words is shown, in one line and without a key."""
    line = " ".join(redact(strip_hidden(words)).split())
    return line if len(line) <= most else f"{line[: most - 2].rstrip()} …"
