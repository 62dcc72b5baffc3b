"""Policies of channels: what each is for, as JSON text (bot/guard/policy.py reads it)."""

from __future__ import annotations

from storage import audit
from storage.engine import Tx
from storage.place import Channel
from storage.workers import changes


def read_policy(tx: Tx, at: Channel) -> str | None:
    row = tx.one("select policy from guard_policies where team = :team and channel = :channel", **at.key)
    return None if row is None else str(row["policy"])


def read_changed_by(tx: Tx, at: Channel) -> str:
    """Who said last what a channel is for; "" where nobody did in Slack."""
    row = tx.one("select changed_by from guard_policies where team = :team and channel = :channel", **at.key)
    return "" if row is None else str(row["changed_by"])


def save_policy(tx: Tx, at: Channel, policy: str, *, by: str, what: str = "", now: float) -> None:
    """`what` changed in it, in words of ours."""
    tx.run(
        """insert into guard_policies (team, channel, policy, changed_by, changed_at)
        values (:team, :channel, :policy, :by, :now) on conflict (team, channel) do update set
        policy = excluded.policy, changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
        policy=policy,
        by=by,
        now=now,
        **at.key,
    )
    changes.note(tx, changes.POLICIES)
    audit.note(tx, "policy set", at.channel, team=at.team, person=by, detail=what, now=now)


def remove_policy(tx: Tx, at: Channel, *, by: str, now: float) -> bool:
    """Ends the guard of a channel; its examples and verdicts stay for the day it comes back."""
    gone = tx.changed("delete from guard_policies where team = :team and channel = :channel", **at.key)
    if gone:
        changes.note(tx, changes.POLICIES)
        audit.note(tx, "policy removed", at.channel, team=at.team, person=by, now=now)
    return bool(gone)
