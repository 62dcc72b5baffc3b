"""What people said of values: that one is right, or what it is instead. Theirs, and gone with them.

What they settled teaches: `pattern` names the doubt that is not to be raised again (bot/fields/patterns.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from storage import audit
from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class StoredReview:
    """What somebody said of one value. `state`: confirmed or corrected."""

    row_id: str
    field: str
    form: str
    document: str
    team: str
    channel: str
    person: str
    state: str
    text: str
    value: str
    page: int
    quote: str
    label: str
    pattern: str
    at: float


_COLUMNS = ", ".join(StoredReview.__dataclass_fields__)
_VALUES = ", ".join(f":{name}" for name in StoredReview.__dataclass_fields__)
_CHANGES = ", ".join(
    f"{name} = :{name}" for name in StoredReview.__dataclass_fields__ if name not in ("row_id", "field")
)


def save(tx: Tx, review: StoredReview) -> bool:
    """The last word on a value; False where its row is gone."""
    tx.lock(f"fields {review.form}")
    if tx.one("select 1 as there from field_rows where id = :row_id", row_id=review.row_id) is None:
        return False
    insert = f"insert into field_reviews ({_COLUMNS}) values ({_VALUES})"
    tx.run(f"{insert} on conflict (row_id, field) do update set {_CHANGES}", **asdict(review))
    whose = {"team": review.team, "person": review.person, "detail": f"{review.state} in row {review.row_id}"}
    audit.note(tx, "value reviewed", review.channel, **whose, now=review.at)
    return True


def list_reviews(tx: Tx, form: str) -> list[StoredReview]:
    """Everything that was said of the values of a form, oldest first."""
    which = f"select {_COLUMNS} from field_reviews where form = :form order by at, row_id, field"
    return [StoredReview(**row) for row in tx.all(which, form=form)]
