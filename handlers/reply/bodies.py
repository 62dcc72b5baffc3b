"""A reply as the messages of Slack that it becomes: its parts, what stands under them, and its mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.reply.splitting import split, strip_markdown
from handlers.slack import blocks
from handlers.slack.mrkdwn import escape

METADATA = "parley_reply"
# Of the 12,000 characters that all markdown blocks of a message may have, notes and buttons get the rest.
PART_LIMIT = 11_000
SMALLER = 3_000  # for a Slack that calls even that too long
# An answer of more messages than this floods a thread: the rest is not shown, and that is said.
MOST_PARTS = 20
NOT_ALL_SHOWN = "This answer is longer than I may write into a thread: its end is not shown."
STOPPED = "Stopped: the rest of this answer is not shown."

Body = dict[str, Any]  # what chat.postMessage and chat.update take of a message


@dataclass(slots=True)
class Bodies:
    """The messages of one reply. `disclosure`: that an AI says it, where the person was not told yet."""

    reply_id: str
    disclosure: str = ""

    def mark(self, index: int) -> dict[str, Any]:
        """What says of a message which part of which reply it is."""
        return {"event_type": METADATA, "event_payload": {"id": self.reply_id, "part": index}}

    def make(self, text: str, under: list[blocks.Block], *, limit: int = PART_LIMIT) -> list[Body]:
        """A text in as many messages as it needs."""
        parts = split(text, limit)
        if len(parts) > MOST_PARTS:
            parts, under = parts[:MOST_PARTS], [blocks.context(NOT_ALL_SHOWN), *under]
        last = len(parts) - 1
        return [self._make_one(i, part, under if i == last else []) for i, part in enumerate(parts)]

    def stop_behind(self, body: Body) -> Body:
        """A message behind which nothing more is shown."""
        under = blocks.closing(
            (STOPPED,), reply_id=self.reply_id, feedback=False, retry=False, disclosure=self.disclosure
        )
        return body | {"text": self._with_disclosure(body["text"]), "blocks": [*body["blocks"], *under]}

    def apologise(self, body: Body, apology: str) -> Body:
        """The first message of a reply with what is said of the wait; others as they are."""
        if not apology or body["metadata"] != self.mark(0):
            return body
        first, *under = body["blocks"]
        return body | {"blocks": [first, blocks.context(apology), *under]}

    def _make_one(self, index: int, part: str, under: list[blocks.Block]) -> Body:
        text = strip_markdown(part)
        return {
            "text": self._with_disclosure(text) if under else text,
            "blocks": [blocks.markdown(part), *under],
            "metadata": self.mark(index),
        }

    def _with_disclosure(self, text: str) -> str:
        """What is heard of a message: screen readers read `text`, and no blocks.

        Source: https://docs.slack.dev/reference/methods/chat.postMessage
        """
        return "\n\n".join(filter(None, (text, escape(self.disclosure))))
