"""The Web API's chat.* methods that post, change and remove messages. Streams are in streams.py.

A method is `f(ws, arguments) -> answer`; it raises `SlackRefusal` with Slack's error code. Tokens, scopes,
unknown or missing arguments and rate limits were checked before, in server.py.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal, check_blocks, check_metadata
from bot.sandbox.slack.api.file_removal import unshare_files_of
from bot.sandbox.slack.delivery import events
from bot.sandbox.slack.state import Message, SlackChannel, Workspace
from bot.sandbox.slack.text import escape_app_text

Arguments = dict[str, Any]
Response = dict[str, Any]


def find_channel(ws: Workspace, id: Any) -> SlackChannel:
    """The conversation, as far as the app may know of it."""
    channel = ws.channels.get(id)
    if channel is None or (channel.kind in ("group", "im") and ws.bot not in channel.members):
        raise SlackRefusal(codes.CHANNEL_NOT_FOUND)
    return channel


def open_channel(ws: Workspace, id: Any) -> SlackChannel:
    """Where the app may write; a person's id means the direct messages with them."""
    if id in ws.people and id != ws.bot:
        return ws.direct(id)
    channel = find_channel(ws, id)
    if channel.archived:
        raise SlackRefusal(codes.IS_ARCHIVED)
    if ws.bot not in channel.members:
        raise SlackRefusal(codes.NOT_IN_CHANNEL)
    return channel


def find_message(channel: SlackChannel, ts: Any) -> Message:
    message = channel.messages.get(ts)
    if message is None:
        raise SlackRefusal(codes.MESSAGE_NOT_FOUND)
    return message


def check_root(channel: SlackChannel, thread_ts: Any, *, code: str = codes.THREAD_NOT_FOUND) -> None:
    """A reply goes to a root message that is there. The code for a root that is gone is believed."""
    root = channel.messages.get(thread_ts)
    if root is None:
        raise SlackRefusal(code)
    if root.get("thread_ts", root["ts"]) != root["ts"]:
        raise SlackRefusal(codes.CANNOT_REPLY_TO_MESSAGE)


def read_contents(arguments: Arguments) -> tuple[str, list[Any] | None]:
    """(text, blocks): what a message shall say; blocks None: none were given."""
    markdown, text, blocks = (arguments.get(name) for name in ("markdown_text", "text", "blocks"))
    if markdown is not None:
        if text or blocks:
            raise SlackRefusal(codes.MARKDOWN_TEXT_CONFLICT)
        if len(markdown) > limits.MARKDOWN_TEXT_CHARS:
            raise SlackRefusal(codes.MSG_TOO_LONG)
        if not markdown.strip():
            raise SlackRefusal(codes.NO_TEXT)
        return markdown, [{"type": "markdown", "text": markdown}]
    checked = None if blocks is None else check_blocks(blocks)
    if not text and not checked and not arguments.get("attachments"):
        raise SlackRefusal(codes.NO_TEXT)
    return escape_app_text(text or ""), checked


def post_message(ws: Workspace, a: Arguments) -> Response:
    channel = open_channel(ws, a["channel"])
    text, blocks = read_contents(a)
    warning = {}
    if len(text) > limits.POST_TEXT_CHARS:
        text = text[: limits.POST_TEXT_CHARS]
        warning = {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
    message = events.bot_message(ws, ws.ts(), text)
    if thread_ts := a.get("thread_ts"):
        check_root(channel, thread_ts)
        message["thread_ts"] = thread_ts
        message["parent_user_id"] = channel.messages[thread_ts].get("user", "")
    _fill(message, a, blocks)
    post(ws, channel, message)
    return {"ok": True, "channel": channel.id, "ts": message["ts"], "message": message, **warning}


def _fill(message: Message, a: Arguments, blocks: list[Any] | None) -> None:
    if blocks is not None:
        message["blocks"] = [number_block(block, n) for n, block in enumerate(blocks)]
    if a.get("metadata"):
        message["metadata"] = check_metadata(a["metadata"])
    if a.get("attachments"):
        message["attachments"] = a["attachments"]
    if a.get("username"):
        message["username"] = a["username"]


def number_block(block: dict[str, Any], n: int) -> dict[str, Any]:
    # Slack ignores the block_id of markdown blocks.
    named = "block_id" in block or block["type"] == "markdown"
    return block if named else {**block, "block_id": f"b{n}"}


def post(ws: Workspace, channel: SlackChannel, message: Message) -> None:
    """Store what the app wrote and tell everybody; the status of the thread ends with it."""
    ws.put(channel, message)
    ws.set_status(channel.id, message.get("thread_ts") or message["ts"], "", [])
    announce(ws, channel, message)


def announce(ws: Workspace, channel: SlackChannel, message: Message) -> None:
    if ws.bot in channel.members:
        ws.emit(limits.MESSAGE_SUBSCRIPTION[channel.kind], events.message(channel, message))


def update(ws: Workspace, a: Arguments) -> Response:
    """Blocks go when text comes without them, and only then; metadata stays until {} or other comes.

    Source: methods/chat.update.
    """
    channel = open_channel(ws, a["channel"])
    message = find_message(channel, a["ts"])
    if message.get("bot_id") != ws.bot_id:
        raise SlackRefusal(codes.CANT_UPDATE_MESSAGE)
    if (channel.id, message["ts"]) in ws.streams:
        raise SlackRefusal(codes.STREAMING_STATE_CONFLICT)
    text, blocks = read_contents(a)
    if "markdown_text" not in a and len(text.encode()) > limits.UPDATE_TEXT_BYTES:
        raise SlackRefusal(codes.MSG_TOO_LONG)
    before = dict(message)
    if text:
        message["text"] = text
        message.pop("blocks", None)
    if blocks is None:
        message["edited"] = {"user": ws.bot, "ts": ws.ts()}
    _fill(message, a, blocks)
    if a.get("metadata") == {}:
        message.pop("metadata", None)
    note_change(ws, channel, message, before)
    return {"ok": True, "channel": channel.id, "ts": message["ts"], "text": text, "message": message}


def note_change(ws: Workspace, channel: SlackChannel, message: Message, before: Message) -> None:
    ws.publish_change(channel, message)
    if ws.bot in channel.members:
        event = events.message_changed(channel, message, before, ws.ts())
        ws.emit(limits.MESSAGE_SUBSCRIPTION[channel.kind], event)


def delete(ws: Workspace, a: Arguments) -> Response:
    channel = open_channel(ws, a["channel"])
    message = find_message(channel, a["ts"])
    if message.get("bot_id") != ws.bot_id:
        raise SlackRefusal(codes.CANT_DELETE_MESSAGE)
    erase(ws, channel, message)
    return {"ok": True, "channel": channel.id, "ts": a["ts"]}


def erase(ws: Workspace, channel: SlackChannel, message: Message) -> None:
    """Remove a message and tell the app; a root with replies becomes a tombstone."""
    before = dict(message)
    gone = ws.remove(channel, message["ts"])
    event = (
        events.message_deleted(channel, before, ws.ts())
        if gone
        else events.message_changed(channel, message, before, ws.ts())
    )
    if ws.bot in channel.members:
        ws.emit(limits.MESSAGE_SUBSCRIPTION[channel.kind], event)
    unshare_files_of(ws, channel, before)


def post_ephemeral(ws: Workspace, a: Arguments) -> Response:
    channel = open_channel(ws, a["channel"])
    if a["user"] not in channel.members:
        raise SlackRefusal(codes.USER_NOT_IN_CHANNEL)
    text, blocks = read_contents(a)
    ts = show_ephemeral(ws, channel, a["user"], text, blocks, a.get("thread_ts", ""))
    return {"ok": True, "message_ts": ts}


def show_ephemeral(
    ws: Workspace, channel: SlackChannel, user: str, text: str, blocks: list[Any] | None, thread_ts: str = ""
) -> str:
    """A message for one person's eyes; nobody else and no history ever sees it."""
    message = events.bot_message(ws, ws.ts(), text) | {"is_ephemeral": True}
    if thread_ts:
        message["thread_ts"] = thread_ts
    _fill(message, {}, blocks)
    ws.ephemerals.append({"channel": channel.id, "addressee": user, "message": message})
    ws.publish({"type": "ephemeral", "channel": channel.id, "only": user, "message": message})
    return str(message["ts"])


def get_permalink(ws: Workspace, a: Arguments) -> Response:
    channel = find_channel(ws, a["channel"])
    message = find_message(channel, a["message_ts"])
    link = f"https://{ws.domain}.slack.com/archives/{channel.id}/p{message['ts'].replace('.', '')}"
    if message.get("thread_ts", message["ts"]) != message["ts"]:
        link += f"?thread_ts={message['thread_ts']}&cid={channel.id}"
    return {"ok": True, "channel": channel.id, "permalink": link}
