"""What somebody wants remembered, how such a note is titled, and how it says by whom and when."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from storage.knowledge.audiences import AudienceKind

TEXT_MOST = 1_500  # characters: a note is found, shown and quoted whole
TITLE_MOST = 60
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s|[。！？\n]")
SAID = "note by {name}, {day}"
NOBODY = "a member of this workspace"
_NAME_MOST = 60
# What would end a name in the line that tells of it.
_NO_NAME = re.compile(r"[,;:“”\"\[\]\s]+")


@dataclass(frozen=True, slots=True)
class NewNote:
    """Somebody's words that are to be found from now on, until they are erased."""

    team: str
    audience: AudienceKind  # "channel", or "person" in a DM with them
    channel: str  # in which it is asked for
    person: str  # whose words they are: the author
    text: str
    title: str = ""  # "": made from the first words
    link: str = ""  # to the message in which it was said
    look_again_at: float | None = None  # unix seconds: when somebody is asked whether it is right still
    repairs: int = 0  # the topic of unanswered questions that it answers
    thread: str = ""  # in which it was said: it goes when that is forgotten
    message: str = ""  # in which it was said: it goes when that is deleted, and is kept once
    said_at: float = 0.0  # 0: now
    authors: str = ""  # ids of others whose words are left in it, with blanks between


def make_title(text: str) -> str:
    """The first words of a text, at most a sentence."""
    first = next((part.strip() for part in _SENTENCE_END.split(text) if part.strip()), "").rstrip(".!:;")
    if len(first) > TITLE_MOST:
        words = first[:TITLE_MOST].rsplit(maxsplit=1)
        first = f"{words[0].rstrip(',')} …" if words else first[:TITLE_MOST]
    return first[:1].upper() + first[1:]


def write_said(name: str, at: float, zone: tzinfo) -> str:
    """By whom and when a note was said: "note by Alice, 12 May 2026"."""
    day = datetime.fromtimestamp(at, zone)
    plain = _NO_NAME.sub(" ", name).strip()[:_NAME_MOST].strip()
    return SAID.format(name=plain or NOBODY, day=f"{day.day} {day:%B %Y}")


def make_id(*parts: str) -> str:
    """An id that is the same for the same wish."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
