"""Documents of a running workspace: dropped, added, and looked for in the index."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.core.values import Scope
from bot.knowledge.index import DocumentIndex
from bot.sandbox.slack.people.acts import FileUpload
from handlers.knowledge.sources import METADATA
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import Document
from tests.support.spending import run_command
from tests.support.workspace import Workspace

RULES = "# Parking\n\nBicycles are parked behind the greenhouse.\n\n# Lunch\n\nLunch is at noon."
QUESTION = "Where are bicycles parked?"


async def drop_file(
    team: Workspace,
    name: str = "rules.md",
    content: str | bytes = RULES,
    *,
    user: str = "alice",
    channel: str = "#general",
    thread: str = "",
) -> str:
    """Drops a file into a conversation; the message's id."""
    raw = content.encode() if isinstance(content, str) else content
    return await team.slack.say(user, channel, "", files=[FileUpload(name, raw)], thread_ts=thread or None)


async def take_in(
    team: Workspace,
    name: str = "rules.md",
    content: str | bytes = RULES,
    *,
    user: str = "alice",
    channel: str = "#general",
    words: str = "knowledge add",
) -> str:
    """Drops a file and has it taken in; the message that it stands in."""
    dropped = await drop_file(team, name, content, user=user, channel=channel)
    await run_command(team, user, words, channel)
    place = team.slack.dm(user) if channel == "@parley" else channel
    await until_settled(team, place, dropped)
    return dropped


async def until_settled(team: Workspace, channel: str, thread: str) -> str:
    """The last card of a thread, once it tells how it ended."""
    ends = ("can be asked about", "was not taken in", "removed", "nothing has changed")

    def ended() -> str:
        shown = [card["text"] for card in cards(team, channel, thread)]
        return str(shown[-1]) if shown and any(end in shown[-1] for end in ends) else ""

    return await team.slack.until(ended)


def cards(team: Workspace, channel: str, thread: str) -> list[dict[str, Any]]:
    """The cards of documents in a thread."""
    return [m for m in team.slack.thread(channel, thread) if _is_card(m)]


async def card_of(team: Workspace, channel: str, *told: str) -> dict[str, Any]:
    """The card in a conversation, in whichever thread, that tells all of this."""
    place = team.slack.workspace.channels[team.slack.channel(channel)]

    def shown() -> dict[str, Any] | None:
        every = (message for message in place.messages.values() if _is_card(message))
        return next((one for one in every if all(word in str(one["text"]) for word in told)), None)

    return dict(await team.slack.until(shown))


def _is_card(message: dict[str, Any]) -> bool:
    return (message.get("metadata") or {}).get("event_type") == METADATA


def audience(team: Workspace, channel: str, user: str = "alice", *, workspace: bool = True) -> Audience:
    """From where this person asks."""
    place = team.slack.dm(user) if channel == "@parley" else team.slack.channel(channel)
    person = team.slack.user(user) if channel == "@parley" else ""
    return Audience(team.slack.team, place, "", person=person, workspace=workspace)


async def found(team: Workspace, question: str, asked_from: Audience) -> list[str]:
    """The texts that are found there."""
    index = DocumentIndex(team.bot.services.engine)
    scope = Scope(asked_from.team, asked_from.channel, "", "", "embedding")
    return [hit.passage.text for hit in await index.search(asked_from, [question], scope=scope)]


async def until_true(check: Callable[[], Awaitable[bool]], *, every_s: float = 0.05) -> None:
    """Returns when it holds; TimeoutError when it does not within a minute."""
    for _ in range(round(60 / every_s)):
        if await check():
            return
        await asyncio.sleep(every_s)
    raise TimeoutError


async def documents(team: Workspace, asked_from: Audience) -> list[Document]:
    """What is there, in every state."""
    return await team.bot.services.documents.list_at(asked_from)
