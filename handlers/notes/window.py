"""The windows of notes as pure functions: the list, and the form in which one is kept or changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from bot.core.errors import NotUnderstood
from bot.notes.new_note import TEXT_MOST, TITLE_MOST
from handlers.channel.fields import text_field
from handlers.slack.blocks import Block, actions, button, context, note_buttons, section
from handlers.slack.modals import View, plain_text, window
from handlers.slack.mrkdwn import escape
from handlers.slack.note_question import EDIT_NOTE, ERASE_NOTE
from storage.knowledge.notes import Note

WRITE_NOTE, NOTE_FORM = "note_write", "note_form"
TITLE, TEXT, DAY = "note_title", "note_text", "note_day"
LISTED = 30  # of the 100 blocks of a window
NONE = "Nothing is remembered here. Say “remember that …” to me, or choose *Remember this* in the ⋮ menu."
DAY_HINT = "On that day whoever said it is asked once whether it is still right."
WORDS_SHOWN = 2_500  # characters of a section


@dataclass(frozen=True, slots=True)
class NotePlace:
    """What a window is about. `id`: of the note that is changed; `thread` and the rest: of the message that
    is to be remembered, whose words are not changed: `text` is shown and not kept in it."""

    channel: str
    id: str = ""
    thread: str = ""
    message: str = ""
    text: str = ""


def dump_place(place: NotePlace) -> str:
    """As a window carries it; Slack takes 3,000 characters."""
    return json.dumps(asdict(replace(place, text="")), ensure_ascii=False)


def load_place(view: View) -> NotePlace:
    """What `dump_place` wrote."""
    return NotePlace(**json.loads(view["private_metadata"]))


def list_window(place: NotePlace, notes: Sequence[Note], zone: tzinfo, *, changeable: Iterable[str]) -> View:
    """What is remembered there; buttons at those that this person may change."""
    may = set(changeable)
    shown = [block for note in notes[:LISTED] for block in _show(note, zone, may=note.id in may)]
    if notes[LISTED:]:
        shown.append(context(f"And {len(notes) - LISTED} more."))
    adding = actions(button(WRITE_NOTE, "Write a note"))
    return window("Notes", [*(shown or [section(NONE)]), adding], private_metadata=dump_place(place))


def _show(note: Note, zone: tzinfo, *, may: bool) -> list[Block]:
    title = escape(note.title)
    named = f"<{note.link}|{title}>" if note.link else f"*{title}*"
    again = f", to be looked at again on {_write_day(note.look_again_at, zone)}" if note.look_again_at else ""
    shown = [section(f"{named}\n{escape(note.text)[:WORDS_SHOWN]}"), context(f"{escape(note.said)}{again}")]
    return (
        [*shown, actions(button(EDIT_NOTE, "Edit", value=note.id), erase_button(note.id))] if may else shown
    )


def erase_button(id: str) -> Block:
    """Asks once more, then erases a note."""
    return button(ERASE_NOTE, "Erase", value=id) | {
        "confirm": {
            "title": plain_text("Erase this note?"),
            "text": plain_text("Nothing is answered from it any more."),
            "confirm": plain_text("Erase"),
            "deny": plain_text("Keep"),
        }
    }


def note_form(place: NotePlace, *, title: str = "", text: str = "", day: str = "") -> View:
    """A note that is written, changed, or kept of a message, whose words stand there as they are."""
    if place.message:
        words: list[Block] = [section(escape(place.text)[:WORDS_SHOWN])]
    else:
        words = [text_field(TEXT, "What is to be remembered", text, most=TEXT_MOST) | {"optional": False}]
    return window(
        "A note",
        [*words, text_field(TITLE, "Title", title[:TITLE_MOST], most=TITLE_MOST), _day_field(day)],
        submit=plain_text("Remember"),
        callback_id=NOTE_FORM,
        private_metadata=dump_place(place),
    )


def _day_field(day: str) -> Block:
    element: dict[str, Any] = {"type": "datepicker", "action_id": DAY}
    if day:
        element["initial_date"] = day
    field = {"type": "input", "block_id": DAY, "label": plain_text("Look at it again on"), "element": element}
    return field | {"optional": True, "hint": plain_text(DAY_HINT)}


def choice_window(place: NotePlace, told: str, question: str, which: tuple[str, str]) -> View:
    """That a note is kept, and what says otherwise, to be chosen between. `which`: ids, the new one first."""
    shown = [section(told), section(escape(question)), actions(*note_buttons(*which))]
    return window("A note", shown, private_metadata=dump_place(NotePlace(place.channel)))


def read_form(view: View, zone: tzinfo) -> tuple[str, str, float | None]:
    """Title, text and the day on which it is looked at again, as unix seconds. NotUnderstood."""
    given = view["state"]["values"]
    return _read(given, TITLE), _read(given, TEXT), _read_day(given, zone)


def _read(given: Mapping[str, Mapping[str, Any]], field: str) -> str:
    return str((given.get(field) or {}).get(field, {}).get("value") or "")


def _read_day(given: Mapping[str, Mapping[str, Any]], zone: tzinfo) -> float | None:
    day = (given.get(DAY) or {}).get(DAY, {}).get("selected_date")
    if not day:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(day).date(), MORNING, zone).timestamp()
    except (ValueError, OverflowError) as exc:
        raise NotUnderstood(str(day), "A day looks like 2026-05-12.") from exc


MORNING = time(9)  # when somebody is asked


def half_a_year_from(now: float, zone: tzinfo) -> float:
    """When a note that is right still is looked at again."""
    day = datetime.fromtimestamp(now, UTC).astimezone(zone).date() + timedelta(days=182)
    return datetime.combine(day, MORNING, zone).timestamp()


def write_date(at: float | None, zone: tzinfo) -> str:
    """A day as the form takes it; "" for none."""
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d}" if at else ""


def _write_day(at: float, zone: tzinfo) -> str:
    day = datetime.fromtimestamp(at, zone)
    return f"{day.day} {day:%B %Y}"
