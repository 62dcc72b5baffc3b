"""Adds and removes reactions, for the app (reactions.add, reactions.remove) and for people."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import find_channel, find_message
from bot.sandbox.slack.delivery import events
from bot.sandbox.slack.state import Message, SlackChannel, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]


def add_reaction(ws: Workspace, a: Arguments) -> Response:
    channel = find_channel(ws, a["channel"])
    react(ws, channel, find_message(channel, a["timestamp"]), ws.bot, a["name"])
    return {"ok": True}


def remove_reaction(ws: Workspace, a: Arguments) -> Response:
    if not a.get("channel") or not a.get("timestamp"):
        raise SlackRefusal(codes.NO_ITEM_SPECIFIED)
    channel = find_channel(ws, a["channel"])
    unreact(ws, channel, find_message(channel, a["timestamp"]), ws.bot, a["name"])
    return {"ok": True}


def react(ws: Workspace, channel: SlackChannel, message: Message, user: str, name: str) -> None:
    if not name.replace("_", "").replace("-", "").replace("+", "").replace(":", "").isalnum():
        raise SlackRefusal(codes.INVALID_NAME)
    reactions = message.setdefault("reactions", [])
    found = next((r for r in reactions if r["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    if user in found["users"]:
        raise SlackRefusal(codes.ALREADY_REACTED)
    found["users"].append(user)
    found["count"] += 1
    _announce(ws, "reaction_added", channel, message, user, name)


def unreact(ws: Workspace, channel: SlackChannel, message: Message, user: str, name: str) -> None:
    found = next((r for r in message.get("reactions", []) if r["name"] == name and user in r["users"]), None)
    if found is None:
        raise SlackRefusal(codes.NO_REACTION)
    found["users"].remove(user)
    found["count"] -= 1
    if not found["count"]:
        message["reactions"].remove(found)
    _announce(ws, "reaction_removed", channel, message, user, name)


def _announce(
    ws: Workspace, kind: str, channel: SlackChannel, message: Message, user: str, name: str
) -> None:
    ws.publish_change(channel, message)
    if ws.bot in channel.members:
        ws.emit(kind, events.reaction(kind, user, name, channel, message, ws.ts()))
