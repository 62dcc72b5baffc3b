"""A slash command with what it showed, and a thread in which something was remembered."""

from __future__ import annotations

from tests.support.rows import SECRET
from tests.support.workspace import Workspace


async def parley(team: Workspace, text: str, *, user: str = "alice", channel: str = "#general") -> str:
    """What the person was shown for a command, blocks and all."""
    delivery = await team.slack.command(user, channel, "/parley", text)
    assert delivery.acked
    assert delivery.response["response_type"] == "ephemeral", "for the asker's eyes only"
    return str(delivery.response)


async def tell_in_thread(
    team: Workspace, text: str = SECRET, *, user: str = "alice", channel: str = "#general"
) -> str:
    """Has somebody tell Parley something to remember; the thread it stands in."""
    thread = await team.ask(f"@parley remember {text}", user=user, channel=channel)
    await team.answer(channel, thread)
    await team.quiet()
    return thread
