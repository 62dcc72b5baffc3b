"""The Web API's files.* methods. What is told of a file is in file_objects.py.

As with Slack, a download without the right token answers 200 with a sign-in page, never 401.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import check_root, open_channel, post
from bot.sandbox.slack.api.file_objects import about_shares, new_file
from bot.sandbox.slack.api.file_removal import delete_file, is_seen_by_app
from bot.sandbox.slack.delivery.events import bot_message
from bot.sandbox.slack.state import SlackFile, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]


def info(ws: Workspace, a: Arguments) -> Response:
    """What Slack tells of a file of a conversation in which the app is; others do not exist for it."""
    file = ws.files.get(a["file"])
    if file is None:
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    if file.about.get("mode") == "tombstone":
        raise SlackRefusal(codes.FILE_DELETED)
    if not is_seen_by_app(ws, file):
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    about = file.about | about_shares(ws, file) | {"file_access": "visible"}
    return {"ok": True, "file": about, "comments": []}


def delete(ws: Workspace, a: Arguments) -> Response:
    file = ws.files.get(a["file"])
    if file is None:
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    if file.about["user"] != ws.bot:
        raise SlackRefusal(codes.CANT_DELETE_FILE)
    delete_file(ws, file)
    return {"ok": True}


def get_upload_url(ws: Workspace, a: Arguments) -> Response:
    if int(a["length"]) <= 0:
        raise SlackRefusal(codes.INVALID_ARGUMENTS, "must be greater than 0 [json-pointer:/length]")
    file = new_file(ws, ws.people[ws.bot], str(a["filename"]), b"", size=int(a["length"]))
    file.about["mode"] = "uploading"
    return {"ok": True, "upload_url": f"{ws.host}/upload/v1/{file.about['id']}", "file_id": file.about["id"]}


def complete_upload(ws: Workspace, a: Arguments) -> Response:
    files = [_find_uploaded(ws, given) for given in a["files"]]
    places = [c for c in str(a.get("channels") or a.get("channel_id") or "").split(",") if c]
    if len(places) > limits.UPLOAD_CHANNELS:
        raise SlackRefusal(codes.CHANNELS_LIMIT_EXCEEDED)
    for place in places:
        channel = open_channel(ws, place)
        message = bot_message(ws, ws.ts(), a.get("initial_comment", ""))
        message |= {"subtype": "file_share", "files": [f.about for f in files], "upload": True}
        if thread_ts := a.get("thread_ts"):
            check_root(channel, thread_ts)
            message["thread_ts"] = thread_ts
        for file in files:
            file.shares.setdefault(channel.id, []).append(message["ts"])
        post(ws, channel, message)
    return {"ok": True, "files": [f.about for f in files]}


def _find_uploaded(ws: Workspace, given: dict[str, Any]) -> SlackFile:
    file = ws.files.get(given.get("id", ""))
    if file is None or file.about["mode"] == "uploading":
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    file.about["title"] = given.get("title") or file.about["name"]
    return file
