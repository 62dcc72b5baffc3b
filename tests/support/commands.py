"""A slash command with what it showed, and a thread in which something was remembered."""

from __future__ import annotations

from handlers.slack.blocks import FORGET_ALL
from tests.support.rows import SECRET
from tests.support.workspace import Workspace


async def parley(team: Workspace, text: str, *, user: str = "alice", channel: str = "#general") -> str:
    """What the person was shown for a command, blocks and all."""
    delivery = await team.slack.command(user, channel, "/parley", text)
    assert delivery.acked
    assert delivery.response["response_type"] == "ephemeral", "for the asker's eyes only"
    return str(delivery.response)


async def forget_everything(team: Workspace, *, user: str = "alice", channel: str = "#general") -> str:
    """Has everything of a person forgotten, by the command and its button; what they are told."""
    await parley(team, "forget all", user=user, channel=channel)
    asked = team.slack.ephemerals(user)[-1]
    assert (await team.slack.press(user, channel, asked["ts"], FORGET_ALL)).acked

    def told() -> str:
        (now,) = [shown["text"] for shown in team.slack.ephemerals(user) if shown["ts"] == asked["ts"]]
        return "" if now == asked["text"] else str(now)

    return await team.slack.until(told)


async def tell_in_thread(
    team: Workspace, text: str = SECRET, *, user: str = "alice", channel: str = "#general"
) -> str:
    """Has somebody tell Parley something to remember; the thread it stands in."""
    thread = await team.ask(f"@parley remember {text}", user=user, channel=channel)
    await team.answer(channel, thread)
    await team.quiet()
    return thread
