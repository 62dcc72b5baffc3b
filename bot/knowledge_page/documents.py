"""The documents that can be asked from a channel, with how far each has been read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from bot.knowledge.document_words import HIDDEN, KINDS, name_document
from bot.knowledge_page.section import KnowledgeSection, tell_day
from bot.pages.spreadsheets import Cell
from bot.pages.tables import Column, Link
from storage.knowledge.documents import Document

COLUMNS = (
    Column("document", is_name=True),
    Column("kind", is_name=True),
    Column("state", is_name=True),
    Column("pages"),
    Column("pages read"),
    Column("not read", is_name=True),
    Column("passages"),
    Column("for", is_name=True),
    Column("added by", is_name=True),
    Column("added"),
)
FOR = {"channel": "this channel", "workspace": "whole workspace", "person": "you alone"}
STATES = {"waiting": "waits to be read", "reading": "is being read", "searchable": "can be asked about"}
NOTHING = "There are no documents here yet."
SKIPPED_SHOWN = 10


def make_section(documents: Sequence[Document], names: Mapping[str, str], zone: tzinfo) -> KnowledgeSection:
    """Documents, newest first."""
    rows = [_make_row(one, names, zone) for one in reversed(documents)]
    return KnowledgeSection("documents", "Documents", COLUMNS, rows, NOTHING)


def _make_row(document: Document, names: Mapping[str, str], zone: tzinfo) -> Sequence[Cell | Link]:
    return (
        Link(name_document(document), document.link),
        KINDS.get(document.kind, document.kind),
        _tell_state(document),
        document.pages or None,
        document.pages_read if document.pages else None,
        _tell_skipped(document),
        document.chunks,
        FOR.get(document.audience, document.audience),
        names.get(document.person, document.person),
        tell_day(document.added_at, zone),
    )


def _tell_state(document: Document) -> str:
    if document.hidden:
        return f"not to be found now: {HIDDEN.get(document.hidden, document.hidden)}"
    return document.problem if document.state == "failed" else STATES[document.state]


def _tell_skipped(document: Document) -> str:
    skipped = document.skipped_pages
    told = "; ".join(f"page {page} ({reason})" for page, reason in skipped[:SKIPPED_SHOWN])
    rest = len(skipped) - SKIPPED_SHOWN
    return f"{told}; and {rest} more" if rest > 0 else told
