"""What values are worth, decided by code alone: nothing that a model says is believed.

A value has to stand in its quote, and the quote in the document; it has to be of its type, beside a label
that says so, and there may be no other one that it could be. What is not sure is marked with the sentence
why, and with everything that it may be; nothing is guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice, pairwise

from bot.fields.arithmetic import find_contradiction
from bot.fields.fitting import PARTIES, FieldLabels
from bot.fields.forms import describe_check
from bot.fields.labelled import list_labelled
from bot.fields.patterns import Learned
from bot.fields.pieces import DocumentPiece
from bot.fields.places import find_places
from bot.fields.proposals import Proposal
from bot.fields.readings import ReadValue, list_readings, read_place
from bot.fields.roles import find_role
from bot.fields.style import WritingStyle, find_writing_style
from bot.fields.values import Check, Field, FieldCandidate, FieldForm, Value
from bot.fields.wordings import find_misfit, list_firms

MOST_CANDIDATES = 6
MOST_FIRMS = 50  # of a piece that are looked at
NOT_STATED = "I did not find it in the document."
NOT_QUOTED = "What was read does not stand in the document."
SEVERAL = "The document says {first} and {second}."
OTHER_LABEL = "It stands beside “{label}”."
UNLABELLED = "Nothing beside it says what it is."
CUT_SHORT = "It may be only a part of “{line}”."
DOES_NOT_HOLD = "It does not hold that {check}."
ARITHMETIC = frozenset({"net", "tax", "total"})


def judge(
    form: FieldForm, piece: DocumentPiece, proposals: Sequence[Proposal], learned: Learned
) -> tuple[Value, ...]:
    """The value of each field of a form, in its order."""
    style = find_writing_style(piece)
    mine = list(dict.fromkeys(proposals))
    values = dict[str, Value]()
    for field in form.fields:
        stated = _list_stated(field, piece, style, learned)
        value = _judge_field(field, piece, mine, style, stated=stated, learned=learned, kind=form.name)
        summed = field.type == "money" and find_role(field.name, "money") in ARITHMETIC
        why = find_contradiction(piece, stated, style) if summed else ""
        values[field.name] = _doubt(value, why) if why else value
    for check in form.checks:
        if not _holds(check, values):
            for name in (*check.parts, check.total):
                if name in values:
                    values[name] = _doubt(values[name], DOES_NOT_HOLD.format(check=describe_check(check)))
    return tuple(values.values())


def lift_doubts(form: FieldForm, values: Sequence[Value]) -> tuple[Value, ...]:
    """The same values, without the doubts of a check that holds by now, since somebody said what one of its
    fields is."""
    by_field = {value.field: value for value in values}
    for check in form.checks:
        named = [name for name in (*check.parts, check.total) if name in by_field]
        said = any(by_field[name].state in ("confirmed", "corrected") for name in named)
        if said and _holds(check, by_field):
            why = DOES_NOT_HOLD.format(check=describe_check(check))
            lifted = [by_field[name] for name in named if by_field[name].why == why]
            by_field |= {value.field: replace(value, state="ok", why="") for value in lifted}
    return tuple(by_field.values())


def _list_stated(
    field: Field, piece: DocumentPiece, style: WritingStyle, learned: Learned
) -> list[ReadValue]:
    """Everything in a piece that a field may be: what it is has to be the only one that fits."""
    if field.type == "text":
        return [read_place(field, place, style, learned) for place in list_labelled(piece)]
    if field.type == "choice":
        places = [place for choice in field.choices for place in find_places(piece, choice, choice)]
        return [read_place(field, place, style, learned) for place in places]
    return list_readings(field, piece, style, learned)


def is_worth_asking_again(value: Value) -> bool:
    """Whether a model may have read it wrong; of what the document leaves open, no model knows more."""
    misread = value.why == OTHER_LABEL.format(label=value.label) or value.why == UNLABELLED
    return value.open and (value.state == "missing" or misread)


def _judge_field(
    field: Field,
    piece: DocumentPiece,
    proposals: Sequence[Proposal],
    style: WritingStyle,
    *,
    stated: Sequence[ReadValue],
    learned: Learned,
    kind: str,
) -> Value:
    labels = FieldLabels(field, learned, kind)
    fitting = [reading for reading in stated if reading.values and labels.fits(reading.label)]
    mine = [one for one in proposals if one.field == field.name]
    read = [_read_best(field, one, piece, style, labels=labels) for one in mine]
    found = [reading for reading in read if reading and reading.values]
    if not found:
        why = next((reading.why for reading in read if reading and reading.why), NOT_QUOTED if mine else "")
        told = why or (NOT_STATED if field.required or fitting else "")
        return Value(field.name, why=told, candidates=_list_candidates(fitting))
    right = [reading for reading in found if labels.fits(reading.label)]
    right = right or [reading for reading in found if not labels.speaks_of_other(reading.label)] or found
    chosen = right[0]
    others, firms = [*right, *fitting], list[ReadValue]()
    if field.type == "text" and not labels.fits(chosen.label):
        firms = _list_firms(field, chosen, piece, style, labels=labels)
        others += [one for one in firms if not _is_same_name(one.value, chosen.value)]
        chosen = replace(chosen, pattern=json.dumps({"about": "name"}))
    why = _find_doubt(chosen, others, stated, labels)
    if not why and field.type == "text":
        why = find_misfit(field.name, chosen, labels, piece)
    offered = _list_candidates([chosen, *others, *firms]) if why else ()
    return Value(
        field.name,
        chosen.place.text,
        chosen.value,
        chosen.place.page.page,
        chosen.place.page.place,
        chosen.place.line,
        "doubtful" if why else "ok",
        why,
        offered,
        chosen.label.words,
        chosen.pattern,
    )


def _list_firms(
    field: Field, chosen: ReadValue, piece: DocumentPiece, style: WritingStyle, *, labels: FieldLabels
) -> list[ReadValue]:
    """Firms that may be the party, which no label and nobody tells apart."""
    learned = labels.learned
    if labels.role not in PARTIES or learned.is_name(field.name, chosen.value):
        return []
    places = islice(list_firms(piece, labels, learned, field.name), MOST_FIRMS)
    return [read_place(field, place, style, learned) for place in places]


def _is_same_name(one: str, other: str) -> bool:
    """Whether one of them is the other, or a part of it."""
    return one.casefold() in other.casefold() or other.casefold() in one.casefold()


def _read_best(
    field: Field, proposal: Proposal, piece: DocumentPiece, style: WritingStyle, *, labels: FieldLabels
) -> ReadValue | None:
    """Where a proposal stands; of several places the one beside a label that fits."""
    places = find_places(piece, proposal.text, proposal.quote, first=proposal.page)
    readings = [read_place(field, place, style, labels.learned) for place in places]
    fitting = [reading for reading in readings if labels.fits(reading.label)]
    return next(iter(fitting or readings), None)


def _find_doubt(
    chosen: ReadValue, others: Sequence[ReadValue], stated: Sequence[ReadValue], labels: FieldLabels
) -> str:
    """Why somebody has to look at a value; "" where nobody has to."""
    if chosen.why:
        return chosen.why
    if other := _find_other(chosen, others):
        return SEVERAL.format(first=_name(chosen), second=_name(other))
    if labels.fits(chosen.label):
        return _find_cut(chosen, labels)
    if labels.speaks_of_other(chosen.label):
        return OTHER_LABEL.format(label=chosen.label.words)
    if labels.wants_label or (labels.is_choice and _find_other(chosen, stated)):
        return UNLABELLED
    return _find_cut(chosen, labels)


def _find_other(chosen: ReadValue, others: Iterable[ReadValue]) -> ReadValue | None:
    """The first that surely says something else."""
    return next((one for one in others if one.values and not set(one.values) & set(chosen.values)), None)


def _find_cut(chosen: ReadValue, labels: FieldLabels) -> str:
    place = chosen.place
    behind = place.page.text[place.end : place.end + 20]
    return CUT_SHORT.format(line=place.line) if labels.goes_on(chosen.value, behind) else ""


def _name(reading: ReadValue) -> str:
    beside = f" ({reading.label.words})" if reading.label.words else ""
    return f"“{reading.place.text}”{beside}"


def _list_candidates(readings: Iterable[ReadValue]) -> tuple[FieldCandidate, ...]:
    found = dict[str, FieldCandidate]()
    for reading in readings:
        for candidate in reading.list_candidates():
            found.setdefault(candidate.value, candidate)
    return tuple(found.values())[:MOST_CANDIDATES]


def _doubt(value: Value, why: str) -> Value:
    """A value that was thought right until then; what is doubtful already stays as it is."""
    if value.state != "ok":
        return value
    return replace(value, state="doubtful", why=why, candidates=value.candidates or (value.as_candidate,))


def _holds(check: Check, values: Mapping[str, Value]) -> bool:
    """Whether what is to be true between fields is; where one of them has no value, nobody knows."""
    named = [values[name].value for name in (*check.parts, check.total) if name]
    if not all(named) or len(named) < 2:
        return True
    if check.kind == "order":
        return all(first <= then for first, then in pairwise(named))
    currencies = {value.split()[0] for value in named if " " in value}
    *parts, total = (Decimal(value.split()[-1]) for value in named)
    return len(currencies) < 2 and abs(sum(parts) - total) <= Decimal("0.01")
