"""The fake model takes pictures as the documented API does, and says of them what their bytes say."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from PIL import Image

from bot.sandbox.model.pictures import shorten_pictures
from bot.sandbox.model.server import FakeModel


@pytest.fixture
async def client() -> AsyncIterator[openai.AsyncOpenAI]:
    async with (
        FakeModel() as model,
        openai.AsyncOpenAI(base_url=model.base_url, api_key="sk-1", max_retries=0) as api,
    ):
        yield api


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 480), **how: Any) -> bytes:
    """Three quarters red, the rest blue."""
    drawn = Image.new("RGB", size, (200, 20, 20))
    drawn.paste((20, 40, 200), (0, 0, size[0], size[1] // 4))
    kept = io.BytesIO()
    drawn.save(kept, kind, **how)
    return kept.getvalue()


def address(content: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def parts(url: str, **more: str) -> list[dict[str, Any]]:
    """What a person says in a chat, with a picture."""
    image = {"type": "image_url", "image_url": {"url": url, **more}}
    return [{"type": "text", "text": "[picture: room.png]"}, image, {"type": "text", "text": "What is it?"}]


async def ask(client: openai.AsyncOpenAI, content: Any, model: str = "gpt-4.1", role: str = "user") -> Any:
    messages: Any = [{"role": role, "content": content}]
    return await client.chat.completions.create(model=model, messages=messages)


async def refused(call: Any) -> str:
    with pytest.raises(openai.BadRequestError) as caught:
        await call
    return str(caught.value.message)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_is_told_by_its_bytes(client: openai.AsyncOpenAI, kind: str) -> None:
    answer = await ask(client, parts(address(picture(kind))))
    said = answer.choices[0].message.content
    assert f"*room.png* is a {kind} of 640 × 480 pixels, mostly red (75%), blue (25%)" in said
    assert answer.usage.prompt_tokens > 20 * 15 * 1.2


async def test_the_other_endpoint_has_its_own_shape_for_it(client: openai.AsyncOpenAI) -> None:
    shown = {"type": "input_image", "image_url": address(picture()), "detail": "low"}
    said: Any = [shown, {"type": "input_text", "text": "Which colours?"}]
    items: Any = [{"type": "message", "role": "user", "content": said}]
    answer = await client.responses.create(model="gpt-4.1", input=items)
    assert "mostly red" in answer.output_text
    items[0]["content"] = parts(address(picture()))
    assert "Invalid value: 'text'" in await refused(client.responses.create(model="gpt-4.1", input=items))


async def test_earlier_pictures_are_told_when_somebody_asks(client: openai.AsyncOpenAI) -> None:
    messages: Any = [
        {"role": "user", "content": parts(address(picture()))},
        {"role": "assistant", "content": "A room."},
        {"role": "user", "content": "Which colours has the picture?"},
    ]
    answer = await client.chat.completions.create(model="gpt-4.1", messages=messages)
    assert "mostly red" in str(answer.choices[0].message.content)
    messages[-1]["content"] = "Thanks"
    answer = await client.chat.completions.create(model="gpt-4.1", messages=messages)
    assert "mostly red" not in str(answer.choices[0].message.content)


async def test_tokens_follow_size_and_detail(client: openai.AsyncOpenAI) -> None:
    async def count(**how: str) -> int:
        answer = await ask(client, parts(address(picture("JPEG", (4032, 3024)), "image/jpeg"), **how))
        return int(answer.usage.prompt_tokens)

    auto, high, low = await count(), await count(detail="high"), await count(detail="low")
    assert (round(auto / 14_364, 2), round(high / 3_000, 2)) == (1.0, 1.0)
    assert low < 350


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (address(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"), "unsupported image"),
        (address(b"\0\0\0\x18ftypheic0000", "image/heic"), "unsupported image"),
        (address(picture() + bytes(21 * 1024 * 1024)), "below 20 MB"),
        (
            address(picture("GIF", save_all=True, append_images=[Image.new("RGB", (640, 480))]), "image/gif"),
            "unsupported image",
        ),
        (address(b"%PDF-1.7", "application/pdf"), "Only image types"),
        ("data:image/png;base64,not base64", "Invalid base64"),
        ("http://127.0.0.1/room.png", "Error while downloading"),
    ],
)
async def test_what_is_no_picture_is_refused(client: openai.AsyncOpenAI, url: str, words: str) -> None:
    assert words in await refused(ask(client, parts(url)))


async def test_a_model_that_cannot_see_says_so(client: openai.AsyncOpenAI) -> None:
    said = parts(address(picture()))
    words = await refused(ask(client, said, "gpt-3.5-turbo"))
    assert "image_url is only supported by certain models" in words
    assert (await ask(client, "Hello", "gpt-3.5-turbo")).choices


async def test_only_people_show_pictures(client: openai.AsyncOpenAI) -> None:
    said = parts(address(picture()))
    assert "only allowed for messages with role 'user'" in await refused(ask(client, said, role="assistant"))
    wrong = [{"type": "image", "image_url": "x"}]
    assert "Supported values are: 'text' and 'image_url' and" in await refused(ask(client, wrong))


def test_who_looks_at_a_request_is_spared_the_bytes() -> None:
    body = {"messages": [{"content": parts(address(picture()))}]}
    shown = str(shorten_pictures(body))
    assert "data:image/png;base64,…" in shown
    assert len(shown) < 300
