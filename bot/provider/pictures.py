"""Pictures in a request, and models that cannot see: what they are asked instead, and how that is found out.

A refusal of pictures is learned like a parameter that is not taken (bot/provider/model_traits.py), under the
name below, and forgotten after a while: an operator may give a model its eyes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.core.values import Message, Prompt, ShownPicture
from bot.provider.failure_text import read_message
from bot.text.marks import tidy_name

NO_PICTURES = "pictures"
NAME = "[picture: {name}]"
NOT_SHOWN = "[picture: {name}, not shown to you, because you cannot see pictures]"
# Around a picture and its name, at most.
WRAP_TOKENS = 40
# Sources: answers of OpenAI, DeepSeek, Mistral, xAI, Groq, OpenRouter, vLLM, llama.cpp, Ollama and LM Studio,
# as reported in their issue trackers.
_REFUSALS = re.compile(
    r"image_url is only supported by certain models|image_url.{0,20} is not supported"
    r"|\b(?:not|n.t) support (?:the )?(?:image|vision|multi-?modal)"
    r"|\b(?:image|vision|multi-?modal)\w*(?: \w+){0,2} (?:is|are) not (?:supported|enabled|available)"
    r"|not a multi-?modal model|not compiled for multi-?modal|no endpoints found that support image"
    r"|unknown variant .?(?:image_url|input_image)|at most 0 images?"
    r"|missing data required for image"
    r"|content.{0,40}(?:must|should) be an? (?:valid )?string",
    re.IGNORECASE | re.DOTALL,
)


def list_pictures(prompt: Prompt) -> list[ShownPicture]:
    """All that a model would be shown."""
    return [picture for message in prompt.messages for picture in message.pictures]


def bound_tokens(prompt: Prompt) -> int:
    """What its pictures take, at most."""
    return sum(picture.most_tokens + WRAP_TOKENS for picture in list_pictures(prompt))


def leave_out_pictures(prompt: Prompt) -> Prompt:
    """The prompt for a model that cannot see: it is told what it is not shown."""
    return replace(prompt, messages=tuple(map(_leave_out, prompt.messages)))


def _leave_out(message: Message) -> Message:
    names = (NOT_SHOWN.format(name=tidy_name(picture.name)) for picture in message.pictures)
    return replace(message, text="\n".join(filter(None, (*names, message.text))), pictures=())


def chat_content(text: str, pictures: Sequence[ShownPicture]) -> str | list[dict[str, Any]]:
    """What a person says in a chat. Pictures stand before the words, so that what follows the words in one
    turn (the time, the place) does not change what comes before them in the next.

    Source: OpenAI API reference, chat completions, content parts.
    """
    if not pictures:
        return text
    shown = list[dict[str, Any]]()
    for picture in pictures:
        image = {"url": _data_address(picture), "detail": "high"}
        shown += [_text_part(_name(picture)), {"type": "image_url", "image_url": image}]
    return [*shown, _text_part(text)] if text else shown


def item_content(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """The same in an item of the responses endpoint. Source: OpenAI API reference, responses, input items."""
    return content if isinstance(content, str) else [_to_item_part(part) for part in content]


def as_parts(content: str | list[dict[str, Any]], *, kind: str = "text") -> list[dict[str, Any]]:
    """What is said, as a list."""
    return [{"type": kind, "text": content}] if isinstance(content, str) else content


def find_refused_pictures(exc: Exception, body: Mapping[str, Any]) -> str:
    """The name of what was refused, where a model takes no pictures; "" where anything else was wrong."""
    refused = _holds_pictures(body) and _REFUSALS.search(read_message(exc))
    return NO_PICTURES if refused else ""


def _holds_pictures(body: Mapping[str, Any]) -> bool:
    said = body.get("messages") or body.get("input")
    contents = (one.get("content") for one in said if isinstance(one, dict)) if isinstance(said, list) else ()
    parts = (part for content in contents if isinstance(content, list) for part in content)
    return any(part.get("type") in ("image_url", "input_image") for part in parts if isinstance(part, dict))


def _to_item_part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "text":
        return part | {"type": "input_text"}
    image = part["image_url"]
    return {"type": "input_image", "image_url": image["url"], "detail": image["detail"]}


def _text_part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _name(picture: ShownPicture) -> str:
    return NAME.format(name=tidy_name(picture.name))


def _data_address(picture: ShownPicture) -> str:
    return f"data:{picture.mime};base64,{base64.b64encode(picture.content).decode('ascii')}"
