"""What fields are: the form that describes them once, and the rows of values that documents yield.

A value is what stands in a document, beside what it means: "1.234,50 €" is "EUR 1234.50", "3. April 2026" is
"2026-04-03". What cannot be told for sure is `doubtful` with the sentence why, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

FieldType = Literal["text", "number", "date", "money", "choice"]
# "sum": the fields of `parts` make `total`; "order": the days of `parts` come one after the other.
CheckKind = Literal["sum", "order"]
# ok: every check says so; doubtful, missing: somebody has to look; the last two: somebody did.
ValueState = Literal["ok", "doubtful", "missing", "confirmed", "corrected"]
RunState = Literal["waiting", "reading", "done", "stopped", "failed"]

WORTH_TELLING_USD = Decimal("0.01")  # what it costs is told from here on, before it is spent
WORTH_ASKING_USD = Decimal("0.50")  # and asked about from here on


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is to be read from each document. `choices`: of a choice, what it may be; of money, the
    currencies that are meant by a sign such as "$"."""

    name: str
    type: FieldType = "text"
    required: bool = True
    choices: tuple[str, ...] = ()
    hint: str = ""  # what the owner says of it besides


@dataclass(frozen=True, slots=True)
class Check:
    """What has to be true between fields, by their names."""

    kind: CheckKind
    parts: tuple[str, ...]
    total: str = ""


@dataclass(frozen=True, slots=True)
class FieldForm:
    """What is read from documents of one kind in a channel. `name`: the kind, "invoice"."""

    id: str
    team: str
    channel: str
    name: str
    fields: tuple[Field, ...]
    checks: tuple[Check, ...] = ()
    every: bool = False  # read from every document that is added there; else when somebody asks
    by: str = ""
    changed_at: float = 0.0

    def find(self, name: str) -> Field | None:
        """Its field of a name."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True, slots=True)
class FieldCandidate:
    """Something in the document that a field may be: what stands there, what it means, and where."""

    text: str
    value: str
    page: int = 0  # from 1; 0 where the format has none
    place: str = ""  # for a person: "page 3", "Prices, rows 2–40"
    quote: str = ""  # the line or two in which it stands
    label: str = ""  # what stands beside it, small: "total due"


@dataclass(frozen=True, slots=True)
class Value:
    """One field of one row. `text` as in the document, `value` what it means: a day as 2026-04-03, money as
    "EUR 12.50", a number as 1234.5; "" where there is none."""

    field: str
    text: str = ""
    value: str = ""
    page: int = 0
    place: str = ""
    quote: str = ""
    state: ValueState = "missing"
    why: str = ""  # a sentence for a person: why it is doubtful or missing
    candidates: tuple[FieldCandidate, ...] = ()  # one click each, most likely first
    label: str = ""
    pattern: str = ""  # what a review of it settles for the documents that follow; "" where nothing

    @property
    def open(self) -> bool:
        """Whether somebody has to look at it."""
        return self.state == "doubtful" or (self.state == "missing" and bool(self.why))

    @property
    def as_candidate(self) -> FieldCandidate:
        """What was read, as something that it may be."""
        return FieldCandidate(self.text, self.value, self.page, self.place, self.quote, self.label)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """What one piece of a document yielded: an invoice of a file that holds a hundred. `piece` from 0."""

    id: str
    form: str
    document: str
    team: str
    channel: str
    piece: int
    values: tuple[Value, ...]
    page: int = 0  # on which the piece begins
    title: str = ""  # of its document
    link: str = ""
    made_at: float = 0.0

    def find(self, name: str) -> Value | None:
        """Its value of a field."""
        return next((one for one in self.values if one.field == name), None)

    @property
    def state(self) -> Literal["ok", "doubtful"]:
        """Doubtful as long as somebody has to look at one of its values."""
        return "doubtful" if any(value.open for value in self.values) else "ok"


@dataclass(frozen=True, slots=True)
class FieldRun:
    """Fields being read from one document, and how far that is. `thread`, `channel`: where its table is
    shown; `channel` is that of the form."""

    id: str
    form: str
    document: str
    team: str
    channel: str
    thread: str = ""
    state: RunState = "waiting"
    pieces: int = 0
    done: int = 0
    problem: str = ""  # why it was given up on, in a sentence
    card: str = ""  # channel:message of the card that tells of it
    asked_at: float = 0.0


@dataclass(frozen=True, slots=True)
class FieldCost:
    """What reading fields from documents takes: requests, and dollars (None: nobody knows)."""

    requests: int
    usd: Decimal | None

    @property
    def worth_telling(self) -> bool:
        return self.usd is not None and self.usd >= WORTH_TELLING_USD

    @property
    def worth_asking(self) -> bool:
        return self.usd is not None and self.usd >= WORTH_ASKING_USD


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a form: those of a document, those with something doubtful, those whose values contain
    these words, by the field's name."""

    document: str = ""
    doubtful: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


EVERYTHING = RowFilter()
