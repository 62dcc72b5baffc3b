"""The windows of fields as pure functions: the list of forms, the form of a form, the rows, what to extract.

What somebody describes in words is shown as it was understood before it is kept; the same words sent once
more keep it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bot.fields.forms import describe, describe_check
from bot.fields.values import Field, FieldForm, FieldRow
from handlers.channel.fields import choice_field, read_answers, text_field
from handlers.fields.tables import count_open, list_rows
from handlers.knowledge.windows import TEXT_MOST
from handlers.slack.blocks import Block, actions, button, context, count, header, section
from handlers.slack.modals import View, plain_text, window
from handlers.slack.mrkdwn import escape

DESCRIBE, CHANGE, REMOVE_FORM = "fields_describe", "fields_change", "fields_remove"
ROWS, EXPORT_CSV, EXPORT_JSONL, EXTRACT = "fields_rows", "fields_csv", "fields_jsonl", "fields_extract"
REVIEW_ALL = "fields_review_all"
FORM = "fields_form"
WORDS, EVERY = "words", "every"
LISTED, ROWS_SHOWN = 30, 40
WHEN = {
    "false": "When somebody asks",
    "true": "From every such document added here",
}
HINT = "What the documents are, a colon, and their fields. One rule a line below it: net + tax = total."
EXAMPLE = "invoice: number, date, supplier, total with currency"
NO_FORMS = "No fields are described here yet."
FOR_OWNERS = "Which fields are read here is for those who look after this channel to decide."
AS_READ = "*This is how I understood it.* Save it as it is, or change the words and look again."
TYPES = {"text": "text", "number": "a number", "date": "a date", "money": "an amount with its currency"}


@dataclass(frozen=True, slots=True)
class FieldsPlace:
    """What a window is about, kept in it. `form`: the one that is changed or looked at, "" for a new one;
    `document`: the only one that is looked at; `understood`: of the words that were shown as understood;
    `files`: what fields are to be extracted from."""

    channel: str
    form: str = ""
    document: str = ""
    thread: str = ""
    understood: str = ""
    files: tuple[str, ...] = ()


def dump_place(place: FieldsPlace) -> str:
    """As a window carries it."""
    return json.dumps(asdict(place), ensure_ascii=False)


def load_place(view: View) -> FieldsPlace:
    """What `dump_place` wrote."""
    read = json.loads(view["private_metadata"])
    return FieldsPlace(**read | {"files": tuple(read["files"])})


# The list


def forms_window(
    place: FieldsPlace, forms: Sequence[FieldForm], rows: Mapping[str, Sequence[FieldRow]], *, owner: bool
) -> View:
    """The forms of a channel with what documents yielded; `owner`: they may be changed. `rows`: by form."""
    shown = [block for form in forms[:LISTED] for block in _show_form(form, rows[form.id], owner=owner)]
    if not forms:
        shown.append(section(f"{NO_FORMS} {f'Such as “{EXAMPLE}”.' if owner else ''}"))
    shown.append(actions(button(DESCRIBE, "Describe fields")) if owner else context(FOR_OWNERS))
    return window("Fields", shown, private_metadata=dump_place(place))


def _show_form(form: FieldForm, rows: Sequence[FieldRow], *, owner: bool) -> list[Block]:
    fields = escape(", ".join(field.name for field in form.fields))
    when = "read from every such document" if form.every else "read when somebody asks"
    told = section(f"*{escape(form.name)}*: {fields}\n{count(len(rows), 'row')}, {when}")
    shown = [button(ROWS, "Rows", value=form.id)] if rows else []
    if doubtful := count_open(rows):
        shown.append(button(REVIEW_ALL, f"Review {doubtful} doubtful", value=form.id))
    if owner:
        shown += [button(CHANGE, "Change", value=form.id), _remove_button(form)]
    return [told, actions(*shown)] if shown else [told]


def _remove_button(form: FieldForm) -> Block:
    return button(REMOVE_FORM, "Remove", value=form.id) | {
        "confirm": {
            "title": plain_text("Remove these fields?"),
            "text": plain_text("Every row of them goes, too. The documents stay."),
            "confirm": plain_text("Remove"),
            "deny": plain_text("Keep"),
        }
    }


# The form of a form


def describe_form(place: FieldsPlace, form: FieldForm | None, *, words: str = "") -> View:
    """Where an owner says what is to be read; with a `form`, as it was understood or as it stands now."""
    shown = _show_understood(form) if form else []
    every = str(form.every).lower() if form else "false"
    return window(
        "Fields of documents",
        [
            *shown,
            text_field(WORDS, "Fields", words, most=TEXT_MOST, hint=HINT, placeholder=EXAMPLE)
            | {"optional": False},
            choice_field(EVERY, "When they are read", WHEN, every),
        ],
        submit=plain_text("Save" if place.understood else "Look"),
        callback_id=FORM,
        private_metadata=dump_place(place),
    )


def _show_understood(form: FieldForm) -> list[Block]:
    fields = "\n".join(f"• *{escape(field.name)}*: {escape(_describe_field(field))}" for field in form.fields)
    rules = [f"Checked: {escape(describe_check(check))}" for check in form.checks]
    return [section(AS_READ), header(form.name), section("\n".join([fields, *rules]))]


def _describe_field(field: Field) -> str:
    told = f"one of {', '.join(field.choices)}" if field.type == "choice" else TYPES[field.type]
    more = [field.hint, "" if field.required else "may be missing"]
    if field.type == "money" and field.choices:
        more.append(f"in {' or '.join(field.choices)}")
    return ", ".join([told, *filter(None, more)])


def write_words(form: FieldForm) -> str:
    """A form in words, as the field takes them."""
    return describe(form)[:TEXT_MOST]


def take_digest(words: str) -> str:
    """The same for the same words, short enough for a window to carry."""
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def read_words(view: View) -> tuple[str, bool]:
    """What was typed, and whether every document is meant."""
    given = read_answers(view)
    return given[WORDS].strip(), given[EVERY] == "true"


# Rows, and what to extract


def rows_window(place: FieldsPlace, form: FieldForm, rows: Sequence[FieldRow]) -> View:
    """What documents yielded for a form, the newest last, and the files with all of it."""
    shown = [section(f"*{escape(form.name)}*: {count(len(rows), 'row')}")]
    shown += list_rows(form, rows[-ROWS_SHOWN:])
    if rows[ROWS_SHOWN:]:
        shown.append(context(f"The last {ROWS_SHOWN} of {len(rows)}. The files have all of them."))
    pressed = [button(EXPORT_CSV, "As CSV", value=form.id), button(EXPORT_JSONL, "As JSONL", value=form.id)]
    if doubtful := count_open(rows):
        pressed.insert(0, button(REVIEW_ALL, f"Review {doubtful} doubtful", value=form.id))
    return window("Rows", [*shown, actions(*pressed)], private_metadata=dump_place(place))


def extract_window(place: FieldsPlace, forms: Sequence[FieldForm], *, owner: bool) -> View:
    """Which fields are to be read from the files of a message."""
    shown: list[Block] = []
    for form in forms[:LISTED]:
        fields = ", ".join(field.name for field in form.fields)
        told = section(f"*{escape(form.name)}*: {escape(fields)}")
        shown.append(told | {"accessory": button(EXTRACT, "Extract", value=form.id)})
    if not forms:
        shown.append(section(NO_FORMS))
    shown.append(actions(button(DESCRIBE, "Describe fields")) if owner else context(FOR_OWNERS))
    return window("Extract fields", shown, private_metadata=dump_place(place))
