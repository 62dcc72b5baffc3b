"""Text as it comes, under the headings as they come: what readers of running text write into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.documents.found_text import FoundText
from bot.documents.tables import table_sections
from bot.documents.values import UNDER

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Heading:
    level: float
    words: str
    page: int
    place: str


class Outline:
    """Holds paragraphs until a heading, a table or a page ends their section.

    A heading under which nothing stands is text itself: nothing that a document says is lost.
    """

    def __init__(self, found: FoundText) -> None:
        self.found = found
        self._above: list[_Heading] = []  # outermost first
        self._bare = 0  # so many of them, the innermost, have nothing under them yet
        self._held: list[str] = []
        self._page = 0
        self._place = ""

    @property
    def path(self) -> str:
        return _join(self._above)

    def move(self, *, page: int, place: str) -> None:
        """What comes now stands on another page."""
        self.flush()
        self._page, self._place = page, place

    def enter(self, level: float, heading: str) -> None:
        """A heading; those of its level and deeper ones are left."""
        self.flush()
        heading = " ".join(heading.split())
        kept = [one for one in self._above if one.level < level]
        if len(kept) < len(self._above):
            self._tell_bare(len(kept))
        self._above = kept
        if heading:
            self._above.append(_Heading(level, heading, self._page, self._place))
            self._bare += 1
            self.found.title = self.found.title or heading

    def hold(self, paragraph: str, *, joined: bool = False) -> None:
        """A paragraph. `joined`: it goes with the one before it, as the lines of a list do."""
        if not paragraph.strip():
            return
        if self._held:
            self._held.append("\n" if joined else "\n\n")
        self._held.append(paragraph)

    def add_table(self, rows: Rows, *, header: Sequence[str] | None = None) -> None:
        self.flush()
        if not rows:
            return
        self._bare = 0
        self.found.add_all(
            table_sections(rows, header=header, heading=self.path, page=self._page, place=self._place)
        )

    def flush(self) -> None:
        """What is held is a section."""
        if self._held:
            self._bare = 0
            text = "".join(self._held)
            self.found.add(text, heading=self.path, page=self._page, place=self._place)
            self._held.clear()

    def finish(self) -> None:
        self.flush()
        self._tell_bare(0)
        self._above.clear()

    def _tell_bare(self, kept: int) -> None:
        """The innermost headings, from the first that is left on, when nothing stands under them."""
        first = max(kept, len(self._above) - self._bare)
        if bare := self._above[first:]:
            text = "\n".join(one.words for one in bare)
            self.found.add(text, heading=_join(self._above[:first]), page=bare[0].page, place=bare[0].place)
        self._bare = 0


def _join(headings: Sequence[_Heading]) -> str:
    return UNDER.join(one.words for one in headings)
