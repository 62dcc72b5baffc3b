"""What is to become a document: whose it will be, where its words come from, and where its card stands.

A value that is kept as the payload of its job (bot/knowledge/ingestion.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from bot.core.values import File
from storage.knowledge.audiences import AudienceKind
from storage.knowledge.documents import DocumentSource


@dataclass(frozen=True, slots=True)
class NewDocument:
    """One thing that somebody wants answers from."""

    team: str
    audience: AudienceKind
    channel: str  # to which it belongs; "" of the workspace's
    person: str  # who adds it; "" for the operator
    name: str  # another one of the same name and place takes its place
    source: DocumentSource
    title: str = ""
    link: str = ""  # where it can be opened
    file: File | None = None  # of source "file"
    text: str = ""  # of sources "text" and "note"
    path: str = ""  # of source "command": absolute
    origin: str = ""  # the channel in which the file or the thread stands; "" where it stands in none
    thread: str = ""  # of source "thread": its first message
    card_channel: str = ""  # in which the card is shown; "": it has none
    card_thread: str = ""  # "": in the channel itself
    replaces: str = ""  # the document that this one was added to replace, under whatever name
    extract: str = ""  # the form of fields that are wanted of it as soon as it is read
    said: str = ""  # of source "note": by whom and when, for people
    said_at: float = 0.0  # of source "note": when it was said
    authors: str = ""  # of source "note": ids of others whose words are left in it
    look_again_at: float | None = None  # of source "note": when somebody is asked whether it is right still
    repairs: int = 0  # the topic of unanswered questions that it is to answer (bot/unanswered)


def encode_document(new: NewDocument) -> str:
    """As text, for storage."""
    return json.dumps(asdict(new))


def decode_document(payload: str) -> NewDocument:
    """What `encode_document` wrote."""
    read = json.loads(payload)
    file = read.pop("file")
    return NewDocument(**read, file=File(**file) if file else None)
