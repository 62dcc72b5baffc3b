"""Chats for models whose template is strict: people and model by turns only, or no message of the system.

Mistral's and Gemma's are, among others; their servers refuse the whole request. What is refused is learned
like a parameter that is not taken (bot/provider/model_traits.py), under the names below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bot.provider.failure_text import read_message
from bot.provider.pictures import as_parts

NO_REPEATS = "two messages of one role in a row"
NO_SYSTEM = "a message of the system"
_TEXT_PARTS = ("text", "input_text")  # of a chat, of an item
# Sources: the chat templates of Mistral 7B, Nemo, Gemma 2 and 3; vLLM and llama.cpp pass their words on.
_REFUSALS = {
    NO_REPEATS: re.compile(r"\broles? must alternate|\bmust alternate between\b", re.IGNORECASE),
    NO_SYSTEM: re.compile(r"\bsystem (?:role|message|prompt)s? (?:is |are )?not supported", re.IGNORECASE),
}


def find_refused_roles(exc: Exception, body: Mapping[str, Any]) -> str:
    """What of the roles in a chat its model does not take; "" when it was refused for anything else."""
    said = read_message(exc)
    names = (name for name, pattern in _REFUSALS.items() if pattern.search(said))
    return next((name for name in names if fit_roles(body, [name]) != body), "")


def fit_roles(body: Mapping[str, Any], refused: Collection[str]) -> dict[str, Any]:
    """The body of a chat in which the roles are those that its model takes."""
    fitted, where = dict(body), "input" if "input" in body else "messages"
    if where not in fitted or not set(refused) & set(_REFUSALS):
        return fitted
    messages = fitted[where]
    if NO_SYSTEM in refused:
        if instructions := fitted.pop("instructions", ""):
            messages = [{"type": "message", "role": "user", "content": instructions}, *messages]
        messages = [one | {"role": "user"} if one["role"] == "system" else one for one in messages]
    return fitted | {where: _join_repeats(messages)}


def _join_repeats(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages of one role in a row as one."""
    joined = list[dict[str, Any]]()
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            message = message | {"content": _join_contents(joined.pop()["content"], message["content"])}
        joined.append(message)
    return joined


def _join_contents(before: Any, after: Any) -> Any:
    """Two contents as one, either of which may be a list of parts."""
    if isinstance(before, str) and isinstance(after, str):
        return f"{before}\n\n{after}"
    parts = next(content for content in (before, after) if not isinstance(content, str))
    kind = next((part["type"] for part in parts if part["type"] in _TEXT_PARTS), _TEXT_PARTS[0])
    return [*as_parts(before, kind=kind), *as_parts(after, kind=kind)]
