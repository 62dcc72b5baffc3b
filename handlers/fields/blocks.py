"""The card of a document that is read for its fields, and the offer to do so, as pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.costs.amounts import dollars
from bot.fields.side import FieldCard
from bot.fields.values import FieldCost, FieldForm, FieldRow
from bot.knowledge.document_words import name_document
from handlers.fields.tables import build_table, count_open
from handlers.slack.blocks import Block, actions, button, context, count, section
from handlers.slack.mrkdwn import escape
from storage.knowledge.documents import Document

STOP, AGAIN, REVIEW, OPEN_TABLE = "fields_stop", "fields_again", "fields_review", "fields_table"
READ_NOW, NOT_NOW = "fields_read", "fields_not_now"
ACCEPTED = "Asked for: a card shows how far it is."
DECLINED = "Not now. “Ask Parley to…” in the menu of the file's message does it later."


def card_text(card: FieldCard) -> str:
    """The card in a sentence, for notifications and screen readers."""
    return card.gone or _headline(card)


def card_blocks(card: FieldCard) -> list[Block]:
    """How far it is; at the end the table, and what is to be looked at."""
    if card.gone:
        return [section(card.gone)]
    shown = [section(_headline(card)), *_show_rows(card.form, card.rows)]
    notes = list(_notes(card))
    return [*shown, *([context(*notes)] if notes else []), *_buttons(card)]


def _headline(card: FieldCard) -> str:
    document, kind = f"*{escape(name_document(card.document))}*", f"*{escape(card.form.name)}*"
    run = card.run
    match run.state:
        case "waiting":
            return f"The fields of {kind} are to be read from {document}."
        case "reading":
            far = f": {run.done} of {count(run.pieces, 'part')}" if run.pieces > 1 else ""
            return f"Reading the fields of {kind} from {document}{far}."
        case "failed":
            return f"The fields of {kind} were not read from {document}. {escape(run.problem)}"
        case "stopped":
            return f"Stopped: {run.done} of {count(run.pieces, 'part')} of {document} were read for {kind}."
    if not card.rows:
        return f"{document} has nothing of {kind}."
    found = f"{count(len(card.rows), 'row')} of {kind} from {document}"
    doubtful = count_open(card.rows)
    return f"{found}; {count(doubtful, 'value')} to look at." if doubtful else f"{found}."


def _show_rows(form: FieldForm, rows: Sequence[FieldRow]) -> list[Block]:
    return [build_table(form, rows)[0]] if rows else []


def _notes(card: FieldCard) -> Iterator[str]:
    if card.rows and len(card.rows) > (shown := build_table(card.form, card.rows)[1]):
        yield f"And {count(len(card.rows) - shown, 'more row')}: in *All rows*."
    if card.run.state in ("waiting", "reading") and card.cost.worth_telling and card.cost.usd is not None:
        yield f"That costs about {dollars(card.cost.usd)}."
    if card.run.state in ("waiting", "reading") and card.cost.usd is None:
        yield "What that costs is not known."
    if card.document.skipped_pages:
        yield f"{count(len(card.document.skipped_pages), 'page')} of it could not be read."


def _buttons(card: FieldCard) -> list[Block]:
    id, doubtful = card.run.id, count_open(card.rows)
    shown = [button(REVIEW, f"Review {doubtful} doubtful", value=id)] if doubtful else []
    if card.rows:
        shown.append(button(OPEN_TABLE, "All rows", value=card.form.id))
    if card.run.state in ("waiting", "reading"):
        shown.append(button(STOP, "Stop", value=id))
    if card.run.state in ("failed", "stopped"):
        shown.append(button(AGAIN, "Try again" if card.run.state == "failed" else "Go on", value=id))
    return [actions(*shown)] if shown else []


def offer_text(document: Document, form: FieldForm, cost: FieldCost) -> str:
    """What could be done with a document, and what it would cost where that is worth telling."""
    asked = f"Shall I read the fields of *{escape(form.name)}* from *{escape(name_document(document))}*?"
    if cost.usd is None:
        return f"{asked} What that costs is not known."
    return f"{asked} That would cost about {dollars(cost.usd)}." if cost.worth_telling else asked


def offer_blocks(document: Document, form: FieldForm, cost: FieldCost) -> list[Block]:
    """The offer with its two answers. They carry the form and the document."""
    which = f"{form.id} {document.id}"
    pressed = [button(READ_NOW, "Read them", value=which), button(NOT_NOW, "Not now", value=which)]
    return [section(offer_text(document, form, cost)), actions(*pressed)]
