"""Trained models of channels' guards: how they are kept is storage/learning/models.py's."""

from __future__ import annotations

from storage.engine import Tx
from storage.guard.examples import TEACHES
from storage.learning.models import ModelTable
from storage.place import Channel
from storage.workers import changes

TABLE = ModelTable("guard_models", "guard_examples", lane="guard", changed=changes.MODELS, counted=TEACHES)
lock, drop_learned = TABLE.lock, TABLE.drop_learned
add_model = TABLE.add_model
use_model = TABLE.use_model
roll_back = TABLE.roll_back
read_model = TABLE.read_model
find_in_use = TABLE.find_in_use
list_models = TABLE.list_models


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
