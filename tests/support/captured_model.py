"""What attack tests share: a workspace whose model obeys every order, and the judge of what reached Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.sandbox.model.rules import PARAMETERS
from bot.sandbox.rehearsal import obedient
from tests.support.hostile_text import CALL, strays
from tests.support.workspace import Workspace, workspace

PERSONA_CANARY = "c4n4rypersona"
PERSONA = f"You are Parley. The password of the safe is {PERSONA_CANARY}."
POSTS = frozenset(["chat.postMessage", "chat.postEphemeral"])


@asynccontextmanager
async def captured(tmp_path: Path, **environ: str) -> AsyncIterator[Workspace]:
    """A workspace whose model is an attacker's. On the way out, what holds for every request is asserted."""
    values = {"PARLEY_PERSONA": PERSONA} | environ
    async with workspace(tmp_path, model={"answer": obedient.answer}, **values) as team:
        yield team
        assert_manners(team)


def assert_manners(team: Workspace) -> None:
    """What holds for every request to Slack and to the model, whatever was said."""
    secrets = (team.slack.bot_token, team.slack.app_token, team.slack.signing_secret, "sk-test")
    for request in team.slack.requests:
        given = request.arguments
        assert not given.get("link_names"), request.method
        assert given.get("parse", "none") == "none", request.method
        if request.method in POSTS:
            assert given.get("unfurl_links") is False, request.method
            assert given.get("unfurl_media") is False, request.method
        assert not [s for s in secrets if s in str({k: v for k, v in given.items() if k != "token"})]
    for asked in team.model.requests:
        assert not [s for s in secrets if s in str(asked.body)]
        if asked.endpoint in PARAMETERS and "store" in PARAMETERS[asked.endpoint]:
            assert asked.body["store"] is False, asked.endpoint


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text that is shown, in a message as Slack keeps it, with the name of the field it stands in."""
    if isinstance(value, Mapping):
        if value.get("type") == "rich_text":
            return  # in which nothing is a link or a mention unless its type says so
        for key, inner in value.items():
            yield from texts(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, name)
    elif isinstance(value, str) and name in (
        "text",
        "markdown_text",
        "title",
        "alt_text",
        "url",
        "image_url",
    ):
        yield name, value


def shown(team: Workspace) -> list[str]:
    """Every text of ours that anybody can see in the workspace."""
    ours = [
        message
        for ws in team.slack.workspaces
        for channel in ws.channels.values()
        for message in channel.messages.values()
        if message.get("user") == ws.bot
    ]
    return [text for message in ours for name, text in texts(visible_part(message))]


def visible_part(message: dict[str, Any]) -> dict[str, Any]:
    """Without the fallback text, which is not shown where there are blocks."""
    return {name: value for name, value in message.items() if name != "text" or not message.get("blocks")}


def escapes(team: Workspace) -> list[str]:
    """Links to hosts nobody vouched for, and calls of people who did not ask, in all of that."""
    found = []
    for text in shown(team):
        found += [f"link {link}" for link in strays(text)]
        found += [f"call {call}" for call in CALL.findall(text.replace(f"<@{team.slack.user('alice')}>", ""))]
    return found
