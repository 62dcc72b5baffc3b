"""Pictures in a request for text: which are taken, in what shape, and how many tokens they are.

Source where nothing else is said: OpenAI's guide "Images and vision" and the API reference of chat and
responses, read in November 2026.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.model.rules import ModelCard, ModelRefusal
from bot.sandbox.rehearsal.seeing import ReceivedPicture, read_picture

PICTURES = 1_500
ALL_BYTES = 512 * 1024 * 1024
# The guide names a limit for all together alone; answers to single requests named this one for each picture.
PICTURE_BYTES = 20 * 1024 * 1024
DETAILS = ("auto", "low", "high", "original")
PATCH_PIXELS, PATCH_TOKENS = 32, 1.2
LOW_PATCHES = 256  # of what "low" leaves: 512 pixels
HIGH_PATCHES = 2_500  # to which "high" scales down. Observed: 12 megapixels were 2,942 tokens
_PARTS = {
    ("chat/completions", True): ("text", "image_url", "input_audio", "file"),
    ("chat/completions", False): ("text", "refusal"),
    ("responses", True): ("input_text", "input_image", "input_file"),
    ("responses", False): ("output_text", "refusal"),
}
_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?;base64,(.*)", re.S)
_NAME = re.compile(r"\[(?:picture|image|file): ([^\]\n]+)\]\s*$")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of what was said, and where it stands in the request."""

    turn: int
    role: str
    place: str
    said: Mapping[str, Any]
    before: str  # the words before it


def take_pictures(
    endpoint: str, body: Mapping[str, Any], card: ModelCard, *, lenient: bool = False
) -> tuple[ReceivedPicture, ...]:
    """The pictures of a request in order; the first that the model would not have is refused.

    lenient: of a server that looks at fewer things than OpenAI's does.
    """
    parts = list(_list_parts(endpoint, body))
    if not lenient:
        for part in parts:
            _check_kind(endpoint, part)
    shown = [part for part in parts if part.said.get("type") in ("image_url", "input_image")]
    if shown and not card.sees:
        raise _refuse_blind(endpoint, shown[0])
    if len(shown) > PICTURES:
        message = f"Too many images in request. Max is {PICTURES}."
        raise ModelRefusal(400, message, code="too_many_images")
    pictures = tuple(_take(part) for part in shown)
    if sum(len(picture.content) for picture in pictures) > ALL_BYTES:
        raise ModelRefusal(413, "Total image size is too large.", code="image_too_large")
    return pictures


def count_picture_tokens(pictures: Sequence[ReceivedPicture]) -> int:
    return sum(_count(picture) for picture in pictures)


def shorten_pictures(value: Any) -> Any:
    """A body for people to look at: of each picture only what it is."""
    if isinstance(value, str):
        found = _DATA.fullmatch(value) if value.startswith("data:") else None
        return f"data:{found[1]};base64,… ({len(found[2])} characters)" if found else value
    if isinstance(value, Mapping):
        return {name: shorten_pictures(part) for name, part in value.items()}
    return [shorten_pictures(part) for part in value] if isinstance(value, list) else value


def _count(picture: ReceivedPicture) -> int:
    patches = math.ceil(picture.width / PATCH_PIXELS) * math.ceil(picture.height / PATCH_PIXELS)
    most = {"low": LOW_PATCHES, "high": HIGH_PATCHES}.get(picture.detail, patches)
    return math.ceil(min(patches, most) * PATCH_TOKENS)


def _list_parts(endpoint: str, body: Mapping[str, Any]) -> Iterator[_Part]:
    name = "input" if endpoint == "responses" else "messages"
    said = body.get(name)
    for turn, message in enumerate(said if isinstance(said, list) else ()):
        content = message.get("content")
        before = ""
        for number, part in enumerate(content if isinstance(content, list) else ()):
            place = f"{name}[{turn}].content[{number}]"
            yield _Part(turn, message.get("role", "user"), place, part, before)
            before = str(part.get("text", ""))


def _check_kind(endpoint: str, part: _Part) -> None:
    kind, person = part.said.get("type"), part.role == "user"
    allowed = _PARTS.get((endpoint, person), ())
    if kind == "image_url" and not person and endpoint == "chat/completions":
        words = (
            f"Image URLs are only allowed for messages with role 'user', but this message with role "
            f"'{part.role}' contains an image URL."
        )
        raise ModelRefusal(400, f"Invalid '{part.place}'. {words}", code="invalid_value", param=part.place)
    if (person or part.role == "assistant") and kind not in allowed:
        named = " and ".join(f"'{each}'" for each in allowed)
        words = f"Invalid value: '{kind}'. Supported values are: {named}."
        raise ModelRefusal(400, words, code="invalid_value", param=f"{part.place}.type")


def _refuse_blind(endpoint: str, part: _Part) -> ModelRefusal:
    """Of the chat endpoint these are the words that many reports quote, of the other they are believed."""
    words = "This model does not support image inputs."
    if endpoint == "chat/completions":
        words = "Invalid content type. image_url is only supported by certain models."
    return ModelRefusal(400, words, code=None, param=f"{part.place}.type")


def _take(part: _Part) -> ReceivedPicture:
    given = part.said.get("image_url")
    if isinstance(given, Mapping) is (part.said["type"] == "input_image") or not given:
        expected = "an object" if part.said["type"] == "image_url" else "a string"
        words = f"Invalid type for '{part.place}.image_url': expected {expected}."
        raise ModelRefusal(400, words, code="invalid_type", param=f"{part.place}.image_url")
    url, detail = given, part.said.get("detail", "auto")
    if isinstance(given, Mapping):
        url, detail = given.get("url"), given.get("detail", "auto")
    if detail not in DETAILS:
        named = ", ".join(f"'{each}'" for each in DETAILS)
        words = f"Invalid value: '{detail}'. Supported values are: {named}."
        raise ModelRefusal(400, words, code="invalid_value", param=f"{part.place}.detail")
    picture = _decode(str(url), part.place)
    name = _NAME.search(part.before)
    return replace(picture, turn=part.turn, detail=detail, name=name[1] if name else "")


def _decode(url: str, place: str) -> ReceivedPicture:
    """Nothing is fetched here: a picture comes with its bytes."""
    data = _DATA.fullmatch(url)
    if data is None:
        raise ModelRefusal(
            400, f"Error while downloading {url[:200]}.", code="invalid_image_url", param=place
        )
    if not (data[1] or "").startswith("image/"):
        words = "Invalid MIME type. Only image types are supported."
        raise ModelRefusal(400, words, code="invalid_image_format", param=place)
    try:
        content = base64.b64decode(data[2], validate=True)
    except binascii.Error:
        words = f"Invalid base64 in '{place}'."
        raise ModelRefusal(400, words, code="invalid_base64", param=place) from None
    picture = read_picture(content)
    if picture is None or picture.moving or len(content) > PICTURE_BYTES:
        words = (
            "You uploaded an unsupported image. Please make sure your image is below 20 MB in size and is of "
            "one of the following formats: ['png', 'jpeg', 'gif', 'webp']."
        )
        raise ModelRefusal(400, words, code="invalid_image_format", param=place)
    return picture
