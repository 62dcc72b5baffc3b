"""What people call a document: its name, its kind, and why it is not to be found just now."""

from __future__ import annotations

from storage.knowledge.documents import Document

KINDS = {
    "pdf": "PDF",
    "docx": "Word",
    "pptx": "PowerPoint",
    "xlsx": "Excel",
    "csv": "CSV",
    "html": "HTML",
    "markdown": "Markdown",
    "code": "Code",
    "text": "Text",
    "thread": "Thread",
}
HIDDEN = {
    "archived": "its channel is archived",
    "shared": "its channel is shared with another company",
    "unshared": "its file is not shared there any more",
    "private": "its channel became private",
    "gone": "its channel is gone",
    "left": "its owner has left",
    "removed": "it is being removed",
    "replaced": "a newer version took its place",
}


def name_document(document: Document) -> str:
    """A document's title, and the name of its file where that is another."""
    title = document.title or document.name
    is_file = document.source in ("file", "command")
    return f"{title} ({document.name})" if is_file and title != document.name else title
