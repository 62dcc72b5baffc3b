"""Reads answers of the three text endpoints, event by event, without building an object for each.

A reader takes the data of an event (or of a whole answer: servers that ignore `stream` exist) and returns the
text in it; how the answer ended, its usage and its model are kept on the reader. Reasoning in fields of its
own is not read. Bytes are bot/provider/sse.py's; what the text still holds that is no answer is
bot/provider/answer_text.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

from bot.core.values import Finish
from bot.provider.error_table import StreamError

_NO_REASON = frozenset(["", "null", "none"])
# Any other reason is a server's own word for a good end: "eos", "eos_token", "end_turn", "stop_sequence".
# Sources: the API references of OpenAI, Azure, Anthropic, Gemini, Mistral, DeepSeek and Z.ai; vLLM ("abort").
_REASONS: dict[Finish, tuple[str, ...]] = {
    "length": ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"),
    "filtered": (
        *("content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii"),
        *("sensitive", "refusal", "guardrail_intervened"),
    ),
    "tools": ("tool_calls", "tool_call", "tool_use", "function_call", "malformed_function_call"),
    "broken": (
        *("error", "abort", "aborted", "cancelled", "canceled", "failed", "timeout", "incomplete"),
        *("network_error", "insufficient_system_resource"),
    ),
}
_FINISH = {reason: finish for finish, reasons in _REASONS.items() for reason in reasons}
_DONE = b"[DONE]"
_LAST_EVENTS = ("response.completed", "response.incomplete", "response.failed")
_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")


class StreamReader:
    """One answer as it arrives. `finish` is None until the server says how it ended."""

    def __init__(self) -> None:
        self.finish: Finish | None = None
        self.usage: Any = None
        self.model = ""
        self.tier = ""
        self.ended = False  # nothing of it follows any more
        self.reasons_apart = False  # its reasoning comes in fields of its own
        self.unread: list[str] = []  # that reasoning, for the count of tokens alone
        self._began = False  # there was an answer, be it without a word
        self._done = False
        self._lenient = False  # an event was no JSON by the letter, and may hold halves of characters
        self._half = ""  # of a character beyond U+FFFF

    def read_events(self, events: list[bytes]) -> tuple[str, Exception | None]:
        """The text of events that came together, and what was wrong with the one that ended it early."""
        text = ""
        try:
            for data in events:
                text += self._read_data(data)
        except Exception as exc:
            return (self._join_halves(text) if self._lenient else text), exc
        return (self._join_halves(text) if self._lenient else text), None

    def read_event(self, event: dict[str, Any]) -> str:
        """The text of one event; StreamError when it reports one."""
        raise NotImplementedError

    def rest(self) -> str:
        """What is left of a character that never became whole."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""

    def _read_data(self, data: bytes) -> str:
        if data[:1] == b"{" and not self._done:
            try:
                return self.read_event(orjson.loads(data))
            except orjson.JSONDecodeError:
                return self._read_leniently(data)
        if data.strip() == _DONE:
            self._end()
            return ""
        is_json = data.lstrip(b" \t\r\n[")[:1] == b"{"
        return self._read_leniently(data) if is_json else ""  # else it is a sign of life

    def _read_leniently(self, data: bytes) -> str:
        self._lenient = True
        return "".join(map(self._read_value, _parse(data)))

    def _read_value(self, value: Any) -> str:
        if isinstance(value, list):
            return "".join(map(self._read_value, value))
        if not isinstance(value, dict):
            return ""
        if self._done:
            self._keep_usage(value)
            return ""
        return self.read_event(value)

    def _end(self) -> None:
        """The server has said all: an answer without a reason has ended well."""
        self._done = True
        if self.finish is None and self._began:
            self.finish = "stop"

    def _pass_over(self, reasoning: str) -> None:
        self.reasons_apart = True
        self.unread.append(reasoning)

    def _join_halves(self, text: str) -> str:
        """The text with its halves of characters joined, and the last one kept for its other half."""
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        whole = text[: len(text) - len(self._half)]
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _keep_details(self, event: dict[str, Any]) -> None:
        """Keeps what every endpoint reports in the same place."""
        if error := event.get("error"):
            raise _stream_error(error)
        if usage := event.get("usage"):
            self.usage = usage
        elif "x_groq" in event:  # Source: Groq API reference, streaming
            self._keep_usage(event["x_groq"])
        if not self.model and (model := event.get("model")):
            self.model = str(model)
        if tier := event.get("service_tier"):
            self.tier = str(tier)

    def _keep_usage(self, report: Any) -> None:
        if isinstance(report, dict) and (usage := report.get("usage")):
            self.usage = usage

    def _set_finish(self, reason: object) -> None:
        """What a later event says of an answer that was cut does not make it whole."""
        name = str(reason or "").lower()
        if name not in _NO_REASON and self.finish in (None, "stop"):
            self.finish = _FINISH.get(name, "stop")


class ChoicesReader(StreamReader):
    """/v1/chat/completions and /v1/completions: the first choice's text."""

    def __init__(self) -> None:
        super().__init__()
        self._index: Any = None  # of the choice that is read: the first to come

    def read_event(self, event: dict[str, Any]) -> str:
        self._keep_details(event)
        choices = event.get("choices")
        if not choices:
            return self._read_without_choices(event)
        for choice in choices:
            if isinstance(choice, dict):
                index = choice.get("index") or 0
                if self._index is None:
                    self._index = index
                if index == self._index:
                    return self._read_choice(choice)
        return ""

    def _read_choice(self, choice: dict[str, Any]) -> str:
        self._began = True
        if error := choice.get("error"):
            raise _stream_error(error)
        message = choice.get("delta") or choice.get("message") or choice
        if not isinstance(message, dict):
            message = choice
        content = message.get("content") or message.get("text") or ""
        text = content if isinstance(content, str) else _join_parts(content)
        if len(message) > 1 or not text:
            text += self._read_beside(message)
        if reason := choice.get("finish_reason"):
            self._set_finish(reason)
        return text

    def _read_beside(self, message: dict[str, Any]) -> str:
        """What there is beside the content: the text of a refusal, a wish for a tool, reasoning."""
        if message.get("tool_calls") or message.get("function_call"):
            self._set_finish("tool_calls")
        fields = (message.get(name) for name in _REASONING_FIELDS)
        if reasoning := next((field for field in fields if field and isinstance(field, str)), ""):
            self._pass_over(reasoning)
        refusal = message.get("refusal")
        if not refusal:
            return ""
        self.finish = "filtered"
        return str(refusal)

    def _read_without_choices(self, event: dict[str, Any]) -> str:
        """An event that only reports: usage, or an error in a form of its own."""
        named = "error" in (event.get("object"), str(event.get("type")).rpartition("_")[2])
        if named or "detail" in event or (event.get("code") and event.get("message")):
            raise _stream_error(event)
        return ""


class ItemsReader(StreamReader):
    """/v1/responses: typed events, or a response object."""

    def read_event(self, event: dict[str, Any]) -> str:
        kind = event.get("type")
        if kind == "response.output_text.delta":  # nearly always
            self._began = True
            return str(event.get("delta") or "")
        if kind == "response.refusal.delta":
            self._began, self.finish = True, "filtered"
            return str(event.get("delta") or "")
        if kind in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"):
            self._pass_over(str(event.get("delta") or ""))
            return ""
        if kind == "response.output_item.added":
            self._read_item(event.get("item"))
            return ""
        if kind == "error" or event.get("error"):
            raise _stream_error(event.get("error") or event)
        if event.get("object") == "response":
            self._began = bool(event.get("output"))
            return self._read_response(event)
        if isinstance(response := event.get("response"), dict):
            text = self._read_response(response)
            self.ended = self.ended or kind in _LAST_EVENTS
            return "" if self._began else text
        return ""

    def _read_response(self, response: dict[str, Any]) -> str:
        self._keep_details(response)
        status, items = response.get("status"), response.get("output") or ()
        for item in items:
            self._read_item(item)
        if status in ("completed", "failed", "cancelled"):
            self._set_finish("stop" if status == "completed" else status)
        elif status == "incomplete":
            reason = str((response.get("incomplete_details") or {}).get("reason"))
            self._set_finish(reason if reason in _FINISH else "incomplete")
        return "".join(map(_read_message, items)) if self.finish else ""

    def _read_item(self, item: Any) -> None:
        """Notes whether an item is a wish for a tool."""
        if isinstance(item, dict) and item.get("type") in ("function_call", "custom_tool_call"):
            self._set_finish("tool_calls")


def _read_message(item: Any) -> str:
    """The text of an output item that is a message; reasoning is another type of item."""
    if not isinstance(item, dict) or item.get("type", "message") != "message":
        return ""
    return _join_parts(item.get("content"))


def _join_parts(content: Any) -> str:
    """The text of a message's content that is no string: parts, of which those of reasoning are left out."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "".join(map(_read_part, parts))


def _read_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or part.get("type", "text") not in ("text", "output_text", "refusal"):
        return ""
    text = part.get("text") or part.get("refusal") or ""
    return text if isinstance(text, str) else ""


def _parse(data: bytes) -> Iterable[Any]:
    """The JSON of an event as lenient as servers need it: NaN, halves of characters, one value a line."""
    try:
        return [json.loads(data)]
    except RecursionError as exc:
        raise ValueError("JSON within JSON without end") from exc
    except ValueError:
        lines = [line for line in data.split(b"\n") if line.strip() not in (b"", _DONE)]
        if len(lines) < 2:
            raise
        return [json.loads(line) for line in lines]


def find_reported_error(answer: Any) -> StreamError | None:
    """The error that some servers and gateways report as an answer, with HTTP 200."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return _stream_error(error) if error else None


def _stream_error(error: Any) -> StreamError:
    if not isinstance(error, dict):
        return StreamError("", str(error))
    if isinstance(inner := error.get("error"), dict):
        return _stream_error(inner)
    code = error.get("code") or error.get("type") or error.get("status") or ""
    return StreamError(str(code), str(error.get("message") or error.get("detail") or inner or ""))
