"""What a person says a value is, as it is kept: one of what was offered, or typed."""

from __future__ import annotations

from bot.core.errors import Missing, NotUnderstood
from bot.fields.patterns import settle
from bot.fields.typed_values import read_typed
from bot.fields.values import FieldCandidate, FieldForm, FieldRow, Value
from storage.fields.reviews import StoredReview
from storage.fields.rows import ListedRow


def make_review(
    found: ListedRow, form: FieldForm, row: FieldRow, field: str, value: str, *, by: str, now: float
) -> StoredReview:
    """The review of one value; "" says that the document does not state it. NotUnderstood, Missing."""
    asked, read = form.find(field), row.find(field)
    if asked is None or read is None:
        raise Missing(f"no field {field}")
    chosen = _choose(read, value) if value.strip() else FieldCandidate("", "")
    if chosen is None:
        typed = read_typed(value, asked)
        if typed is None:
            raise NotUnderstood(value, f"{asked.name} is a {asked.type}.")
        chosen = FieldCandidate(value.strip(), typed)
    same = chosen.value == read.value
    return StoredReview(
        row_id=found.id,
        field=field,
        form=found.form,
        document=found.document,
        team=found.team,
        channel=found.channel,
        person=by,
        state="confirmed" if same else "corrected",
        text=chosen.text,
        value=chosen.value,
        page=chosen.page,
        quote=chosen.quote,
        label=chosen.label,
        pattern=settle(read, chosen) if chosen.value else "",
        at=now,
    )


def _choose(read: Value, value: str) -> FieldCandidate | None:
    offered = [*read.candidates, read.as_candidate]
    return next((one for one in offered if one.value and one.value == value.strip()), None)
