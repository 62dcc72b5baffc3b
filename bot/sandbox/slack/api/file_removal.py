"""Takes files out of conversations, as their owners, a deleted message or the app itself do, and tells the
app.

What Slack shows afterwards is nowhere documented: here a message keeps a tombstone in the file's place, and
one that says nothing else goes with it (believed).
"""

from __future__ import annotations

from bot.sandbox.slack import limits
from bot.sandbox.slack.delivery import changes, events
from bot.sandbox.slack.state import Message, SlackChannel, SlackFile, Workspace


def is_seen_by_app(ws: Workspace, file: SlackFile) -> bool:
    """The app sees its own files, those given to it, and those of conversations in which it is."""
    places = (ws.channels.get(id) for id in file.shares)
    given = file.for_app or file.about["user"] == ws.bot
    return given or any(place and ws.bot in place.members for place in places)


def delete_file(ws: Workspace, file: SlackFile) -> None:
    """Delete a file for good, wherever it is shared."""
    seen, shares = is_seen_by_app(ws, file), dict(file.shares)
    file.about["mode"] = "tombstone"
    file.content = file.thumbnail = b""
    file.shares.clear()
    for id, posted in shares.items():
        for ts in posted:
            _take_out(ws, ws.channels.get(id), ts, file)
    if seen:
        ws.emit("file_deleted", changes.file_deleted(file.about["id"], ws.ts()))


def unshare_file(ws: Workspace, file: SlackFile, channel: SlackChannel, user: str) -> None:
    """Take a file out of one conversation; it stays wherever else it is shared."""
    for ts in file.shares.pop(channel.id, []):
        _take_out(ws, channel, ts, file)
    _tell_unshared(ws, file, channel, user)


def unshare_files_of(ws: Workspace, channel: SlackChannel, message: Message) -> None:
    """With a message its files leave the conversation, unless another message there has them too."""
    for given in message.get("files", ()):
        file = ws.files.get(given["id"])
        posted = file.shares.get(channel.id, []) if file else []
        if file is None or message["ts"] not in posted:
            continue
        posted.remove(message["ts"])
        if not posted:
            del file.shares[channel.id]
            _tell_unshared(ws, file, channel, message.get("user", ""))


def _tell_unshared(ws: Workspace, file: SlackFile, channel: SlackChannel, user: str) -> None:
    if ws.bot in channel.members:
        ws.emit("file_unshared", changes.file_unshared(user, file.about["id"], channel.id, ws.ts()))


def _take_out(ws: Workspace, channel: SlackChannel | None, ts: str, file: SlackFile) -> None:
    if channel is None or ts not in channel.messages:
        return
    message = channel.messages[ts]
    before, gone = dict(message), {"id": file.about["id"], "mode": "tombstone"}
    message["files"] = [gone if f["id"] == gone["id"] else f for f in message["files"]]
    left = any(f["mode"] != "tombstone" for f in message["files"])
    stays = bool(message.get("text")) or left or not ws.remove(channel, ts)
    if stays:
        ws.publish_change(channel, message)
    if ws.bot in channel.members:
        event = (
            events.message_changed(channel, message, before, ws.ts())
            if stays
            else events.message_deleted(channel, before, ws.ts())
        )
        ws.emit(limits.MESSAGE_SUBSCRIPTION[channel.kind], event)
