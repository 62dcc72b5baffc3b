"""Reads what a person fills in: the action of a pressed element, and the answers of a submitted modal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Block = dict[str, Any]
Element = dict[str, Any]


class NotPossible(ValueError):
    """Slack's clients would not let a person do that."""


def find_elements(blocks: list[Block]) -> Iterator[tuple[Block, Element]]:
    """Every interactive element with its block."""
    for block in blocks:
        for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if element and "action_id" in element:
                yield block, element


def find_action(blocks: list[Block], action_id: str, value: str | None, user: str, ts: str) -> dict[str, Any]:
    """What block_actions says of the element that was used; `value` chooses among options and feedback."""
    for block, element in find_elements(blocks):
        if element["action_id"] == action_id and _is_pressed(element, value):
            if user not in element.get("visible_to_user_ids", [user]):
                raise NotPossible("only others see that button")
            about = {"type": element["type"], "action_id": action_id, "block_id": block["block_id"]}
            return about | _describe_use(element, value) | {"action_ts": ts}
    raise NotPossible(f"there is nothing to press called {action_id}")


def _is_pressed(element: Element, value: str | None) -> bool:
    """Of several buttons with one action_id, the one with that value."""
    return element["type"] != "button" or value is None or element.get("value") == value


def _describe_use(element: Element, value: str | None) -> dict[str, Any]:
    kind = element["type"]
    if kind == "feedback_buttons":
        negative = value in ("negative", element["negative_button"]["value"])
        pressed = element["negative_button" if negative else "positive_button"]
        return {"text": pressed["text"], "value": pressed["value"]}
    if kind in ("button", "icon_button"):
        return {"text": element.get("text"), "value": element.get("value", "")}
    return _answer(element, value)


def read_answers(blocks: list[Block], values: dict[str, Any]) -> dict[str, Any]:
    """state.values of a modal from answers by action_id; a required one that is missing is not sent."""
    state: dict[str, Any] = {}
    action_ids = set()
    for block, element in find_elements(blocks):
        if element["type"] in ("button", "overflow"):
            continue
        action_id = element["action_id"]
        action_ids.add(action_id)
        value = values.get(action_id, _initial(element))
        if block["type"] == "input" and not block.get("optional") and value in (None, "", []):
            raise NotPossible(f"{action_id} needs an answer")
        if isinstance(value, str) and len(value) > element.get("max_length", len(value)):
            raise NotPossible(f"{action_id} takes {element['max_length']} characters")
        answer = {"type": element["type"], **_answer(element, value)}
        state.setdefault(block["block_id"], {})[action_id] = answer
    if unknown := values.keys() - action_ids:
        raise NotPossible(f"the modal does not ask for {', '.join(sorted(unknown))}")
    return state


_ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})
# How a chosen id is named. Source: docs.slack.dev/reference/interaction-payloads/view-interactions-payload
_SELECTED = {
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "users_select": "selected_user",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
    "multi_users_select": "selected_users",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}


def _answer(element: Element, value: Any) -> dict[str, Any]:
    """An element's answer, as state.values and actions carry it."""
    kind = element["type"]
    if kind == "file_input":
        return {"files": list(value or ())}
    if kind in _ONE_OPTION:
        return {"selected_option": None if value is None else _option(element, value)}
    if kind in _OPTIONS:
        return {"selected_options": [_option(element, one) for one in value or ()]}
    return {_SELECTED.get(kind, "value"): value}


def _option(element: Element, value: Any) -> dict[str, Any]:
    grouped = (option for group in element.get("option_groups", ()) for option in group["options"])
    for option in (*element.get("options", ()), *grouped):
        if option["value"] == value:
            return dict(option)
    raise NotPossible(f"there is no option {value}")


def _initial(element: Element) -> Any:
    if "initial_option" in element:
        return element["initial_option"]["value"]
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    return next((value for name, value in element.items() if name.startswith("initial_")), None)
