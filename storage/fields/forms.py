"""Forms of fields: what an owner wants read from documents of one kind. Fields and checks are JSON here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from storage import audit
from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class StoredForm:
    """One form. A channel has one of a name."""

    id: str
    team: str
    channel: str
    name: str
    fields: str
    checks: str
    every: int
    changed_by: str
    changed_at: float


_COLUMNS = ", ".join(StoredForm.__dataclass_fields__)
_VALUES = ", ".join(f":{name}" for name in StoredForm.__dataclass_fields__)
_CHANGES = ", ".join(
    f"{name} = :{name}" for name in StoredForm.__dataclass_fields__ if name not in ("id", "team", "channel")
)


def save(tx: Tx, form: StoredForm) -> None:
    """A new form, or another wording of it."""
    insert = f"insert into field_forms ({_COLUMNS}) values ({_VALUES})"
    same = "field_forms.team = :team and field_forms.channel = :channel"
    tx.run(f"{insert} on conflict (id) do update set {_CHANGES} where {same}", **asdict(form))
    _note(tx, "form saved", form, by=form.changed_by, now=form.changed_at)


def find(tx: Tx, team: str, id: str) -> StoredForm | None:
    which = f"select {_COLUMNS} from field_forms where team = :team and id = :id"
    row = tx.one(which, team=team, id=id)
    return StoredForm(**row) if row else None


def list_at(tx: Tx, team: str, channel: str) -> list[StoredForm]:
    """The forms of a channel by name."""
    which = f"select {_COLUMNS} from field_forms where team = :team and channel = :channel order by name, id"
    return [StoredForm(**row) for row in tx.all(which, team=team, channel=channel)]


def remove(tx: Tx, form: StoredForm, *, by: str, now: float) -> None:
    """A form with every row that documents yielded for it, and what reviews taught."""
    tx.lock(f"fields {form.id}")
    for table in ("field_reviews", "field_rows", "field_runs"):
        tx.run(f"delete from {table} where form = :form", form=form.id)
    if tx.changed("delete from field_forms where id = :form", form=form.id):
        _note(tx, "form removed", form, by=by, now=now)


def _note(tx: Tx, act: str, form: StoredForm, *, by: str, now: float) -> None:
    audit.note(tx, act, form.channel, team=form.team, person=by, detail=f"form {form.id}", now=now)
