"""An `Incoming` as the text that is kept of it, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.core.values import Conversation, File, Incoming


def encode(value: Any) -> str:
    """One of our values as ASCII JSON text, which every database keeps as it is."""
    return json.dumps(value, default=_as_json)


def _as_json(value: Any) -> Any:
    """One of our values as JSON knows it; asdict would copy every string of it as well."""
    if isinstance(value, datetime):
        return value.isoformat()
    return {name: getattr(value, name) for name in value.__slots__}


def decode(payload: str) -> Incoming:
    """The Incoming that was encoded."""
    return _build(json.loads(payload))


def encode_files(files: Iterable[File]) -> str:
    """Those that may be looked at again, for memory: what is heard is kept as words. "" for none."""
    again = [
        file for file in files if not file.voice and file.mime.partition("/")[0] not in ("audio", "video")
    ]
    return encode(again) if again else ""


def decode_files(kept: str) -> tuple[File, ...]:
    """Files that were encoded as a list; none of ""."""
    return tuple(File(**file) for file in json.loads(kept)) if kept else ()


def _build(read: dict[str, Any]) -> Incoming:
    return Incoming(
        **read
        | {
            "conversation": Conversation(**read["conversation"]),
            "sent_at": datetime.fromisoformat(read["sent_at"]),
            "files": tuple(File(**file) for file in read["files"]),
            "unreadable": tuple(read.get("unreadable", ())),
            "added": tuple(map(_build, read.get("added", ()))),
        }
    )
