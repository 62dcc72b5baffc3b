"""Trained models of channels, as bytes, version by version; at most one of each channel is in use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from storage import audit
from storage.engine import Tx
from storage.learning.again import put_training
from storage.place import Channel
from storage.workers import changes

MODELS_KEPT = 10


@dataclass(frozen=True, slots=True)
class ModelTable:
    """The table of one kind of model, and that of the examples which it learns from. `changed`: what is noted
    when another version is in use. `counted`: which of the examples `e` are learned from; `ages`: they
    go with time as well, which takes no model along. `again`: the kind of the job that trains one without
    what was erased; "" where whoever erases sees to that."""

    models: str
    examples: str
    lane: str  # names the lock
    changed: str
    counted: str = "true"
    ages: bool = False
    again: str = ""

    def add_model(
        self,
        tx: Tx,
        at: Channel,
        model: bytes,
        *,
        embedder: str,
        examples: Collection[int],
        report: str,
        now: float,
        use: bool = True,
    ) -> int:
        """Stores a trained model as the next version; the oldest are dropped. The version.

        `examples`: the ids of those that it was made from. Where one was erased meanwhile, the model has its
        words in it, and is not kept. `use`: it is put to use, else what was in use stays.
        """
        self.lock(tx, at)
        version = self._insert(tx, at, model, embedder=embedder, rows=len(examples), report=report, now=now)
        if self._drop_outdated(tx, at, version, newest=max(examples, default=0)):
            self._train_again(tx, at)
        elif use:
            self.use_model(tx, at, version)
        self._drop_old(tx, at, version)
        audit.note(tx, "version trained", at.channel, team=at.team, detail=f"version {version}", now=now)
        return version

    def lock(self, tx: Tx, at: Channel) -> None:
        """For whoever changes a channel's models, or erases examples that one may just be made from."""
        tx.lock(f"{self.lane} {at.team}:{at.channel}")

    def _insert(
        self, tx: Tx, at: Channel, model: bytes, *, embedder: str, rows: int, report: str, now: float
    ) -> int:
        row = tx.one(
            f"""select coalesce(max(version), 0) + 1 as version from {self.models}
            where team = :team and channel = :channel""",
            **at.key,
        )
        assert row
        tx.run(
            f"""insert into {self.models}
            (team, channel, version, model, embedder, examples, report, in_use, trained_at) values
            (:team, :channel, :version, :model, :embedder, :rows, :report, 0, :now)""",
            version=row["version"],
            model=model,
            embedder=embedder,
            rows=rows,
            report=report,
            now=now,
            **at.key,
        )
        return int(row["version"])

    def _drop_old(self, tx: Tx, at: Channel, version: int) -> None:
        tx.run(
            f"""delete from {self.models} where team = :team and channel = :channel and version <= :oldest
            and in_use = 0""",
            oldest=version - MODELS_KEPT,
            **at.key,
        )

    def _drop_outdated(self, tx: Tx, at: Channel, version: int, *, newest: int) -> bool:
        dropped = tx.changed(
            f"""delete from {self.models} where team = :team and channel = :channel and version = :version
            and examples > (select count(*) from {self.examples} e
            where e.team = :team and e.channel = :channel and e.id <= :newest and {self.counted})""",
            version=version,
            newest=newest,
            **at.key,
        )
        return dropped > 0

    def use_model(self, tx: Tx, at: Channel, version: int) -> bool:
        """Puts a stored version to use; False when there is no such version."""
        self.lock(tx, at)
        found = tx.one(
            f"""select 1 as found from {self.models}
            where team = :team and channel = :channel and version = :version""",
            version=version,
            **at.key,
        )
        if found:
            tx.run(
                f"""update {self.models} set in_use = case when version = :version then 1 else 0 end
                where team = :team and channel = :channel""",
                version=version,
                **at.key,
            )
            changes.note(tx, self.changed)
        return bool(found)

    def roll_back(self, tx: Tx, at: Channel, version: int, *, by: str, now: float) -> bool:
        """Puts another stored version to use because a person wants it; False when there is no such
        version."""
        found = self.use_model(tx, at, version)
        if found:
            detail = f"version {version}"
            audit.note(tx, "version used", at.channel, team=at.team, person=by, detail=detail, now=now)
        return found

    def read_model(self, tx: Tx, at: Channel) -> dict[str, Any] | None:
        """version, model, embedder and trained_at of the one in use. None as well when an example it was
        trained on was erased since: its words are in the model."""
        row = tx.one(
            f"""select m.version, m.model, m.embedder, m.trained_at, m.examples, (select count(*) from
            {self.examples} e where e.team = m.team and e.channel = m.channel) as there from {self.models} m
            where m.team = :team and m.channel = :channel and m.in_use = 1""",
            **at.key,
        )
        return None if row is None or self._is_outdated(row) else row

    def find_in_use(self, tx: Tx, at: Channel) -> tuple[int, float] | None:
        """Which one `read_model` would give: its version, and when it was trained."""
        row = tx.one(
            f"""select m.version, m.trained_at, m.examples, (select count(*) from {self.examples} e
            where e.team = m.team and e.channel = m.channel) as there
            from {self.models} m where m.team = :team and m.channel = :channel and m.in_use = 1""",
            **at.key,
        )
        return None if row is None or self._is_outdated(row) else (row["version"], row["trained_at"])

    def _is_outdated(self, row: dict[str, Any]) -> bool:
        return not self.ages and bool(row["there"] < row["examples"])

    def list_models(self, tx: Tx, at: Channel) -> list[dict[str, Any]]:
        """version, embedder, examples, report, in_use, trained_at of each, newest first."""
        return tx.all(
            f"""select version, embedder, examples, report, in_use, trained_at from {self.models}
            where team = :team and channel = :channel order by version desc""",
            **at.key,
        )

    def drop_learned(self, tx: Tx, which: str, **values: Any) -> None:
        """Drops what was trained on examples that a condition names: they are to be erased. Where that was in
        use, another one is trained without them."""
        for row in tx.all(
            f"""select team, channel, min(added_at) as since from {self.examples} where {which}
            group by team, channel order by team, channel""",
            **values,
        ):
            at = Channel(row["team"], row["channel"])
            self.lock(tx, at)
            dropped = tx.all(
                f"""delete from {self.models} where team = :team and channel = :channel
                and trained_at >= :since returning in_use""",
                **row,
            )
            if dropped:
                changes.note(tx, self.changed)
            if any(one["in_use"] for one in dropped):
                self._train_again(tx, at)

    def _train_again(self, tx: Tx, at: Channel) -> None:
        """With what is left of its examples, in the transaction that took some."""
        if self.again:
            put_training(tx, at, self.again)
