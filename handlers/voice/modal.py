"""The modal in which a transcript is corrected: as many fields as it needs, cut where sentences end."""

from __future__ import annotations

from typing import Any

from bot.voice.clip_card import ClipCard
from handlers.slack import blocks
from handlers.slack.blocks import Block
from handlers.slack.modals import plain_text

EDITED = "clip_edited"
# Source: plain_text_input of Block Kit takes 3,000 characters; there has to be room for a correction.
FIELD_CHARACTERS = 3_000
FILLED_CHARACTERS = 2_900
FIELDS = 20  # of the 100 blocks and 250,000 characters that a view may have
LABEL_CHARACTERS = 150
THE_REST = "What is said after this stays as it was heard."
_ENDS = ("\n\n", ". ", "。", " ")  # the best places to cut at first


def correction_modal(card: ClipCard, id: str) -> dict[str, Any]:
    """The transcript of a card, to be corrected."""
    fields = split_text(card.text)
    shown = [_input(number, words, card.name) for number, words in enumerate(fields[:FIELDS])]
    return {
        "type": "modal",
        "callback_id": EDITED,
        "private_metadata": id,
        "title": plain_text("What was said"),
        "submit": plain_text("Answer again"),
        "close": plain_text("Cancel"),
        "blocks": [*shown, blocks.context(THE_REST)] if fields[FIELDS:] else shown,
    }


def read_correction(view: dict[str, Any], card: ClipCard) -> str:
    """The corrected text; "" when nothing was changed."""
    values = view["state"]["values"]
    names = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    now = [(values.get(name, {}).get(name, {}).get("value") or "").strip() for name in names]
    before = [words.strip() for words in split_text(card.text)]
    if now == before[: len(now)]:
        return ""
    return "\n".join(filter(None, [*now, *before[len(now) :]]))


def split_text(text: str) -> list[str]:
    """The text in pieces that fill a field each."""
    found = []
    while len(text) > FILLED_CHARACTERS:
        end = _find_cut(text[:FILLED_CHARACTERS])
        found.append(text[:end])
        text = text[end:]
    return [*found, text]


def _find_cut(text: str) -> int:
    """Where to cut: after the last paragraph, sentence or word in the second half."""
    for mark in _ENDS:
        if (at := text.rfind(mark, len(text) // 2)) >= 0:
            return at + len(mark)
    return len(text)


def _input(number: int, words: str, name: str) -> Block:
    field = {
        "type": "plain_text_input",
        "action_id": f"words{number}",
        "multiline": True,
        "initial_value": words,
        "max_length": FIELD_CHARACTERS,
    }
    return {
        "type": "input",
        "block_id": f"words{number}",
        "optional": number > 0,
        "label": plain_text((name[:LABEL_CHARACTERS] or "Recording") if number == 0 else "and then"),
        "element": field,
    }
