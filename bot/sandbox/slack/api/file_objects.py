"""What Slack tells of a file: its type by its name, links, thumbnails, and where it is shared."""

from __future__ import annotations

import struct
from typing import Any

from bot.sandbox.rehearsal import picture
from bot.sandbox.slack.state import Person, SlackFile, Workspace

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
    "jpeg": ("image/jpeg", "jpg", "JPEG"),
    "gif": ("image/gif", "gif", "GIF"),
    "webp": ("image/webp", "webp", "WEBP"),
    "heic": ("image/heic", "heic", "HEIC"),
    "svg": ("image/svg+xml", "svg", "SVG"),
    "html": ("text/html", "html", "HTML"),
    "py": ("text/x-python", "python", "Python"),
    "mp3": ("audio/mpeg", "mp3", "MP3"),
    "m4a": ("audio/mp4", "m4a", "MP4 audio"),
    "mp4": ("video/mp4", "mp4", "MPEG 4 Video"),
    "ogg": ("audio/ogg", "ogg", "OGG"),
    "wav": ("audio/wav", "wav", "WAV"),
    "webm": ("audio/webm", "webm", "WebM"),
    "docx": (f"{_OFFICE}.wordprocessingml.document", "docx", "Word Document"),
    "pptx": (f"{_OFFICE}.presentationml.presentation", "pptx", "PowerPoint Presentation"),
    "xlsx": (f"{_OFFICE}.spreadsheetml.sheet", "xlsx", "Excel Spreadsheet"),
    "zip": ("application/zip", "zip", "Zip"),
}  # fmt: skip

# Slack scales pictures down to these. Source: docs.slack.dev/reference/objects/file-object
THUMBNAILS = (360, 480, 720, 960, 1024)
_PHOTO = (1024, 768)


def new_file(
    ws: Workspace, person: Person, name: str, content: bytes, *, thumbnail: bytes = b"", **more: Any
) -> SlackFile:
    """A file that Slack keeps; `more` overrides what is said of it. `thumbnail`: the picture that Slack
    makes of it, a PNG; of HEIC one is drawn when none is given."""
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
    if filetype == "heic" and not thumbnail:
        thumbnail = picture.png(name, *_PHOTO)
    if thumbnail:
        about |= _thumbnails(f"{ws.host}/files-tmb/{ws.team}-{id}-0a1b2c3d4e", name, thumbnail)
    file = SlackFile(about | more, content, thumbnail)
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


def _thumbnails(link: str, name: str, thumbnail: bytes) -> dict[str, Any]:
    """Where a picture's smaller ones are; all lead to the one that there is, whose size they tell."""
    width, height = struct.unpack(">II", thumbnail[16:24])
    stem = name.rpartition(".")[0].lower()
    about: dict[str, Any] = {"original_w": width, "original_h": height}
    for edge in THUMBNAILS:
        if edge <= max(width, height) or edge == THUMBNAILS[0]:
            about[f"thumb_{edge}"] = f"{link}/{stem}_{edge}.png"
            about |= {f"thumb_{edge}_w": width, f"thumb_{edge}_h": height}
    return about


def about_shares(ws: Workspace, file: SlackFile) -> dict[str, Any]:
    """Where a file is shared, as files.info tells it of the conversations in which the app is."""
    places = [ws.channels[id] for id in file.shares if id in ws.channels]
    seen = [place for place in places if ws.bot in place.members]
    told: dict[str, dict[str, Any]] = {"public": {}, "private": {}}
    for place in seen:
        kind = "public" if place.kind == "channel" else "private"
        told[kind][place.id] = [{"ts": ts, "channel_name": place.name} for ts in file.shares[place.id]]
    return {
        "is_public": any(place.kind == "channel" for place in places),
        "channels": [place.id for place in seen if place.kind == "channel"],
        "groups": [place.id for place in seen if place.kind == "group"],
        "ims": [place.id for place in seen if place.kind == "im"],
        "shares": {kind: shown for kind, shown in told.items() if shown},
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
    return dict(file.about)
