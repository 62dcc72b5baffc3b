"""The Web API's files.* methods, and files as messages carry them.

As with Slack, a download without the right token answers 200 with a sign-in page, never 401.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import check_root, open_channel, post
from bot.sandbox.slack.delivery.events import bot_message
from bot.sandbox.slack.state import Person, SlackFile, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]

_OFFICE = "application/vnd.openxmlformats-officedocument"
# name's ending → (mimetype, filetype, pretty type). Source: docs.slack.dev/reference/objects/file-object
TYPES = {
    "txt": ("text/plain", "text", "Plain Text"),
    "md": ("text/markdown", "markdown", "Markdown"),
    "csv": ("text/csv", "csv", "CSV"),
    "json": ("application/json", "json", "JSON"),
    "pdf": ("application/pdf", "pdf", "PDF"),
    "png": ("image/png", "png", "PNG"),
    "jpg": ("image/jpeg", "jpg", "JPEG"),
    "mp3": ("audio/mpeg", "mp3", "MP3"),
    "m4a": ("audio/mp4", "m4a", "MP4 audio"),
    "mp4": ("video/mp4", "mp4", "MPEG 4 Video"),
    "ogg": ("audio/ogg", "ogg", "OGG"),
    "wav": ("audio/wav", "wav", "WAV"),
    "webm": ("audio/webm", "webm", "WebM"),
    "docx": (f"{_OFFICE}.wordprocessingml.document", "docx", "Word Document"),
    "xlsx": (f"{_OFFICE}.spreadsheetml.sheet", "xlsx", "Excel Spreadsheet"),
    "zip": ("application/zip", "zip", "Zip"),
}  # fmt: skip


def new_file(ws: Workspace, person: Person, name: str, content: bytes, **more: Any) -> SlackFile:
    """A file that Slack keeps; `more` overrides what is said of it."""
    id = ws.ids.new(f"F0{ws.number}", 7)
    mimetype, filetype, pretty = TYPES.get(
        name.rpartition(".")[2].lower(), ("application/octet-stream", "binary", "Binary")
    )
    created = int(ws.clock())
    link = f"{ws.host}/files-pri/{ws.team}-{id}"
    about = {
        "id": id,
        "created": created,
        "timestamp": created,
        "name": name,
        "title": name,
        "mimetype": mimetype,
        "filetype": filetype,
        "pretty_type": pretty,
        "user": person.id,
        "user_team": person.team,
        "editable": False,
        "size": len(content),
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": False,
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{link}/{name}",
        "url_private_download": f"{link}/download/{name}",
        "media_display_type": "unknown",
        "permalink": f"https://{ws.domain}.slack.com/files/{person.id}/{id}/{name}",
        "permalink_public": f"https://slack-files.com/{ws.team}-{id}-0000000000",
        "has_rich_preview": False,
        "file_access": "visible",
    }
    file = SlackFile(about | more, content)
    ws.files[id] = file
    return file


def clip(duration_s: float) -> dict[str, Any]:
    """What makes a file a voice clip recorded in the client. Field names: java-slack-sdk's json-logs."""
    return {
        "subtype": "slack_audio",
        "mode": "hosted",
        "media_display_type": "audio",
        "duration_ms": round(duration_s * 1000),
        "audio_wave_samples": [],
        "transcription": {"status": "processing"},
    }


def as_shared(file: SlackFile) -> dict[str, Any]:
    """The file as a message carries it: whole, or only a promise that files.info has to be asked for."""
    if file.about.get("file_access") == "check_file_info":
        return {
            "id": file.about["id"],
            "mode": "file_access",
            "file_access": "check_file_info",
            "created": 0,
            "timestamp": 0,
            "user": "",
        }
    return file.about


def info(ws: Workspace, a: Arguments) -> Response:
    file = ws.files.get(a["file"])
    if file is None:
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    if file.about.get("mode") == "tombstone":
        raise SlackRefusal(codes.FILE_DELETED)
    return {"ok": True, "file": {**file.about, "file_access": "visible"}, "comments": []}


def delete(ws: Workspace, a: Arguments) -> Response:
    file = ws.files.get(a["file"])
    if file is None:
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    if file.about["user"] != ws.bot:
        raise SlackRefusal(codes.CANT_DELETE_FILE)
    file.about["mode"] = "tombstone"
    file.content = b""
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
        post(ws, channel, message)
    return {"ok": True, "files": [f.about for f in files]}


def _find_uploaded(ws: Workspace, given: dict[str, Any]) -> SlackFile:
    file = ws.files.get(given.get("id", ""))
    if file is None or file.about["mode"] == "uploading":
        raise SlackRefusal(codes.FILE_NOT_FOUND)
    file.about["title"] = given.get("title") or file.about["name"]
    return file
