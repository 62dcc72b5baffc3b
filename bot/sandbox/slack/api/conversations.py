"""The Web API's conversations.* and users.conversations: history, threads, channels and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import find_channel
from bot.sandbox.slack.api.paging import next_cursor, page
from bot.sandbox.slack.state import Message, SlackChannel, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]


def check_scope(ws: Workspace, channel: SlackChannel, what: str) -> None:
    """A scope that depends on the kind of conversation. `what`: history or read."""
    scope = f"{limits.SCOPE_PREFIX[channel.kind]}:{what}"
    if scope not in ws.scopes:
        raise SlackRefusal(codes.MISSING_SCOPE, needed=scope, provided=",".join(sorted(ws.scopes)))


# -- messages


def hide_internal(message: Message, all_metadata: bool) -> Message:
    """A message as history shows it."""
    hidden = ("streaming",) if all_metadata else ("streaming", "metadata")
    return {k: v for k, v in message.items() if k not in hidden}


def _is_within(ts: str, a: Arguments) -> bool:
    oldest, latest, inclusive = a.get("oldest", ""), a.get("latest", ""), a.get("inclusive", False)
    if inclusive and ts in (oldest, latest):
        return True
    return (not oldest or _us(ts) > _us(oldest)) and (not latest or _us(ts) < _us(latest))


def _us(ts: str) -> int:
    try:
        return round(float(ts) * 1_000_000)
    except ValueError:
        raise SlackRefusal(codes.INVALID_TS_LATEST) from None


def _find_readable(ws: Workspace, id: Any) -> SlackChannel:
    channel = find_channel(ws, id)
    check_scope(ws, channel, "history")
    if ws.bot not in channel.members:
        raise SlackRefusal(codes.NOT_IN_CHANNEL)
    return channel


def history(ws: Workspace, a: Arguments) -> Response:
    channel = _find_readable(ws, a["channel"])
    # Replies are not part of a channel's history unless they were broadcast.
    roots = [
        m for ts, m in reversed(channel.messages.items())
        if m.get("thread_ts", ts) == ts and _is_within(ts, a) and ws.is_readable(ts)
    ]  # fmt: skip
    return _messages(ws, roots, a) | {"pin_count": 0}


def replies(ws: Workspace, a: Arguments) -> Response:
    channel = _find_readable(ws, a["channel"])
    found_message = channel.messages.get(a["ts"])
    if found_message is None or not ws.is_readable(a["ts"]):
        raise SlackRefusal(codes.THREAD_NOT_FOUND)
    root: str = found_message.get("thread_ts") or found_message["ts"]
    # The root comes with every page, whatever the span.
    found = [
        m for m in ws.thread(channel, root)
        if m["ts"] == root or (_is_within(m["ts"], a) and ws.is_readable(m["ts"]))
    ]  # fmt: skip
    return _messages(ws, found, a)


def _messages(ws: Workspace, found: Sequence[Message], a: Arguments) -> Response:
    if ws.distributed:
        a = {**a, "limit": min(int(a.get("limit", 0)) or limits.DISTRIBUTED_PAGE, limits.DISTRIBUTED_PAGE)}
    found, cursor = page(found, a)
    answer: Response = {
        "ok": True,
        "messages": [hide_internal(m, bool(a.get("include_all_metadata"))) for m in found],
        "has_more": bool(cursor),
    }
    return answer | (next_cursor(cursor) if cursor else {})


# -- conversations


def about_channel(ws: Workspace, channel: SlackChannel) -> Response:
    """A conversation object. Source: docs.slack.dev/reference/objects/conversation-object"""
    shared = bool(channel.shared_with)
    base: Response = {
        "id": channel.id,
        "created": channel.created,
        codes.IS_ARCHIVED: channel.archived,
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_org_shared": False,
        "updated": channel.created * 1000,
        "context_team_id": ws.team,
    }
    if channel.kind == "im":
        other = next(user for user in channel.members if user != ws.bot)
        return base | {"user": other, "is_user_deleted": False, "priority": 0, "is_open": True}
    return base | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_private": channel.kind == "group",
        "is_general": channel.name == "general",
        "is_member": ws.bot in channel.members,
        "is_shared": shared,
        "is_ext_shared": shared,
        "is_pending_ext_shared": False,
        "shared_team_ids": [ws.team, channel.shared_with] if shared else [ws.team],
        "connected_team_ids": [channel.shared_with] if shared else [],
        "creator": next(iter(channel.members), ""),
        "unlinked": 0,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
        "previous_names": [],
    }


def conversation_info(ws: Workspace, a: Arguments) -> Response:
    channel = find_channel(ws, a["channel"])
    check_scope(ws, channel, "read")
    about = about_channel(ws, channel)
    if a.get("include_num_members"):
        about["num_members"] = len(channel.members)
    return {"ok": True, "channel": about}


_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def _kinds(ws: Workspace, a: Arguments) -> set[str]:
    types = str(a.get("types") or "public_channel").replace(" ", "").split(",")
    if not set(types) <= _TYPES.keys():
        raise SlackRefusal(codes.INVALID_TYPES)
    kinds = {_TYPES[t] for t in types}
    for kind in sorted(kinds):
        if f"{limits.SCOPE_PREFIX[kind]}:read" not in ws.scopes:
            needed = f"{limits.SCOPE_PREFIX[kind]}:read"
            raise SlackRefusal(codes.MISSING_SCOPE, needed=needed, provided=",".join(sorted(ws.scopes)))
    return kinds


def conversation_list(ws: Workspace, a: Arguments) -> Response:
    kinds = _kinds(ws, a)
    found = [
        c
        for c in ws.channels.values()
        if c.kind in kinds
        and (c.kind == "channel" or ws.bot in c.members)
        and not (a.get("exclude_archived") and c.archived)
    ]
    found, cursor = page(found, a)
    return {"ok": True, "channels": [about_channel(ws, c) for c in found], **next_cursor(cursor)}


def user_conversations(ws: Workspace, a: Arguments) -> Response:
    kinds = _kinds(ws, a)
    user = a.get("user", ws.bot)
    if user not in ws.people:
        raise SlackRefusal(codes.USER_NOT_FOUND)
    found = [
        c
        for c in ws.channels.values()
        if c.kind in kinds
        and user in c.members
        and (c.kind == "channel" or ws.bot in c.members)
        and not (a.get("exclude_archived") and c.archived)
    ]
    found, cursor = page(found, a)
    return {"ok": True, "channels": [about_channel(ws, c) for c in found], **next_cursor(cursor)}


def members(ws: Workspace, a: Arguments) -> Response:
    channel = find_channel(ws, a["channel"])
    check_scope(ws, channel, "read")
    found, cursor = page(list(channel.members), a)
    return {"ok": True, "members": found, **next_cursor(cursor)}


def open_conversation(ws: Workspace, a: Arguments) -> Response:
    if channel := ws.channels.get(a.get("channel", "")):
        return {"ok": True, "no_op": True, "already_open": True, "channel": {"id": channel.id}}
    users = [user for user in str(a.get("users", "")).split(",") if user]
    if not users:
        raise SlackRefusal(codes.USERS_LIST_NOT_SUPPLIED)
    if not all(user in ws.people for user in users):
        raise SlackRefusal(codes.USER_NOT_FOUND)
    if len(users) > 1:
        raise SlackRefusal(codes.METHOD_NOT_SUPPORTED_FOR_CHANNEL_TYPE)  # group DMs are not imitated
    channel = ws.direct(users[0])
    about = about_channel(ws, channel) if a.get("return_im") else {"id": channel.id}
    return {"ok": True, "no_op": True, "already_open": True, "channel": about}
