"""The card of a document and the list of documents, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.costs.amounts import dollars
from bot.knowledge.document_card import WORTH_TELLING_USD, DocumentCard
from bot.knowledge.document_words import HIDDEN, KINDS, name_document
from handlers.slack.blocks import Block, actions, button, context, count, ephemeral, section
from handlers.slack.modals import plain_text
from handlers.slack.mrkdwn import escape
from storage.knowledge.documents import Document

OPEN, REPLACE, REMOVE = "document_open", "document_replace", "document_remove"
SKIPPED_SHOWN = 10
REMOVED = "Removed. Nothing is answered from it any more."
LISTED = 40  # of the 100 blocks of a window
WHERE = {
    "channel": "in this channel",
    "workspace": "everywhere in this workspace",
    "person": "by you, here",
    "thread": "in this thread",
}
STAYS = {  # by the source: what a removal leaves
    "file": "The file itself stays where it is.",
    "command": "The file itself stays where it is.",
    "thread": "The thread itself stays where it is.",
    "text": "What was written is kept nowhere else.",
    "note": "The message that it was made of stays where it is.",
}


def card_text(card: DocumentCard) -> str:
    """The card in a sentence, for notifications and screen readers."""
    return card.gone or _headline(card.document)


def card_blocks(card: DocumentCard) -> list[Block]:
    """The card: what it is and how far, what was not read, what it costs, buttons."""
    if card.gone:
        return [context(card.gone)]
    notes = [note for note in (_facts(card.document), *_notes(card)) if note]
    return [section(_headline(card.document)), *([context(*notes)] if notes else []), _buttons(card.document)]


def tell_removed() -> dict[str, Any]:
    """What whoever removed a document reads."""
    return ephemeral(REMOVED, [section(REMOVED)])


def _headline(document: Document) -> str:
    title = f"*{escape(name_document(document))}*"
    match document.state:
        case "searchable":
            return f"{title} can be asked about {WHERE[document.audience]}."
        case "failed":
            return f"{title} was not taken in. {escape(document.problem)}"
        case "reading" if document.pages:
            return f"Reading {title}: {document.pages_read} of {count(document.pages, 'page')}."
        case "reading":
            return f"Reading {title}."
    return f"{title} waits to be read."


def _facts(document: Document) -> str:
    if document.state != "searchable":
        return ""
    pages = f"{document.pages_read} of {count(document.pages, 'page')} read" if document.pages else ""
    kind = KINDS.get(document.kind, document.kind)
    return " · ".join(filter(None, (kind, pages, count(document.chunks, "passage"))))


def _notes(card: DocumentCard) -> Iterable[str]:
    document = card.document
    if skipped := document.skipped_pages:
        shown = "; ".join(f"page {page} ({reason})" for page, reason in skipped[:SKIPPED_SHOWN])
        more = f" and {len(skipped) - SKIPPED_SHOWN} more" if skipped[SKIPPED_SHOWN:] else ""
        yield f"Not read: {shown}{more}."
    yield from card.notes
    if card.vectors and document.state == "searchable" and document.embedded < document.chunks:
        yield f"Found by its words now; by meaning so far {document.embedded} of {document.chunks} passages."
        if card.cost_usd is None:
            yield "What that costs is not known."
        elif card.cost_usd > WORTH_TELLING_USD and not document.embedded:
            yield f"That will cost about {dollars(card.cost_usd)}."


def _buttons(document: Document) -> Block:
    shown = [_open_button(document)] if document.link else []
    if document.state in ("searchable", "failed"):
        shown.append(button(REPLACE, "Replace", value=document.id))
    return actions(*shown, remove_button(document))


def _open_button(document: Document) -> Block:
    return button(OPEN, "Open") | {"url": document.link}


def remove_button(document: Document) -> Block:
    """Asks once more, then removes a document."""
    return button(REMOVE, "Remove", value=document.id) | {
        "confirm": {
            "title": plain_text("Remove this document?"),
            "text": plain_text(f"Nothing is answered from it any more. {STAYS[document.source]}"),
            "confirm": plain_text("Remove"),
            "deny": plain_text("Keep"),
        }
    }


def list_blocks(documents: Sequence[Document], *, removable: Iterable[str] = ()) -> list[Block]:
    """Documents, a line each; a button at those that this person may remove."""
    may = set(removable)
    shown: list[dict[str, Any]] = []
    for document in documents[:LISTED]:
        line = section(describe_document(document))
        shown.append(line | {"accessory": remove_button(document)} if document.id in may else line)
    if documents[LISTED:]:
        shown.append(context(f"And {len(documents) - LISTED} more."))
    return shown


def describe_document(document: Document) -> str:
    """A document in a line: its name as a link, how large it is, and whether it can be found."""
    name = escape(name_document(document))
    title = f"<{document.link}|{name}>" if document.link else f"*{name}*"
    size = count(document.pages, "page") if document.pages else count(document.chunks, "passage")
    told = {"waiting": "waits to be read", "reading": "is being read", "failed": escape(document.problem)}
    state = told.get(document.state, size)
    if document.hidden:
        state = f"not to be found now: {HIDDEN.get(document.hidden, document.hidden)}"
    of = {"workspace": " (whole workspace)", "person": " (yours)"}.get(document.audience, "")
    return f"{title}{of}: {state}"
