"""Builds the interactions and commands that Slack pushes to an app, each with a pure function."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.delivery.events import TOKEN, hide_internal
from bot.sandbox.slack.state import APP, Message, Person, SlackChannel, Workspace


def _who(ws: Workspace, person: Person) -> dict[str, Any]:
    return {
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team},
        **_where(ws),
        "api_app_id": APP,
        "token": TOKEN,
    }


def _where(ws: Workspace) -> dict[str, Any]:
    """Where the app is installed. For a whole organisation no workspace is named.

    Source: slack_bolt.request.internals.extract_team_id, on org-wide installations.
    """
    if ws.org_wide:
        organisation = {"id": ws.organisation, "name": f"{ws.name} organisation"}
        return {"team": None, "enterprise": organisation, "is_enterprise_install": True}
    return {
        "team": {"id": ws.team, "domain": ws.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def block_actions(
    ws: Workspace, person: Person, action: dict[str, Any], *, trigger_id: str
) -> dict[str, Any]:
    """Without its place: add `in_message` or `in_view`."""
    return {"type": "block_actions", **_who(ws, person), "trigger_id": trigger_id, "actions": [action]}


def in_message(
    channel: SlackChannel, posted: Message, *, response_url: str, ephemeral: bool
) -> dict[str, Any]:
    container = {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if "thread_ts" in posted:
        container["thread_ts"] = posted["thread_ts"]
    place: dict[str, Any] = {
        "container": container,
        "channel": {"id": channel.id, "name": _shown_name(channel)},
        "response_url": response_url,
        "state": {"values": {}},
    }
    # An ephemeral message is not kept by Slack, so it cannot be shown again.
    return place if ephemeral else place | {"message": hide_internal(posted)}


def in_view(view: dict[str, Any]) -> dict[str, Any]:
    return {"container": {"type": "view", "view_id": view["id"]}, "view": view}


def view_submission(
    ws: Workspace, person: Person, view: dict[str, Any], *, trigger_id: str
) -> dict[str, Any]:
    return {
        "type": "view_submission",
        **_who(ws, person),
        "trigger_id": trigger_id,
        "view": view,
        "response_urls": [],
    }


def view_closed(ws: Workspace, person: Person, view: dict[str, Any], *, cleared: bool) -> dict[str, Any]:
    return {"type": "view_closed", **_who(ws, person), "view": view, "is_cleared": cleared}


def message_action(
    ws: Workspace, person: Person, channel: SlackChannel, posted: Message, **given: str
) -> dict[str, Any]:
    """`given`: callback_id, trigger_id, response_url, action_ts."""
    return {
        "type": "message_action",
        **_who(ws, person),
        **given,
        "channel": {"id": channel.id, "name": _shown_name(channel)},
        "message_ts": posted["ts"],
        "message": hide_internal(posted),
    }


def shortcut(ws: Workspace, person: Person, **given: str) -> dict[str, Any]:
    """`given`: callback_id, trigger_id, action_ts."""
    return {"type": "shortcut", **_who(ws, person), **given}


def command(ws: Workspace, person: Person, channel: SlackChannel, **given: str) -> dict[str, Any]:
    """`given`: command, text, trigger_id, response_url."""
    return {
        "token": TOKEN,
        "team_id": ws.team,
        "team_domain": ws.domain,
        "channel_id": channel.id,
        "channel_name": _shown_name(channel),
        "user_id": person.id,
        "user_name": person.name,
        "api_app_id": APP,
        **({"enterprise_id": ws.organisation} if ws.org_wide else {}),
        "is_enterprise_install": "true" if ws.org_wide else "false",
        **given,
    }


def _shown_name(channel: SlackChannel) -> str:
    if channel.kind == "im":
        return "directmessage"
    return "privategroup" if channel.kind == "group" else channel.name
