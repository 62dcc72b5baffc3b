"""Builds the events that tell of files, channels and people that changed, each with a pure function.

Field names follow java-slack-sdk's json-logs and the pages of docs.slack.dev/reference/events; what a page
lists as optional is left out.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.state import SlackChannel


def file_shared(user: str, file: str, channel: str, ts: str) -> dict[str, Any]:
    return {
        "type": "file_shared",
        "channel_id": channel,
        "file_id": file,
        "user_id": user,
        "file": {"id": file},
        "event_ts": ts,
    }


def file_unshared(user: str, file: str, channel: str, ts: str) -> dict[str, Any]:
    return file_shared(user, file, channel, ts) | {"type": "file_unshared"}


def file_changed(user: str, file: str, ts: str) -> dict[str, Any]:
    return {
        "type": "file_change",
        "file_id": file,
        "user_id": user,
        "file": {"id": file},
        "event_ts": ts,
    }


def file_deleted(file: str, ts: str) -> dict[str, Any]:
    """It names neither who did it nor where the file was."""
    return {"type": "file_deleted", "file_id": file, "event_ts": ts}


def channel_event(kind: str, channel: SlackChannel, user: str, ts: str) -> dict[str, Any]:
    """kind: archive, unarchive, deleted or left. Of a private channel it is a group's."""
    family = "group" if channel.kind == "group" else "channel"
    event = {"type": f"{family}_{kind}", "channel": channel.id, "event_ts": ts}
    return event | ({"user": user, "is_moved": 0} if kind.endswith("archive") else {})


def channel_shared(channel: SlackChannel, team: str, ts: str) -> dict[str, Any]:
    return {"type": "channel_shared", "connected_team_id": team, "channel": channel.id, "event_ts": ts}


def channel_unshared(channel: SlackChannel, team: str, ts: str) -> dict[str, Any]:
    return {
        "type": "channel_unshared",
        "previously_connected_team_id": team,
        "channel": channel.id,
        "is_ext_shared": False,
        "event_ts": ts,
    }


def user_changed(about: dict[str, Any], now: float, ts: str) -> dict[str, Any]:
    """`about`: the whole user as users.info tells it; nothing says what changed."""
    return {"type": "user_change", "user": about, "cache_ts": int(now), "event_ts": ts}
