"""What a question to every document works with: the documents chosen for it, and what each of them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.knowledge.passages import Hit, Passage
from bot.knowledge.quotes import Quote
from storage.knowledge.documents import Document

# says: a line whose quotes stand where they should · silent: nothing to this · unclear: the model said
# something that its quotes do not prove, twice · open: it was not come to
Outcome = Literal["says", "silent", "unclear", "open"]


@dataclass(frozen=True, slots=True)
class ChosenDocuments:
    """The documents to go through. `narrowed`: only those that are called so by their titles; `unread`:
    others that are to be found there and cannot be read, or not yet."""

    documents: tuple[Document, ...]
    unread: tuple[Document, ...] = ()
    narrowed: bool = False


@dataclass(frozen=True, slots=True)
class AskedDocument:
    """One document with what came nearest in it."""

    document: Document
    hits: Sequence[Hit]

    @property
    def passages(self) -> list[Passage]:
        return [hit.passage for hit in self.hits]


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """What one document says. A quote's position is one among its passages."""

    asked: AskedDocument
    outcome: Outcome
    text: str = ""
    quotes: tuple[Quote, ...] = ()


def title_of(document: Document) -> str:
    """What a document is called, in one line."""
    return " ".join((document.title or document.name).split())
