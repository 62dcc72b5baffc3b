"""Reads answers of the three text endpoints, event by event, without building an object for each.

A reader takes the JSON of an event (or of a whole answer: servers that ignore `stream` exist) and returns
the text in it; how the answer ended, its usage and its model are kept on the reader. Bytes are
bot/provider/sse.py's, stop sequences bot/provider/stop_sequences.py's.
"""

from __future__ import annotations

from typing import Any

import orjson

from bot.core.values import Finish
from bot.provider.error_table import StreamError

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "eos": "stop",  # Together
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "content_filter": "filtered",
}


class StreamReader:
    """One answer as it arrives. `finish` is None until the server says how it ended."""

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.usage: Any = None
        self.model = ""
        self.tier = ""

    def read_events(self, events: list[bytes]) -> tuple[str, Exception | None]:
        """The text of events that came together, and what was wrong with the one that ended it early."""
        text = ""
        try:
            for event in events:
                text += self.read_event(orjson.loads(event))
        except Exception as exc:
            return text, exc
        return text, None

    def read_event(self, event: dict[str, Any]) -> str:
        """The text of one event; StreamError when it reports one."""
        raise NotImplementedError

    def _keep_details(self, event: dict[str, Any]) -> None:
        """Keeps what every endpoint reports in the same place."""
        if error := event.get("error"):
            raise _stream_error(error)
        if usage := event.get("usage"):
            self.usage = usage
        if not self.model and (model := event.get("model")):
            self.model = str(model)
        if tier := event.get("service_tier"):
            self.tier = str(tier)

    def _set_finish(self, reason: object) -> None:
        if reason and self.finish != "filtered":
            self.finish = _FINISH.get(str(reason), "broken")


class ChoicesReader(StreamReader):
    """/v1/chat/completions and /v1/completions: the first choice's text."""

    def read_event(self, event: dict[str, Any]) -> str:
        self._keep_details(event)
        for choice in event.get("choices") or ():
            if not choice.get("index"):
                return self._read_choice(choice)
        return ""

    def _read_choice(self, choice: dict[str, Any]) -> str:
        message = choice.get("delta") or choice.get("message") or choice
        text = message.get("content") or message.get("text") or ""
        if refusal := message.get("refusal"):
            text, self.finish = text + refusal, "filtered"
        self._set_finish(choice.get("finish_reason"))
        return str(text)


class ItemsReader(StreamReader):
    """/v1/responses: typed events, or a response object."""

    def read_event(self, event: dict[str, Any]) -> str:
        kind = event.get("type")
        if kind == "response.output_text.delta":  # nearly always
            return str(event["delta"])
        if kind == "response.refusal.delta":
            self.finish = "filtered"
            return str(event["delta"])
        if kind == "error":
            raise _stream_error(event.get("error") or event)
        if event.get("object") == "response":
            return self._read_response(event, _response_text(event))
        if isinstance(response := event.get("response"), dict):
            self._read_response(response, "")
        return ""

    def _read_response(self, response: dict[str, Any], text: str) -> str:
        self._keep_details(response)
        if response.get("status") == "completed":
            self._set_finish("stop")
        elif response.get("status") == "incomplete":
            self._set_finish((response.get("incomplete_details") or {}).get("reason") or "incomplete")
        return text


def _response_text(response: dict[str, Any]) -> str:
    """The text of a whole response object."""
    parts = (part for item in response.get("output") or () for part in item.get("content") or ())
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)


def _stream_error(error: Any) -> StreamError:
    if not isinstance(error, dict):
        return StreamError("", str(error))
    return StreamError(str(error.get("code") or error.get("type") or ""), str(error.get("message") or ""))
