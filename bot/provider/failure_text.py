"""What is logged of a request that failed: status, path and what the server said.

Servers repeat parts of keys and, when they cannot read a request, parts of its words. Neither is for the log:
keys go by their shape, words by comparing what is said with what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.text.redact import REDACTED, redact_all

LONGEST = 300  # characters of a server's message
_MOST_READ = 2_000
HIDDEN = "[…]"
_ASKED_IN = ("prompt", "messages", "input", "instructions", "questions")
_RUN = 3  # words in a row that both texts have
_SHORTEST_RUN = 12  # characters of them

_MASKED = re.compile(r"\S*\*{3,}\S*")  # a key, with its middle hidden by the server
_NAMED_KEY = re.compile(r"(?i)\b((?:key|token|bearer|secret|password)\b[^:=\n]{0,20}[:=]\s*)\S+")
# Here validators begin to repeat the whole request. Source: pydantic's error messages
_REPEATS = re.compile(r"['\"]?\binput(?:_value)?['\"]?\s*[=:]")
_QUOTED = re.compile(r"(['\"`])(.{3,}?)\1", re.DOTALL)
_WEB_PAGE = re.compile(r"\s*<[a-z!?]", re.IGNORECASE)
# Where servers that others wrote say what was wrong, in errors within errors and in lists of them.
_SAID_IN = ("message", "detail", "error", "errors", "msg")
_DEEPEST = 5
_IS_NAME = re.compile(r"[a-z]+[._\[\]0-9][a-z._\[\]0-9]*")  # of a parameter


def describe_failure(exc: Exception, path: str, body: Mapping[str, Any]) -> str:
    """One line for the log, without secrets and without words of the request."""
    status = getattr(exc, "status_code", None)
    begin = f"{status} at {path}" if status else f"{_name_cause(exc)} at {path}"
    message = _hide_keys(_hide_words(_cut_repeat(read_message(exc)), body))
    if len(message) > LONGEST:
        message = f"{message[:LONGEST]}…"
    return f"{begin}: {message}" if message else begin


def read_message(exc: Exception) -> str:
    """What the server said, whatever form it has; of a broken line what the system says."""
    import openai

    if not isinstance(exc, openai.APIStatusError):
        return str(_innermost(exc))
    text = _find_words(exc.body)
    return "a web page" if _WEB_PAGE.match(text) else text


def _find_words(said: Any, *, depth: int = _DEEPEST) -> str:
    """What is said in a part of a body; of a validator, with the field that it is about."""
    if isinstance(said, str):
        return said
    if isinstance(said, list) and depth:
        return "; ".join(filter(None, (_find_words(one, depth=depth - 1) for one in said)))
    if not isinstance(said, dict) or not depth:
        return ""
    inner = next((said[name] for name in _SAID_IN if said.get(name)), "")
    words, where = _find_words(inner, depth=depth - 1), said.get("loc")
    if isinstance(where, list) and len(where) > 1 and isinstance(where[-1], str):
        return f"'{where[-1]}': {words}"
    return words


def _name_cause(exc: Exception) -> str:
    """What broke, as the system calls it: the SDK calls every connection that failed a timeout."""
    return type(_innermost(exc)).__name__


def _innermost(exc: BaseException) -> BaseException:
    while exc.__cause__ is not None:
        exc = exc.__cause__
    return exc


def _cut_repeat(text: str) -> str:
    line = " ".join(text[:_MOST_READ].split())
    repeats = _REPEATS.search(line)
    return line[: repeats.start()] + HIDDEN if repeats else line


def _hide_keys(line: str) -> str:
    return _NAMED_KEY.sub(rf"\1{REDACTED}", _MASKED.sub(REDACTED, redact_all(line)))


def _hide_words(line: str, body: Mapping[str, Any]) -> str:
    asked = " ".join(" ".join(_list_texts([body.get(name) for name in _ASKED_IN])).split())
    if not asked:
        return line
    line = _QUOTED.sub(lambda quote: _hide_quote(quote, asked, body), line)
    words = line.split(" ")
    hidden = [_is_telling(word, asked) for word in words]
    for at in range(len(words) - _RUN + 1):
        run = " ".join(words[at : at + _RUN])
        if len(run) >= _SHORTEST_RUN and run.strip("'\"`.,:;()") in asked:
            hidden[at : at + _RUN] = [True] * _RUN
    kept = [HIDDEN if hide else word for word, hide in zip(words, hidden, strict=True)]
    return " ".join(word for at, word in enumerate(kept) if word != HIDDEN or kept[at - 1 : at] != [HIDDEN])


def _hide_quote(quote: re.Match[str], asked: str, body: Mapping[str, Any]) -> str:
    words = quote[2]
    is_ours = words in body or _IS_NAME.fullmatch(words) or words == body.get("model")
    return quote[0] if is_ours or " ".join(words.split()) not in asked else f"{quote[1]}{HIDDEN}{quote[1]}"


def _is_telling(word: str, asked: str) -> bool:
    """An address, a number of an account: one word that says something by itself."""
    bare = word.strip("'\"`.,:;()[]{}")
    if len(bare) < 6 or (bare.isdecimal() and len(bare) < 8) or _IS_NAME.fullmatch(bare):
        return False
    return bool(re.search(r"[@\d]|[a-z][A-Z]", bare)) and bare in asked


def _list_texts(value: Any) -> Iterator[str]:
    """All strings in a part of a body."""
    if isinstance(value, str):
        if not value.startswith("data:"):  # a picture has no words, and is long
            yield value
    elif isinstance(value, Mapping):
        yield from _list_texts(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _list_texts(one)
