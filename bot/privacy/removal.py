"""What people said goes when the app is removed from their workspace, at once or within fourteen days.

Slack's developer policy asks for the latter, whatever an operator would rather keep. The removal is written
down first, so that a process that dies over it, or is stopped, erases at its next start. An app that is back
in time keeps everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.settings import Settings
from storage.engine import Engine, Tx
from storage.privacy import forget, removal

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

    def erase(tx: Tx) -> int:
        erased = 0
        for removed in list_removed(tx, settings):
            if removal.was_heard(tx, removed.team, since=removed.at + STRAGGLERS_S):
                removal.drop_removed(tx, removed.team)
            elif removed.erased_at <= now:
                keep = settings.uninstalled == "keep"
                erased += forget.forget_team(tx, removed.team, keep_settings=keep, now=now)
                if removed.at + STRAGGLERS_S <= now:
                    removal.drop_removed(tx, removed.team)
        return erased

    if not await engine.read(removal.list_removed):
        return 0
    erased = await engine.write(erase)
    await engine.scrub()
    return erased
