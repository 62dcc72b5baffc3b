"""A channel that keeps to the kitchen: its form filled in, its examples taught, what it answers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.engines import copy_database
from tests.support.guard_rows import TopicSplit, topic_split
from tests.support.made_once import database_made_once
from tests.support.rows import FILE
from tests.support.workspace import Workspace, workspace

PURPOSE = "cooking, recipes and restaurant tables"
CARD = "when is my next credit card payment due"


@cache
def kitchen() -> TopicSplit:
    return topic_split("kitchen_and_dining", 45, 0)


def is_answer(asked: Any) -> bool:
    """A question put to the model for an answer, not for a verdict."""
    return "response_format" not in asked.body


def verdict(probability: float) -> str:
    return json.dumps({"belongs": probability >= 0.5, "probability": probability})


async def opened(team: Workspace, user: str = "alice", channel: str = "#general") -> dict[str, Any]:
    """The window after /parley settings, once it is filled."""
    await team.slack.command(user, channel, "/parley", "settings")
    return await filled(team, user)


async def filled(team: Workspace, user: str = "alice", *, depth: int = 1) -> dict[str, Any]:
    def top() -> dict[str, Any] | None:
        views = team.slack.modals(user)
        return views[-1] if len(views) == depth and "One moment" not in str(views[-1]) else None

    return await team.slack.until(top)


async def save(team: Workspace, user: str = "alice", channel: str = "#general", **given: str) -> str:
    """Fills in the form and sends it; what the window says then."""
    await opened(team, user, channel)
    await team.slack.submit(user, given)
    view = await filled(team, user)
    assert "errors" not in view, view["errors"]
    said = str(view["blocks"])
    await team.slack.close_modal(user)
    return said


async def teach(team: Workspace, **given: str) -> None:
    """The kitchen in force in #general, and learned."""
    examples = {"belongs": "\n".join(kitchen().on), "does_not": "\n".join(kitchen().off[250:310])}
    await save(team, **{"purpose": PURPOSE, "shadow": "false", **examples, **given})
    await team.quiet()


async def copy_taught(folder: Path) -> None:
    """A database in which the kitchen is in force in #general and learned, made once; for a workspace that
    is to be started in this folder."""
    copy_database(await database_made_once("taught", _teach_anew), folder / FILE)


async def _teach_anew(folder: Path) -> None:
    async with workspace(folder) as team:
        await teach(team)


async def said(team: Workspace, text: str, *, user: str = "bob", thread: str = "") -> tuple[str, str]:
    """The answer to a message in #general, and the thread it stands in."""
    before = len(team.said("#general", thread)) if thread else 0
    thread = await team.ask(f"@parley {text}", user=user, thread=thread)
    answer = await team.answer("#general", thread, count=before + 1)
    await team.quiet()
    return answer, thread


async def why(team: Workspace, user: str, thread: str, ts: str) -> dict[str, Any]:
    if team.slack.modals(user):
        await team.slack.close_modal(user)
    await team.slack.shortcut(user, "why", channel="#general", ts=ts)
    return await filled(team, user)
