"""Builds messages and the events Slack pushes to an app, each with a pure function.

Field names follow the payloads that Slack's own libraries publish as test material (bolt-python, node types);
tests/sandbox/test_fake_slack_shapes.py holds the lists. Interactions and commands are in payloads.py;
who gets what is decided elsewhere.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.state import APP, Message, Person, SlackChannel, Workspace

TOKEN = "sandbox-verification-token"  # the legacy field; nothing may rely on it


def envelope(ws: Workspace, event: dict[str, Any], *, event_id: str, shared: bool) -> dict[str, Any]:
    """The body around an event. `shared`: it happened in a channel shared with another company."""
    return {
        "token": TOKEN,
        "team_id": ws.team,
        "context_team_id": ws.team,
        "context_enterprise_id": ws.organisation if ws.org_wide else None,
        "api_app_id": APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(ws.clock()),
        "authorizations": [
            {
                "enterprise_id": ws.organisation if ws.org_wide else None,
                "team_id": None if ws.org_wide else ws.team,
                "user_id": ws.bot,
                "is_bot": True,
                "is_enterprise_install": ws.org_wide,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{event_id.lower()}",
    }


def person_message(person: Person, ts: str, text: str, blocks: list[Any]) -> Message:
    """A message as a person's client posts it."""
    n = int(ts.replace(".", ""))
    message: Message = {
        "user": person.id,
        "type": "message",
        "ts": ts,
        "client_msg_id": f"{n % 2**32:08x}-0000-4000-8000-{n:012x}"[:36],
        "text": text,
        "team": person.team,
        "blocks": blocks,
    }
    if person.stranger:
        message |= {
            "user_team": person.team,
            "source_team": person.team,
            "user_profile": person.profile(),
        }
    return message


def bot_message(ws: Workspace, ts: str, text: str, author: str = "") -> Message:
    """A message as an app posts it; `author` is the app's user, ours when empty."""
    bot = ws.people[author or ws.bot]
    return {
        "user": bot.id,
        "type": "message",
        "ts": ts,
        "bot_id": bot.bot_id,
        "app_id": bot.app_id,
        "text": text,
        "team": bot.team,
        "bot_profile": {
            "id": bot.bot_id,
            "deleted": False,
            "name": bot.name,
            "updated": 1_700_000_000,
            "app_id": bot.app_id,
            "user_id": bot.id,
            "icons": {},
            "team_id": bot.team,
        },
    }


def message(channel: SlackChannel, posted: Message) -> dict[str, Any]:
    return hide_internal(posted) | {
        "channel": channel.id,
        "event_ts": posted["ts"],
        "channel_type": channel.kind,
    }


def app_mention(channel: SlackChannel, posted: Message, *, bare: bool = False) -> dict[str, Any]:
    """`bare`: without files, blocks and attachments, which Slack sometimes leaves to the `message`."""
    event = hide_internal(posted) | {"type": "app_mention", "channel": channel.id, "event_ts": posted["ts"]}
    left_out = {"subtype", *(("files", "upload", "blocks", "attachments") if bare else ())}
    return {name: value for name, value in event.items() if name not in left_out}


def message_changed(channel: SlackChannel, now: Message, before: Message, ts: str) -> dict[str, Any]:
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": hide_internal(now),
        "previous_message": hide_internal(before),
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind,
    }


def message_deleted(channel: SlackChannel, before: Message, ts: str) -> dict[str, Any]:
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": hide_internal(before),
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": before["ts"],
        "event_ts": ts,
        "ts": ts,
        "channel_type": channel.kind,
    }


def hide_internal(posted: Message) -> Message:
    """A message without what Slack does not tell."""
    return {k: v for k, v in posted.items() if k not in _OURS}


_OURS = frozenset({"streaming"})


def reaction(
    kind: str, user: str, name: str, channel: SlackChannel, posted: Message, ts: str
) -> dict[str, Any]:
    """kind: reaction_added or reaction_removed."""
    return {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": posted["ts"]},
        "item_user": posted.get("user", ""),
        "event_ts": ts,
    }


def app_home_opened(
    user: str, channel: str, tab: str, ts: str, view: dict[str, Any] | None
) -> dict[str, Any]:
    """tab: home (with the view published there, if any) or messages."""
    event: dict[str, Any] = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel,
        "tab": tab,
        "event_ts": ts,
    }
    return event if view is None else event | {"view": view}


def app_context_changed(user: str, channel: str, ts: str, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "app_context_changed",
        "user": user,
        "channel": channel,
        "context": context,
        "event_ts": ts,
    }


def agent_session_stopped(
    user: str, channel: str, thread_ts: str, streaming: list[str], ts: str
) -> dict[str, Any]:
    return {
        "type": "agent_session_stopped",
        "user": user,
        "channel": channel,
        "thread_ts": thread_ts,
        "streaming_message_ts": streaming,
        "event_ts": ts,
    }


def member(
    kind: str, ws: Workspace, user: str, channel: SlackChannel, ts: str, inviter: str = ""
) -> dict[str, Any]:
    """kind: member_joined_channel (named is who invited them, if somebody did) or member_left_channel."""
    event = {
        "type": kind,
        "user": user,
        "channel": channel.id,
        "channel_type": "G" if channel.kind == "group" else "C",
        "team": ws.team,
        "event_ts": ts,
    }
    return event | ({"inviter": inviter} if inviter else {})
