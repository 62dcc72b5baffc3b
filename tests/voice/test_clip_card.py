"""Cards as they are kept on disk, where earlier versions wrote them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from bot.voice.clip_card import ClipCard, dump_card, load_card
from bot.voice.transcript import Segment

KEPT: dict[str, Any] = {
    "id": "id1", "name": "memo.m4a", "length_s": 3.5, "model": "whisper-1", "language": "de",
    "said": [
        {"start_s": 0.0, "end_s": 1.5, "text": "Guten Tag", "speaker": "A"},
        {"start_s": 1.5, "end_s": 3.0, "text": "Danke.", "speaker": ""},
    ],
    "timed": False,
    "english": [{"start_s": 0.0, "end_s": 3.0, "text": "Good day. Thanks.", "speaker": ""}],
    "english_whole": False, "cost_usd": "0.0123",
}  # fmt: skip
CARD = ClipCard(
    "id1",
    "memo.m4a",
    3.5,
    "whisper-1",
    "de",
    (Segment(0.0, 1.5, "Guten Tag", "A"), Segment(1.5, 3.0, "Danke.")),
    timed=False,
    english=(Segment(0.0, 3.0, "Good day. Thanks."),),
    english_whole=False,
    cost_usd=Decimal("0.0123"),
)


def test_a_card_that_an_earlier_version_kept_is_read() -> None:
    assert load_card(json.dumps(KEPT)) == CARD


def test_a_card_is_kept_under_the_names_that_earlier_versions_read() -> None:
    kept = json.loads(dump_card(CARD))
    assert {name: kept[name] for name in KEPT} == KEPT
    assert load_card(json.dumps(KEPT | {"cost_usd": None})).cost_usd is None
