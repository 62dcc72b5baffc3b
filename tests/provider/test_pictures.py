"""Pictures in requests: their form at each endpoint, their price before it, and models that cannot see."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bot.core.values import Message, Prompt, ShownPicture
from bot.provider.pictures import bound_tokens, find_refused_pictures, leave_out_pictures
from bot.provider.prompt_formats import STYLES
from bot.provider.strict_roles import NO_REPEATS, fit_roles

PLAN = ShownPicture("plan.png", "image/png", 100, 64, b"\x89PNG plan")
PHOTO = ShownPicture("a [photo].jpg", "image/jpeg", 2048, 1536, b"\xff\xd8 photo")
ASKED = Prompt(
    "Be brief.",
    (
        Message("human", "Here.", pictures=(PHOTO,)),
        Message("assistant", "I see."),
        Message("human", "And this?", pictures=(PLAN,)),
    ),
    about="Asked by: Alice",
)


def data(picture: ShownPicture) -> str:
    return f"data:{picture.mime};base64,{base64.b64encode(picture.content).decode()}"


def test_in_a_chat_a_picture_stands_with_its_name_before_the_words_of_its_message() -> None:
    first, answer, question = STYLES["chat"].build(ASKED, ())["messages"][1:]
    assert first["content"] == [
        {"type": "text", "text": "[picture: a (photo).jpg]"},
        {"type": "image_url", "image_url": {"url": data(PHOTO), "detail": "high"}},
        {"type": "text", "text": "Here."},
    ]
    assert answer == {"role": "assistant", "content": "I see."}
    assert question["content"][1]["image_url"]["url"] == data(PLAN)
    assert question["content"][2]["text"].startswith("And this?\n\n[About this message]")


def test_what_is_told_about_a_question_changes_nothing_before_its_words_in_the_next_turn() -> None:
    alone = Prompt("", ASKED.messages[:1], about="Asked by: Alice")
    (asked,) = STYLES["chat"].build(alone, ())["messages"]
    later = STYLES["chat"].build(ASKED, ())["messages"][1]
    assert asked["content"][:2] == later["content"][:2]


def test_response_items_hold_pictures_as_that_endpoint_documents_them() -> None:
    first = STYLES["responses"].build(ASKED, ())["input"][0]
    assert first["content"] == [
        {"type": "input_text", "text": "[picture: a (photo).jpg]"},
        {"type": "input_image", "image_url": data(PHOTO), "detail": "high"},
        {"type": "input_text", "text": "Here."},
    ]


def test_a_prompt_without_pictures_is_as_it_was() -> None:
    plain = Prompt("", (Message("human", "Hello"),), about="Asked by: Alice")
    (said,) = STYLES["chat"].build(plain, ())["messages"]
    assert said["content"] == "Hello\n\n[About this message]\nAsked by: Alice"


def test_a_picture_is_bounded_by_its_patches() -> None:
    assert PLAN.most_tokens == 10  # 4 × 2 patches
    assert PHOTO.most_tokens == 3687  # 64 × 48
    assert bound_tokens(ASKED) > PLAN.most_tokens + PHOTO.most_tokens


def test_a_model_that_cannot_see_is_told_what_it_is_not_shown() -> None:
    blind = leave_out_pictures(ASKED)
    assert bound_tokens(blind) == 0
    assert blind.messages[0].text == (
        "[picture: a (photo).jpg, not shown to you, because you cannot see pictures]\nHere."
    )


def test_messages_with_and_without_pictures_become_one_where_roles_must_alternate() -> None:
    for style, field, kind in (("chat", "messages", "text"), ("responses", "input", "input_text")):
        prompt = Prompt("", (*ASKED.messages[::2], Message("human", "Well?")))
        (joined,) = fit_roles(STYLES[style].build(prompt, ()), [NO_REPEATS])[field]
        texts = [part["text"] for part in joined["content"] if part["type"] == kind]
        assert texts == ["[picture: a (photo).jpg]", "Here.", "[picture: plan.png]", "And this?", "Well?"]


@pytest.mark.parametrize(
    "said",
    [
        "Invalid content type. image_url is only supported by certain models.",
        "this model does not support image input (ref: 1)",
        "Model do not support image input.",
        "No endpoints found that support image input",
        "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
        "llama-3 is not a multimodal model",
        "At most 0 image(s) may be provided in one prompt.",
        "messages[1]: unknown variant `image_url`, expected `text`",
        "'messages.0.content' : value must be a string",
        "Image inputs are not supported by this model.",
    ],
)
def test_a_refusal_of_pictures_is_told_from_others_by_its_words(said: str) -> None:
    body = STYLES["chat"].build(ASKED, ())
    assert find_refused_pictures(Exception(said), body)
    words: dict[str, Any] = STYLES["chat"].build(leave_out_pictures(ASKED), ())
    assert not find_refused_pictures(Exception(said), words), "nothing was shown"


@pytest.mark.parametrize(
    "said",
    [
        "You uploaded an unsupported image. Please make sure your image is valid.",
        "The image is too large.",
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "This model's maximum context length is 8192 tokens.",
    ],
)
def test_what_is_wrong_with_one_picture_says_nothing_of_the_model(said: str) -> None:
    assert not find_refused_pictures(Exception(said), STYLES["chat"].build(ASKED, ()))
