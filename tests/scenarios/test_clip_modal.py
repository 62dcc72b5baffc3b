"""The modal in which a transcript is corrected."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.api.blocks import check_view
from bot.voice.clip_card import ClipCard
from bot.voice.transcript import Segment
from handlers.voice import modal

SENTENCES = [f"This is sentence number {n}, and it says nothing new." for n in range(2_000)]
# About two hours of talk; more than one modal holds.
LONG = ClipCard(
    "1", "board.mp3", 7_200, "whisper-1", "en", tuple(Segment(n, n + 1, s) for n, s in enumerate(SENTENCES))
)
TWO = ClipCard("2", "call.wav", 4, "m", "en", (Segment(0, 1, "Hi.", "A"), Segment(1, 2, "Hello.", "B")))


def filled(card: ClipCard, **changed: str) -> dict[str, Any]:
    """The submitted view, some of its fields changed."""
    view = check_view(modal.correction_modal(card, card.id), kind="modal")
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    values = {
        b["block_id"]: {b["block_id"]: {"value": changed.get(b["block_id"], b["element"]["initial_value"])}}
        for b in inputs
    }
    return view | {"state": {"values": values}}


def test_pieces_are_the_whole_text_cut_behind_sentences() -> None:
    pieces = modal.split_text(LONG.text)
    assert "".join(pieces) == LONG.text
    assert all(piece.endswith(". ") for piece in pieces[:-1])
    assert max(map(len, pieces)) <= modal.FILLED_CHARACTERS


def test_text_without_any_place_to_cut_is_cut_all_the_same() -> None:
    pieces = modal.split_text("会" * 7_000)
    assert [len(piece) for piece in pieces] == [2_900, 2_900, 1_200]


def test_of_a_very_long_transcript_the_beginning_can_be_corrected_and_the_rest_stays() -> None:
    text = modal.read_correction(filled(LONG, words3="Corrected."), LONG)
    assert modal.THE_REST in str(modal.correction_modal(LONG, "1"))
    assert "Corrected." in text
    assert text.endswith(SENTENCES[-1])
    assert text.startswith(SENTENCES[0])


def test_nothing_changed_is_nothing_to_do() -> None:
    assert modal.read_correction(filled(LONG), LONG) == ""
    assert modal.read_correction(filled(TWO), TWO) == ""


def test_who_said_it_can_be_seen_and_corrected() -> None:
    assert (
        modal.read_correction(filled(TWO, words0="Anna: Hi.\n\nBen: Hello."), TWO)
        == "Anna: Hi.\n\nBen: Hello."
    )
