"""The window in which doubtful values are settled, as pure functions: each with what the document has for it.

One click takes what stands there; anything else is typed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bot.fields.values import FieldCandidate, FieldForm, FieldRow, Value
from handlers.channel.fields import read_answers, shorten, text_field
from handlers.fields.tables import name_row
from handlers.fields.windows import FieldsPlace, dump_place
from handlers.slack.blocks import Block, actions, button, context, section
from handlers.slack.modals import View, plain_text, window
from handlers.slack.mrkdwn import escape

TAKE, TYPE, MISSING = "fields_take", "fields_type", "fields_missing"
TYPED_FORM, TYPED = "fields_typed", "typed"
BLOCKS = 90  # of the 100 that a window takes
CANDIDATES = 5
QUOTE = 300  # characters
VALUE_MOST = 500  # characters of a typed value
NOTHING_LEFT = "Nothing here is doubtful any more."
DIVIDER: Block = {"type": "divider"}
CARRIED = 1_800  # characters of what a button carries, of the 2,000 that Slack takes
LEARNED = "What you say here is remembered for the next documents of this kind."


@dataclass(frozen=True, slots=True)
class Pressed:
    """Which value a button is about, and what it says that it is."""

    row: str
    field: str
    value: str = ""


def dump_pressed(pressed: Pressed) -> str:
    """As a button carries it."""
    return json.dumps(asdict(pressed), ensure_ascii=False)


def load_pressed(value: str) -> Pressed:
    """What `dump_pressed` wrote."""
    return Pressed(**json.loads(value))


def review_window(place: FieldsPlace, form: FieldForm, rows: Sequence[FieldRow]) -> View:
    """Every value that somebody has to look at, as far as a window takes them."""
    open_values = [(row, value) for row in rows for value in row.values if value.open]
    # What the document says in several ways first: once it is settled, sums that it spoiled are right.
    open_values.sort(key=lambda one: len(one[1].candidates) < 2)
    shown: list[Block] = []
    for number, (row, value) in enumerate(open_values):
        block = _show_value(row, value)
        if len(shown) + len(block) > BLOCKS:
            shown.append(context(f"And {len(open_values) - number} more when these are done."))
            break
        shown += block
    shown = shown or [section(NOTHING_LEFT)]
    return window(f"Review {form.name}", [*shown, context(LEARNED)], private_metadata=dump_place(place))


def _show_value(row: FieldRow, value: Value) -> list[Block]:
    told = f"*{escape(value.field)}* of {name_row(row)}\n{escape(value.why)}"
    offered = value.candidates or (value.as_candidate,)  # what was read, where nothing else is there
    candidates = [one for one in offered if one.value and len(one.value) < CARRIED]
    typed = Pressed(row.id, value.field, value.text[:VALUE_MOST])
    pressed = [button(TYPE, "Type it", value=dump_pressed(typed))]
    if not value.value:
        pressed.append(button(MISSING, "It is missing", value=dump_pressed(Pressed(row.id, value.field))))
    shown = [section(told), *(_show_candidate(row, value, one) for one in candidates[:CANDIDATES])]
    return [*shown, actions(*pressed), DIVIDER]


def _show_candidate(row: FieldRow, value: Value, one: FieldCandidate) -> Block:
    where = one.place or (f"page {one.page}" if one.page else "")
    quoted = f"“{escape(shorten(' '.join(one.quote.split()), QUOTE))}”" if one.quote else ""
    found = ", ".join(filter(None, (quoted, escape(where))))
    said = dump_pressed(Pressed(row.id, value.field, one.value))
    return section(f"*{escape(one.value)}*  {found}") | {"accessory": button(TAKE, "This one", value=said)}


def typed_form(place: FieldsPlace, pressed: Pressed) -> View:
    """Where a value is typed that is none of those."""
    meant = {"place": asdict(place), "pressed": asdict(pressed)}
    return window(
        "Type it",
        [
            text_field(TYPED, pressed.field, pressed.value[:VALUE_MOST], most=VALUE_MOST)
            | {"optional": False},
            context("As it should stand: 12.50 EUR, 2026-04-03, or the words themselves."),
        ],
        submit=plain_text("Take it"),
        callback_id=TYPED_FORM,
        private_metadata=json.dumps(meant, ensure_ascii=False),
    )


def read_typed(view: View) -> tuple[FieldsPlace, Pressed, str]:
    """What the form was about, and what was typed."""
    meant = json.loads(view["private_metadata"])
    place = FieldsPlace(**meant["place"] | {"files": tuple(meant["place"]["files"])})
    return place, Pressed(**meant["pressed"]), read_answers(view)[TYPED].strip()
