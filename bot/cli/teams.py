"""Which workspace a channel is in, for commands that are told the channel alone."""

from __future__ import annotations

from bot.core.errors import SetupError
from storage.costs import ledger as ledger_rows
from storage.engine import Engine
from storage.knowledge import documents as rows

COMMAND_LINE = "cli"  # the workspace where none is known yet; the ledger has the same


async def find_team(engine: Engine, channel: str, *, in_slack: bool = False) -> str:
    """The workspace of a channel: where it has documents already, or the only one that is known.

    `in_slack`: people ask in Slack, where nobody would find what is filed under none: SetupError when there
    is none yet.
    """
    known = await engine.read(rows.list_teams, channel)
    known = known or [team for team in await engine.read(ledger_rows.teams) if team != COMMAND_LINE]
    if len(known) > 1:
        raise SetupError([f"{channel}: name the workspace with --team (one of {', '.join(known)})"])
    if not known and in_slack:
        about = channel or "--workspace"
        raise SetupError(
            [f"{about}: no workspace has asked Parley anything yet: name it with --team (its id, T0123…)"]
        )
    return known[0] if known else COMMAND_LINE
