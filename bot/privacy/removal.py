"""What people said goes when the app is removed from their workspace, at once or within fourteen days.

Slack's developer policy asks for the latter, whatever an operator would rather keep. The removal is written
down first, so that a process that dies over it, or is stopped, erases at its next start. An app that is back
in time keeps everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.settings import Settings
from bot.privacy.portions import thin_out
from storage.engine import Engine, Tx
from storage.privacy import forget, removal
from storage.privacy.portions import Whose

DAY_S = 86_400.0
# Of the fourteen days one is left for a bot that does not run just then.
GRACE_S = 13 * DAY_S
# Deliveries that were under way when the app was removed; what they bring is erased as well.
STRAGGLERS_S = 3600.0


@dataclass(frozen=True, slots=True)
class RemovedWorkspace:
    """One that the app was removed from; times in unix seconds."""

    team: str
    at: float
    erased_at: float  # when what people said goes


def list_removed(tx: Tx, settings: Settings) -> list[RemovedWorkspace]:
    """Each workspace whose words are still to be erased."""
    grace_s = GRACE_S if settings.uninstalled == "keep" else 0.0
    return [RemovedWorkspace(row["team"], row["at"], row["at"] + grace_s) for row in removal.list_removed(tx)]


async def erase_removed(engine: Engine, settings: Settings, *, now: float) -> int:
    """Erases what is due of workspaces that the app was removed from; how many messages."""

    found = await engine.read(list_removed, settings)
    erased = 0
    for removed in found:
        heard = await engine.read(_was_heard, removed)
        whose = Whose(removed.team)
        thinned = 0 if heard or removed.erased_at > now else await thin_out(engine, whose, now=now)
        erased += await engine.write_aside(_settle, removed, settings, erased=thinned, now=now)
    if found:
        await engine.scrub()
    return erased


def _was_heard(tx: Tx, removed: RemovedWorkspace) -> bool:
    return removal.was_heard(tx, removed.team, since=removed.at + STRAGGLERS_S)


def _settle(tx: Tx, removed: RemovedWorkspace, settings: Settings, *, erased: int, now: float) -> int:
    """What becomes of one workspace, unless the app is back by now; how many messages are erased."""
    if removed not in list_removed(tx, settings):
        return erased
    if _was_heard(tx, removed):
        removal.drop_removed(tx, removed.team)
    elif removed.erased_at <= now:
        keep = settings.uninstalled == "keep"
        erased = forget.forget_team(tx, removed.team, keep_settings=keep, erased=erased, now=now)
        if removed.at + STRAGGLERS_S <= now:
            removal.drop_removed(tx, removed.team)
    return erased
