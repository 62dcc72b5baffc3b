"""Trained models of channels, as bytes, version by version; one of each channel is in use."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from storage import audit
from storage.engine import Tx
from storage.place import Channel
from storage.workers import changes

MODELS_KEPT = 10


def add_model(
    tx: Tx,
    at: Channel,
    model: bytes,
    *,
    embedder: str,
    examples: Collection[int],
    report: str,
    now: float,
) -> int:
    """Stores a trained model as the next version and puts it to use; the oldest are dropped. The version.

    `examples`: the ids of those that it was made from. Where one was erased meanwhile, the model has its
    words in it, and is not kept.
    """
    lock(tx, at)
    row = tx.one(
        """select coalesce(max(version), 0) + 1 as version from guard_models
        where team = :team and channel = :channel""",
        **at.key,
    )
    assert row
    version = int(row["version"])
    tx.run(
        """insert into guard_models
        (team, channel, version, model, embedder, examples, report, in_use, trained_at) values
        (:team, :channel, :version, :model, :embedder, :examples, :report, 0, :now)""",
        version=version,
        model=model,
        embedder=embedder,
        examples=len(examples),
        report=report,
        now=now,
        **at.key,
    )
    use_model(tx, at, version)
    tx.run(
        """delete from guard_models where team = :team and channel = :channel and version <= :oldest""",
        oldest=version - MODELS_KEPT,
        **at.key,
    )
    tx.run(
        """delete from guard_models where team = :team and channel = :channel and version = :version
        and examples > (select count(*) from guard_examples e
        where e.team = :team and e.channel = :channel and e.id <= :newest)""",
        version=version,
        newest=max(examples, default=0),
        **at.key,
    )
    audit.note(tx, "version trained", at.channel, team=at.team, detail=f"version {version}", now=now)
    return version


def lock(tx: Tx, at: Channel) -> None:
    """For whoever changes a channel's models, or erases examples that one may just be made from."""
    tx.lock(f"guard {at.team}:{at.channel}")


def use_model(tx: Tx, at: Channel, version: int) -> bool:
    """Puts a stored version to use; False when there is no such version."""
    lock(tx, at)
    found = tx.one(
        """select 1 as found from guard_models
        where team = :team and channel = :channel and version = :version""",
        version=version,
        **at.key,
    )
    if found:
        tx.run(
            """update guard_models set in_use = case when version = :version then 1 else 0 end
            where team = :team and channel = :channel""",
            version=version,
            **at.key,
        )
        changes.note(tx, changes.MODELS)
    return bool(found)


def roll_back(tx: Tx, at: Channel, version: int, *, by: str, now: float) -> bool:
    """Puts another stored version to use because a person wants it; False when there is no such version."""
    found = use_model(tx, at, version)
    if found:
        audit.note(
            tx, "version used", at.channel, team=at.team, person=by, detail=f"version {version}", now=now
        )
    return found


def read_model(tx: Tx, at: Channel) -> dict[str, Any] | None:
    """version, model, embedder and trained_at of the one in use. None as well when an example it was trained
    on was erased since: its words are in the model."""
    row = tx.one(
        """select m.version, m.model, m.embedder, m.trained_at, m.examples, (select count(*) from
        guard_examples e where e.team = m.team and e.channel = m.channel) as there from guard_models m where
        m.team = :team and m.channel = :channel and m.in_use = 1""",
        **at.key,
    )
    return None if row is None or row["there"] < row["examples"] else row


def find_in_use(tx: Tx, at: Channel) -> tuple[int, float] | None:
    """Which one `read_model` would give: its version, and when it was trained."""
    row = tx.one(
        """select m.version, m.trained_at, m.examples, (select count(*) from guard_examples e
        where e.team = m.team and e.channel = m.channel) as there
        from guard_models m where m.team = :team and m.channel = :channel and m.in_use = 1""",
        **at.key,
    )
    return None if row is None or row["there"] < row["examples"] else (row["version"], row["trained_at"])


def list_models(tx: Tx, at: Channel) -> list[dict[str, Any]]:
    """version, embedder, examples, report, in_use, trained_at of each, newest first."""
    return tx.all(
        """select version, embedder, examples, report, in_use, trained_at from guard_models
        where team = :team and channel = :channel order by version desc""",
        **at.key,
    )


def is_up_to_date(tx: Tx, at: Channel) -> bool:
    """Whether the newest model was trained after the last change to what it is to learn from."""
    row = tx.one(
        """select (select max(trained_at) from guard_models where team = :team and channel = :channel) as at,
        (select max(added_at) from guard_examples where team = :team and channel = :channel) as example_at,
        (select changed_at from guard_policies where team = :team and channel = :channel) as policy_at""",
        **at.key,
    )
    assert row
    return row["at"] is not None and row["at"] > max(row["example_at"] or 0.0, row["policy_at"] or 0.0)
