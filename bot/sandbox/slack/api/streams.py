"""The Web API's chat.startStream, appendStream and stopStream, with the rules that end a stream early.

A stream dies by itself some five minutes after its start; appends and stop then fail with
message_not_in_streaming_state. When a person pressed stop, appends fail with
stopped_by_user, and stopStream still closes the message.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal, check_blocks, check_chunks, check_metadata
from bot.sandbox.slack.api.chat import (
    Arguments,
    Response,
    check_root,
    find_message,
    note_change,
    number_block,
    open_channel,
    post,
)
from bot.sandbox.slack.api.sessions import put_session
from bot.sandbox.slack.delivery import events
from bot.sandbox.slack.state import SlackChannel, SlackStream, Workspace


def start(ws: Workspace, a: Arguments) -> Response:
    channel = open_channel(ws, a["channel"])
    if channel.kind != "im":
        _check_recipient(ws, a)
    if a.get("task_display_mode", "timeline") not in limits.TASK_DISPLAY_MODES:
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS, "must be timeline, plan or dense [json-pointer:/task_display_mode]"
        )
    check_root(channel, a["thread_ts"])
    parts = _read_parts(a)
    message = events.bot_message(ws, ws.ts(), "")
    message["thread_ts"] = a["thread_ts"]
    message["parent_user_id"] = channel.messages[a["thread_ts"]].get("user", "")
    message["blocks"] = []
    message["streaming"] = True
    stream = SlackStream(channel.id, message["ts"], a["thread_ts"], ws.clock(), parts=message["blocks"])
    _add(stream, message, parts)
    ws.streams[channel.id, stream.ts] = stream
    post(ws, channel, message)
    return {"ok": True, "channel": channel.id, "ts": stream.ts}


def _check_recipient(ws: Workspace, a: Arguments) -> None:
    if not a.get("recipient_team_id"):
        raise SlackRefusal(codes.MISSING_RECIPIENT_TEAM_ID)
    if not a.get("recipient_user_id"):
        raise SlackRefusal(codes.MISSING_RECIPIENT_USER_ID)
    person = ws.people.get(a["recipient_user_id"])
    if person is None or a["recipient_team_id"] not in (person.team, ws.team):
        raise SlackRefusal(codes.USER_NOT_FOUND)


def append(ws: Workspace, a: Arguments) -> Response:
    channel, stream = _find_running(ws, a)
    if stream.stopped_by_user:
        raise SlackRefusal(codes.STOPPED_BY_USER)
    parts = _read_parts(a)
    if not parts:
        raise SlackRefusal(codes.NO_TEXT)
    message = channel.messages[stream.ts]
    _add(stream, message, parts)
    ws.publish({"type": "append", "channel": channel.id, "ts": stream.ts, "parts": parts})
    return {"ok": True, "channel": channel.id, "ts": stream.ts}


def stop(ws: Workspace, a: Arguments) -> Response:
    channel, stream = _find_running(ws, a)
    status = a.get("session_status")
    if status is not None and status not in limits.SESSION_STATUSES:
        raise SlackRefusal(codes.INVALID_ARGUMENTS, "unknown status [json-pointer:/session_status]")
    blocks = check_blocks(a.get("blocks") or [], too_many=codes.MSG_BLOCKS_TOO_MANY)
    message = channel.messages[stream.ts]
    before = dict(message)
    if a.get("metadata"):
        message["metadata"] = check_metadata(a["metadata"])
    _add(stream, message, _read_parts(a))
    if blocks:
        message["blocks"] = [number_block(block, n) for n, block in enumerate([*message["blocks"], *blocks])]
    ws.close_stream(stream)
    note_change(ws, channel, message, before)
    if status is not None:
        put_session(ws, channel.id, message["thread_ts"], status)
    return {"ok": True, "channel": channel.id, "ts": stream.ts, "message": message}


def _find_running(ws: Workspace, a: Arguments) -> tuple[SlackChannel, SlackStream]:
    channel = open_channel(ws, a["channel"])
    message = find_message(channel, a["ts"])
    if message.get("bot_id") != ws.bot_id:
        raise SlackRefusal(codes.MESSAGE_NOT_OWNED_BY_APP)
    stream = ws.streams.get((channel.id, a["ts"]))
    if stream and ws.clock() - stream.started_at >= limits.STREAM_LIFE_S:
        ws.end_stream(stream)
        stream = None
    if stream is None:
        raise SlackRefusal(codes.MESSAGE_NOT_IN_STREAMING_STATE)
    return channel, stream


def _read_parts(a: Arguments) -> list[dict[str, Any]]:
    """What is to be added, as chunks; markdown_text is one chunk."""
    markdown, chunks = a.get("markdown_text"), a.get("chunks")
    if markdown and chunks:
        raise SlackRefusal(codes.MARKDOWN_TEXT_CONFLICT)
    if chunks is not None:
        return check_chunks(chunks)
    if not markdown:
        return []
    if len(markdown) > limits.MARKDOWN_TEXT_CHARS:
        raise SlackRefusal(codes.MSG_TOO_LONG)
    return [{"type": "markdown_text", "text": markdown}]


def _add(stream: SlackStream, message: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    """Grow the message: neighbouring text becomes one block, a task is one card however often it changes."""
    chars = stream.chars + sum(len(part.get("text", "")) for part in parts)
    if chars > limits.STREAM_TEXT_CHARS:
        raise SlackRefusal(codes.MSG_TOO_LONG)
    stream.chars = chars
    blocks = stream.parts
    for part in parts:
        if part["type"] == "markdown_text":
            message["text"] += part["text"]
            if blocks and blocks[-1]["type"] == "markdown":
                blocks[-1]["text"] += part["text"]
            else:
                blocks.append({"type": "markdown", "text": part["text"]})
        elif part["type"] == "blocks":
            blocks.extend(dict(block) for block in part["blocks"])
        else:
            _card(blocks, part)


def _card(blocks: list[dict[str, Any]], part: dict[str, Any]) -> None:
    if part["type"] == "plan_update":
        card = {"type": "plan", "title": part["title"]}
        same = [b for b in blocks if b["type"] == "plan"]
    else:
        card = {
            "type": "task_card",
            "task_id": part["id"],
            **{k: v for k, v in part.items() if k not in ("type", "id")},
        }
        same = [b for b in blocks if b.get("task_id") == part["id"]]
    if same:
        same[0].update(card)
    else:
        blocks.append(card)
