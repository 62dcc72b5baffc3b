"""What stands in the prompt before a message, and how far verdicts cover it.

A verdict is about the very words that were judged: they are kept as digests with it. Words that came later,
were overheard, or were edited since are covered by none, and are judged with the next message. What was
refused is not shown to the model again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from bot.core.values import Message
from bot.guard.verdict import Verdict
from bot.ml.features import strip_invisible
from bot.text import marks

By = Literal["person", "assistant", "summary"]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that stands before a message. `judged`: a verdict covers it, or it is our own."""

    by: By
    text: str  # its words
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Earlier:
    """All that stands before a message, oldest first, without what was refused."""

    said: tuple[Said, ...] = ()
    conversation: str = ""
    refused: frozenset[str] = frozenset()  # digests

    @property
    def unjudged(self) -> tuple[Said, ...]:
        return tuple(one for one in self.said if not one.judged)

    def is_refused(self, text: str) -> bool:
        return digest_words(self.conversation, text) in self.refused

    def is_unjudged(self, text: str) -> bool:
        words = read_words(text)
        return any(one.text == words for one in self.unjudged)


def look_back(
    history: Sequence[Message], summary: str, *, conversation: str, rows: Sequence[Mapping[str, Any]]
) -> Earlier:
    """What stands before a message. `rows`: the verdicts of its conversation, oldest first, as
    storage/guard/verdicts.py lists them."""
    allowed, refused = _read_rows(rows)
    said = [Said("summary", summary, digest_words(conversation, summary) in allowed)] if summary else []
    for message in history:
        words = read_words(message.text)
        digest = digest_words(conversation, message.text)
        if message.role == "assistant":
            said.append(Said("assistant", words))
        elif words and digest not in refused:
            said.append(Said("person", words, digest in allowed))
    return Earlier(tuple(said), conversation, frozenset(refused))


def _read_rows(rows: Iterable[Mapping[str, Any]]) -> tuple[set[str], set[str]]:
    """Digests of words that may be answered, and of words that were refused; the latest verdict counts."""
    allowed, refused = set[str](), set[str]()
    for row in rows:
        covers = json.loads(row["covers"] or "{}")
        own, along = set(covers.get("own", ())), set(covers.get("along", ()))
        label = row["label"]
        belongs = bool(row["on_topic"] if label is None else label)
        allowed -= own
        refused -= own
        if belongs:
            allowed |= own
            allowed |= along if row["on_topic"] else set()
        elif not row["on_topic"] and not row["shadow"] and row["action"] != "note":
            refused |= own
    return allowed, refused


def list_covered(verdict: Verdict, posts: Sequence[str], earlier: Earlier) -> str:
    """The digests that a verdict covers, as they are kept with it: the words of the message, by post, and
    what was judged with them. Rules and people say nothing of that; where nothing could judge, nothing is
    covered."""
    if verdict.on_topic and verdict.rung == "policy":
        return ""
    key = earlier.conversation
    own = [digest_words(key, post) for post in posts]
    alone = verdict.rung in ("rule", "people")
    along = [] if alone else [digest_words(key, one.text) for one in earlier.unjudged]
    return json.dumps({"own": own, "along": along})


def digest_words(conversation: str, text: str) -> str:
    return blake2b(f"{conversation}\n{read_words(text)}".encode(), digest_size=10).hexdigest()


def read_words(text: str) -> str:
    """The words of a text as they are judged: without marks of ours and characters that nobody sees."""
    return strip_invisible(marks.words_alone(text)).strip()
