"""Workspaces that the app was removed from, until what people said there is erased or the app is back."""

from __future__ import annotations

from typing import Any

from storage.engine import Tx


def note_removed(tx: Tx, team: str, *, now: float) -> None:
    """The app was removed from a workspace; the first time counts."""
    tx.run(
        "insert into removed_workspaces (team, at) values (:team, :now) on conflict (team) do nothing",
        team=team,
        now=now,
    )


def drop_removed(tx: Tx, team: str) -> None:
    """The app is in the workspace again, or nothing is left to be erased there."""
    tx.run("delete from removed_workspaces where team = :team", team=team)


def list_removed(tx: Tx) -> list[dict[str, Any]]:
    """team and at (unix seconds) of each."""
    return tx.all("select team, at from removed_workspaces order by at, team")


def was_heard(tx: Tx, team: str, *, since: float) -> bool:
    """Whether anybody's post came in from a workspace since then; jobs of our own are no sign of it."""
    return (
        tx.one(
            "select 1 as found from inbox where team = :team and received_at > :since and key like 'm:%'"
            " limit 1",
            team=team,
            since=since,
        )
        is not None
    )
