"""What people asked to have remembered, with who said it and when it is to be looked at again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from bot.knowledge_page.documents import FOR
from bot.knowledge_page.section import KnowledgeSection, tell_day
from bot.pages.tables import Column, Link
from storage.knowledge.notes import Note

COLUMNS = (
    Column("title", is_name=True),
    Column("note", is_name=True),
    Column("said", is_name=True),
    Column("for", is_name=True),
    Column("look again on"),
)
NOTHING = "Nobody has asked to have anything remembered here."


def make_section(notes: Sequence[Note], zone: tzinfo) -> KnowledgeSection:
    """Notes in the order in which they are given."""
    rows = [
        (
            Link(note.title, note.link),
            note.text,
            note.said,
            FOR.get(note.audience, note.audience),
            tell_day(note.look_again_at, zone),
        )
        for note in notes
    ]
    return KnowledgeSection("notes", "Notes", COLUMNS, rows, NOTHING)
