"""Reads a text of ours into pages of headings, paragraphs, points and tables, for the writers beside it.

The text is Markdown of few forms: `#` and `##`, lines of prose, `- `, rows of `| … |` of which the first is
the header, and a line `<!-- page -->` where the next page or slide begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PAGE_BREAK = "<!-- page -->"


@dataclass(frozen=True, slots=True)
class TextBlock:
    kind: str  # "h1", "h2", "text", "point" or "table"
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def read_pages(text: str) -> list[list[TextBlock]]:
    """The blocks of each page, in order."""
    return [list(_read_blocks(page.splitlines())) for page in text.split(PAGE_BREAK)]


def _read_blocks(lines: list[str]) -> Iterator[TextBlock]:
    prose: list[str] = []
    rows: list[tuple[str, ...]] = []
    for line in [*lines, ""]:
        if rows and not line.startswith("|"):
            yield TextBlock("table", rows=tuple(rows))
            rows = []
        if prose and _kind(line) != "prose":
            yield TextBlock("text", " ".join(prose))
            prose = []
        match _kind(line):
            case "prose":
                prose.append(line.strip())
            case "row":
                cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
                if not all(set(cell) <= set("-: ") for cell in cells):
                    rows.append(cells)
            case "blank":
                pass
            case kind:
                yield TextBlock(kind, line.lstrip("#- ").strip())


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    openings = {"# ": "h1", "## ": "h2", "- ": "point", "|": "row"}
    return next((kind for opening, kind in openings.items() if line.startswith(opening)), "prose")
