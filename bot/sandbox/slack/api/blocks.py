"""Checks what an app puts into a message or a view, as Slack does: blocks, chunks, metadata, views.

Every check raises `SlackRefusal` with Slack's error code and, where Slack names the place, a JSON pointer.
Slack knows more shapes than are checked here in detail; an unknown block type is refused, a field is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from bot.sandbox.slack import codes, limits


class SlackRefusal(Exception):
    """An answer with ok: false. `extra` is merged into it."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.answer: dict[str, Any] = {"ok": False, "error": code, **extra}
        if messages:
            self.answer["response_metadata"] = {"messages": [f"[ERROR] {text}" for text in messages]}


MESSAGE_BLOCKS = frozenset(
    {
        "actions", "call", "card", "carousel", "container", "context", "context_actions", "data_table",
        "data_visualization", "divider", "file", "header", "image", "input", "markdown", "plan", "rich_text",
        "section", "table", "task_card", "video", "auth_provider",
    }
)  # fmt: skip
# The markdown block is for messages only. Source: docs.slack.dev/reference/block-kit/blocks/markdown-block
VIEW_BLOCKS = (MESSAGE_BLOCKS - {"markdown", "plan", "task_card", "context_actions", "file"}) | {"alert"}


def check_blocks(blocks: Any, *, too_many: str = codes.INVALID_BLOCKS) -> list[dict[str, Any]]:
    """The blocks of a message; their types, sizes and counts, alone and together."""
    if not isinstance(blocks, list) or not all(isinstance(b, dict) for b in blocks):
        raise SlackRefusal(codes.INVALID_BLOCKS_FORMAT)
    if len(blocks) > limits.MESSAGE_BLOCKS:
        raise SlackRefusal(
            too_many, f"no more than {limits.MESSAGE_BLOCKS} items allowed [json-pointer:/blocks]"
        )
    for at, block in enumerate(blocks):
        _check_block(block, f"/blocks/{at}", MESSAGE_BLOCKS)
    markdown = sum(len(b["text"]) for b in blocks if b["type"] == "markdown")
    if markdown > limits.MARKDOWN_BLOCKS_CHARS:
        raise SlackRefusal(codes.MSG_BLOCKS_TOO_LONG)
    if sum(b["type"] == "table" for b in blocks) > 1:
        raise SlackRefusal(codes.INVALID_ATTACHMENTS, "only_one_table_allowed")
    if blocks and len(orjson.dumps(blocks).decode()) > limits.BLOCKS_CHARS:
        raise SlackRefusal(codes.MSG_BLOCKS_TOO_LONG)
    return blocks


def _bad(pointer: str, what: str) -> SlackRefusal:
    return SlackRefusal(codes.INVALID_BLOCKS, f"{what} [json-pointer:{pointer}]")


def _check_block(block: dict[str, Any], at: str, allowed: frozenset[str]) -> None:
    kind = block.get("type")
    if kind not in allowed:
        raise _bad(at + "/type", f"unsupported type: {kind}")
    if len(str(block.get("block_id", ""))) > limits.IDENTIFIER_CHARS:
        raise _bad(at + "/block_id", f"must be less than {limits.IDENTIFIER_CHARS + 1} characters")
    if check := _CHECKS.get(kind):
        check(block, at)


def _text(value: Any, at: str, most: int, *, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        raise _bad(at, "must be a text object of type " + " or ".join(kinds))
    text = value.get("text")
    if not isinstance(text, str) or not text:
        raise _bad(at + "/text", "must be more than 0 characters")
    if len(text) > most:
        raise _bad(at + "/text", f"must be less than {most + 1} characters")


def _section(block: dict[str, Any], at: str) -> None:
    if "text" in block:
        _text(block["text"], at + "/text", limits.SECTION_CHARS)
    fields = block.get("fields", [])
    if "text" not in block and not fields:
        raise _bad(at, "missing required field: text or fields")
    if len(fields) > limits.SECTION_FIELDS:
        raise _bad(at + "/fields", f"no more than {limits.SECTION_FIELDS} items allowed")
    for n, value in enumerate(fields):
        _text(value, f"{at}/fields/{n}", limits.FIELD_CHARS)
    if "accessory" in block:
        _interactive(block["accessory"], at + "/accessory")


def _header(block: dict[str, Any], at: str) -> None:
    _text(block.get("text"), at + "/text", limits.HEADER_CHARS, kinds=("plain_text",))


def _markdown(block: dict[str, Any], at: str) -> None:
    if not isinstance(block.get("text"), str) or not block["text"]:
        raise _bad(at + "/text", "must be more than 0 characters")


def _elements(block: dict[str, Any], at: str, most: int) -> list[Any]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        raise _bad(at + "/elements", "missing required field")
    if len(elements) > most:
        raise _bad(at + "/elements", f"no more than {most} items allowed")
    return elements


def _context(block: dict[str, Any], at: str) -> None:
    for n, element in enumerate(_elements(block, at, limits.CONTEXT_ELEMENTS)):
        if element.get("type") == "image":
            _image(element, f"{at}/elements/{n}")
        else:
            _text(element, f"{at}/elements/{n}", limits.SECTION_CHARS)


def _actions(block: dict[str, Any], at: str) -> None:
    names = [e["action_id"] for e in block.get("elements", ()) if "action_id" in e]
    if len(names) != len(set(names)):
        raise _bad(at + "/elements", "action_id already exists in the block")
    for n, element in enumerate(_elements(block, at, limits.ACTIONS_ELEMENTS)):
        _interactive(element, f"{at}/elements/{n}")


def _context_actions(block: dict[str, Any], at: str) -> None:
    for n, element in enumerate(_elements(block, at, limits.CONTEXT_ACTIONS_ELEMENTS)):
        if element.get("type") not in ("feedback_buttons", "icon_button"):
            raise _bad(f"{at}/elements/{n}/type", f"unsupported type: {element.get('type')}")
        _interactive(element, f"{at}/elements/{n}")


def _interactive(element: dict[str, Any], at: str) -> None:
    if len(str(element.get("action_id", ""))) > limits.IDENTIFIER_CHARS:
        raise _bad(at + "/action_id", f"must be less than {limits.IDENTIFIER_CHARS + 1} characters")
    if len(str(element.get("value", ""))) > limits.BUTTON_VALUE_CHARS:
        raise _bad(at + "/value", f"must be less than {limits.BUTTON_VALUE_CHARS + 1} characters")
    kind = element.get("type")
    if kind == "button":
        _text(element.get("text"), at + "/text", limits.BUTTON_TEXT_CHARS, kinds=("plain_text",))
    if kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            button = element.get(side, {})
            _text(button.get("text"), f"{at}/{side}/text", limits.BUTTON_TEXT_CHARS, kinds=("plain_text",))
            if "value" not in button:
                raise _bad(f"{at}/{side}/value", "missing required field")
    if kind is None:
        raise _bad(at + "/type", "missing required field")
    if "placeholder" in element:
        _text(element["placeholder"], at + "/placeholder", limits.PLACEHOLDER_CHARS, kinds=("plain_text",))
    _options(element, at)
    if kind == "plain_text_input":
        _field(element, at)
    if kind == "file_input":
        _file_input(element, at)


def _options(element: dict[str, Any], at: str) -> None:
    options = element.get("options", ())
    if len(options) > limits.OPTIONS:
        raise _bad(at + "/options", f"no more than {limits.OPTIONS} items allowed")
    for n, option in enumerate(options):
        _text(option.get("text"), f"{at}/options/{n}/text", limits.OPTION_TEXT_CHARS)
    if "initial_option" in element and element["initial_option"] not in options:
        raise _bad(at + "/initial_option", "must be one of the options")


def _field(element: dict[str, Any], at: str) -> None:
    most = element.get("max_length", limits.INPUT_CHARS)
    if not 0 < most <= limits.INPUT_CHARS:
        raise _bad(at + "/max_length", f"must be at most {limits.INPUT_CHARS}")
    if len(element.get("initial_value", "")) > most:
        raise _bad(at + "/initial_value", f"must be less than {most + 1} characters")


def _file_input(element: dict[str, Any], at: str) -> None:
    """Source: docs.slack.dev/reference/block-kit/block-elements/file-input-element"""
    if not at.startswith("/view/") or not at.endswith("/element"):
        raise _bad(at + "/type", "unsupported type: file_input")
    if not 1 <= element.get("max_files", 1) <= limits.FILE_INPUT_FILES:
        raise _bad(at + "/max_files", f"must be between 1 and {limits.FILE_INPUT_FILES}")
    if not all(isinstance(ending, str) for ending in element.get("filetypes", ())):
        raise _bad(at + "/filetypes", "must be a list of strings")


def _image(block: dict[str, Any], at: str) -> None:
    if not block.get("image_url") and not block.get("slack_file"):
        raise _bad(at, "missing required field: image_url or slack_file")
    if not isinstance(block.get("alt_text"), str):
        raise _bad(at + "/alt_text", "missing required field")
    if len(block["alt_text"]) > limits.IMAGE_ALT_CHARS:
        raise _bad(at + "/alt_text", f"must be less than {limits.IMAGE_ALT_CHARS + 1} characters")


def _table(block: dict[str, Any], at: str) -> None:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        raise _bad(at + "/rows", "missing required field")
    if len(rows) > limits.TABLE_ROWS or any(len(row) > limits.TABLE_COLUMNS for row in rows):
        raise _bad(at + "/rows", f"no more than {limits.TABLE_ROWS} x {limits.TABLE_COLUMNS} cells allowed")


def _input(block: dict[str, Any], at: str) -> None:
    _text(block.get("label"), at + "/label", limits.LABEL_CHARS, kinds=("plain_text",))
    if "hint" in block:
        _text(block["hint"], at + "/hint", limits.LABEL_CHARS, kinds=("plain_text",))
    if not isinstance(block.get("element"), dict):
        raise _bad(at + "/element", "missing required field")
    _interactive(block["element"], at + "/element")


_CHECKS: dict[str, Callable[[dict[str, Any], str], None]] = {
    "section": _section,
    "header": _header,
    "markdown": _markdown,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "image": _image,
    "table": _table,
    "input": _input,
}


def check_metadata(metadata: Any) -> dict[str, Any]:
    """Message metadata: {event_type, event_payload} or {entities}."""
    if not isinstance(metadata, dict):
        raise SlackRefusal(codes.INVALID_METADATA_FORMAT)
    if "entities" not in metadata and not (
        isinstance(metadata.get("event_type"), str)
        and metadata["event_type"]
        and isinstance(metadata.get("event_payload"), dict)
    ):
        raise SlackRefusal(codes.INVALID_METADATA_SCHEMA)
    if len(orjson.dumps(metadata)) > limits.METADATA_BYTES:
        raise SlackRefusal(codes.METADATA_TOO_LARGE)
    return metadata


def check_chunks(chunks: Any) -> list[dict[str, Any]]:
    """The chunks of a stream: markdown_text, task_update, plan_update, blocks."""
    if not isinstance(chunks, list) or not all(isinstance(c, dict) for c in chunks):
        raise SlackRefusal(codes.INVALID_CHUNKS)
    for chunk in chunks:
        check = _CHUNKS.get(str(chunk.get("type")))
        if check is None or not check(chunk):
            raise SlackRefusal(codes.INVALID_CHUNKS)
    if sum(len(c["blocks"]) for c in chunks if c["type"] == "blocks") > limits.MESSAGE_BLOCKS:
        raise SlackRefusal(codes.MSG_BLOCKS_TOO_MANY)
    return chunks


def _markdown_chunk(chunk: dict[str, Any]) -> bool:
    text = chunk.get("text")
    if isinstance(text, str) and len(text) > limits.MARKDOWN_TEXT_CHARS:
        raise SlackRefusal(codes.MSG_TOO_LONG)
    return isinstance(text, str)


def _task_chunk(chunk: dict[str, Any]) -> bool:
    return (
        bool(chunk.get("id"))
        and isinstance(chunk.get("title"), str)
        and chunk.get("status", "pending") in limits.TASK_STATUSES
        and all(isinstance(chunk.get(name, ""), str) for name in ("details", "output"))
    )


def _blocks_chunk(chunk: dict[str, Any]) -> bool:
    check_blocks(chunk.get("blocks"), too_many=codes.MSG_BLOCKS_TOO_MANY)
    return True


_CHUNKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "markdown_text": _markdown_chunk,
    "task_update": _task_chunk,
    "plan_update": lambda chunk: isinstance(chunk.get("title"), str),
    "blocks": _blocks_chunk,
}


_VIEW_CHARS = {
    "private_metadata": limits.VIEW_METADATA_CHARS,
    "callback_id": limits.IDENTIFIER_CHARS,
    "external_id": limits.IDENTIFIER_CHARS,
}


def check_view(view: Any, *, kind: str) -> dict[str, Any]:
    """A modal or a home view as an app sends it."""
    if not isinstance(view, dict):
        raise SlackRefusal(codes.INVALID_ARGUMENTS, "must be an object [json-pointer:/view]")
    if view.get("type") != kind:
        raise SlackRefusal(codes.INVALID_ARGUMENTS, f"must be {kind} [json-pointer:/view/type]")
    if not isinstance(view.get("blocks"), list):
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS, "missing required field: blocks [json-pointer:/view/blocks]"
        )
    if len(view["blocks"]) > limits.VIEW_BLOCKS:
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS,
            f"no more than {limits.VIEW_BLOCKS} items allowed [json-pointer:/view/blocks]",
        )
    if len(orjson.dumps(view)) > limits.VIEW_CHARS:
        raise SlackRefusal(codes.VIEW_TOO_LARGE)
    names = [block["block_id"] for block in view["blocks"] if block.get("block_id")]
    if len(names) != len(set(names)):
        raise SlackRefusal(codes.INVALID_ARGUMENTS, "block_id already exists [json-pointer:/view/blocks]")
    for name, most in _VIEW_CHARS.items():
        if len(view.get(name, "")) > most:
            raise SlackRefusal(
                codes.INVALID_ARGUMENTS,
                f"must be less than {most + 1} characters [json-pointer:/view/{name}]",
            )
    try:
        if kind == "modal":
            _modal_texts(view)
        for at, block in enumerate(view["blocks"]):
            _check_block(block, f"/view/blocks/{at}", VIEW_BLOCKS)
    except SlackRefusal as refusal:
        # Views report their faults as arguments, not as invalid_blocks.
        messages = refusal.answer["response_metadata"]
        raise SlackRefusal(codes.INVALID_ARGUMENTS, response_metadata=messages) from refusal
    return view


def _modal_texts(view: dict[str, Any]) -> None:
    _text(view.get("title"), "/view/title", limits.VIEW_TITLE_CHARS, kinds=("plain_text",))
    for name in ("submit", "close"):
        if view.get(name) is not None:
            _text(view[name], f"/view/{name}", limits.VIEW_TITLE_CHARS, kinds=("plain_text",))
    if "submit" not in view and any(b.get("type") == "input" for b in view["blocks"]):
        raise _bad("/view/submit", "missing required field: submit is needed with input blocks")
