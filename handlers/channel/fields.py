"""Fields of a form. Each has the name of what it sets, so that a problem is shown where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.slack.blocks import Block
from handlers.slack.modals import View, plain_text

FIELD = 3_000  # Source: docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
PLACEHOLDER = 150  # Source: the same
MULTILINE = 300  # from so many characters on a field has several lines


def text_field(
    name: str, label: str, value: str, *, most: int = FIELD, hint: str = "", placeholder: str = ""
) -> Block:
    """A text that may be left empty."""
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": most >= MULTILINE,
        "max_length": most,
    }
    if value:
        element["initial_value"] = value
    if placeholder:
        element["placeholder"] = plain_text(shorten(placeholder, PLACEHOLDER))
    return _input(name, label, element, hint) | {"optional": True}


def choice_field(name: str, label: str, words: Mapping[str, str], value: str, *, hint: str = "") -> Block:
    """One of a few values, each shown in words."""
    options = {value: {"text": plain_text(text), "value": value} for value, text in words.items()}
    element = {
        "type": "static_select",
        "action_id": name,
        "options": list(options.values()),
        "initial_option": options[value],
    }
    return _input(name, label, element, hint)


def people_field(name: str, label: str, people: Sequence[str], *, most: int, hint: str) -> Block:
    """Some people, or nobody."""
    element: dict[str, Any] = {"type": "multi_users_select", "action_id": name, "max_selected_items": most}
    if people:
        element["initial_users"] = list(people)
    return _input(name, label, element, hint) | {"optional": True}


def _input(name: str, label: str, element: dict[str, Any], hint: str) -> Block:
    block = {"type": "input", "block_id": name, "label": plain_text(label), "element": element}
    return block | {"hint": plain_text(hint)} if hint else block


def read_answers(view: View) -> dict[str, str]:
    """What stands in each field of a form that was sent."""
    return dict(_read_fields(view["state"]["values"]))


def shorten(text: str, most: int) -> str:
    """The text, or its beginning with a mark that it goes on."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _read_fields(values: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for field, answers in values.items():
        (answer,) = answers.values()
        chosen, people = answer.get("selected_option"), answer.get("selected_users") or []
        yield field, chosen["value"] if chosen else answer.get("value") or " ".join(people)
