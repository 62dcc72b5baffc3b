"""The three forms in which a conversation is sent: as a transcript, as chat messages, as response items.

Only shapes. The stable part comes first and nothing volatile stands before the history, so that the
provider's cache serves the prefix. Parameters are bot/provider/parameters.py's, answers are read in
bot/provider/stream_readers.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.values import Message, Prompt
from bot.provider import stop_sequences
from bot.provider.own_marks import ABOUT, CONTEXT, SUMMARY, tell_cuts
from bot.provider.pictures import chat_content, item_content
from bot.provider.stream_readers import ChoicesReader, ItemsReader, StreamReader
from bot.text.invisible import strip_hidden


@dataclass(frozen=True, slots=True)
class Style:
    """One endpoint: its path, how a prompt is put into the body, and what reads the answers."""

    path: str
    build: Callable[[Prompt, Sequence[str]], dict[str, Any]]
    reader: type[StreamReader]


# What asks for a form at an endpoint, where that has several names: a server that refuses all heeds none.
FORM_NAMES: Mapping[str, tuple[str, ...]] = {"/completions": ("json_schema", "response_format")}


def cache_key(prompt: Prompt) -> dict[str, str]:
    """Routes a conversation's requests to where its prefix is cached; hashed, because it names a channel.

    Source: OpenAI API reference, `prompt_cache_key`: at most 64 characters.
    """
    if not prompt.cache_key:
        return {}
    return {"prompt_cache_key": hashlib.sha256(prompt.cache_key.encode()).hexdigest()[:32]}


def _build_transcript(prompt: Prompt, stops: Sequence[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"prompt": stop_sequences.render(prompt, stops)}
    if prompt.form:  # llama.cpp reads the first of these, vLLM the second
        form = {"type": "json_schema", "json_schema": _form_format(prompt)}
        body |= {"json_schema": prompt.form, "response_format": form}
    return body


def _build_chat(prompt: Prompt, stops: Sequence[str]) -> dict[str, Any]:
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    form = {"type": "json_schema", "json_schema": _form_format(prompt)} if prompt.form else None
    body = {"messages": [*system, *_build_messages(prompt)]} | cache_key(prompt)
    return body | {"response_format": form} if form else body


def _build_items(prompt: Prompt, stops: Sequence[str]) -> dict[str, Any]:
    system = {"instructions": prompt.system} if prompt.system else {}
    form = {"text": {"format": {"type": "json_schema", **_form_format(prompt)}}} if prompt.form else {}
    # OpenAI's own server takes items without a type, llama.cpp's does not.
    said = _build_messages(prompt)
    items = [{"type": "message", **one, "content": item_content(one["content"])} for one in said]
    return system | {"input": items} | cache_key(prompt) | form


def _form_format(prompt: Prompt) -> dict[str, Any]:
    """Source: OpenAI guide "Structured model outputs"; strict ones leave the model no other tokens."""
    return {"name": "answer", "strict": True, "schema": prompt.form}


def _build_messages(prompt: Prompt) -> list[dict[str, Any]]:
    """Summary, history, context, question. What people or models said is never in the system's role."""
    *history, question = tell_cuts(prompt.messages)
    summary = [_user_message(SUMMARY + prompt.summary)] if prompt.summary else []
    context = [_user_message(CONTEXT + prompt.context)] if prompt.context else []
    about = ABOUT + prompt.about if prompt.about else ""
    return [*summary, *map(_build_message, history), *context, _build_message(question, about=about)]


def _build_message(message: Message, *, about: str = "") -> dict[str, Any]:
    text = strip_hidden(message.text).strip()
    if message.role == "human":
        return {"role": "user", "content": chat_content(text + strip_hidden(about), message.pictures)}
    return {"role": "assistant", "content": text}


def _user_message(text: str) -> dict[str, str]:
    return {"role": "user", "content": strip_hidden(text)}


STYLES: dict[str, Style] = {
    "transcript": Style("/completions", _build_transcript, ChoicesReader),
    "chat": Style("/chat/completions", _build_chat, ChoicesReader),
    "responses": Style("/responses", _build_items, ItemsReader),
}
