"""The clip card and the file with the whole text, as pure functions.

The transcript is shown as rich text, in which nothing is a link, a mention or a command: it is somebody's
words by way of a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.costs.amounts import dollars
from bot.reports.formats import UNPRICED
from bot.text import languages
from bot.text.redact import redact
from bot.voice.clip_card import ClipCard, format_time, join_segments
from bot.voice.transcript import Segment
from handlers.slack import blocks
from handlers.slack.blocks import FORGET_CLIP, Block
from handlers.slack.modals import plain_text
from handlers.slack.mrkdwn import escape

EDIT, TRANSLATE = "clip_edit", "clip_translate"
# A transcript of more characters is folded: so much of it on the card, all of it in a file.
LONG_CHARACTERS = 900
FOLDED_CHARACTERS = 600
# A recording of more has its times beside the words; a paragraph begins after so long, or with a new speaker.
SHORT_S = 60.0
PARAGRAPH_S = 30.0
FALLBACK_BYTES = 3_000
SPEAKERS = 6


def fallback_text(card: ClipCard) -> str:
    """The card as plain text: for notifications, screen readers, and the thread's memory."""
    told = f"{card.what_is_missing} {card.text}" if card.cut else card.text
    words = escape(redact(f"{card.name} ({', '.join(_facts(card)[:2])}): {told}"))
    return words.encode("utf-8", "replace")[:FALLBACK_BYTES].decode("utf-8", "ignore")


def card_blocks(card: ClipCard, id: str, *, file: bool, kept: bool = True) -> list[Block]:
    """The card: the words, their translation, facts, buttons. `file`: the whole text is in a file;
    `kept`: the words are, so that more can be done with them."""
    shown = [_title(card.name), _quote(card.segments, card)]
    if card.english:
        shown += [_title("In English"), _quote(card.english, card)]
    notes = [" · ".join(_facts(card))]
    if card.speakers:
        notes.append(", ".join(f"{who} {format_time(s)}" for who, s in card.speakers[:SPEAKERS]))
    if card.cut:
        notes.append(card.what_is_missing)
    if file:
        notes.append("The whole text is in the file.")
    if not card.english_whole:
        notes.append("The translation is not complete.")
    return [*shown, blocks.context(*notes), _buttons(card, id, kept=kept)]


def is_long(card: ClipCard) -> bool:
    return len(card.text) > LONG_CHARACTERS


def transcript_text(card: ClipCard) -> str:
    """The file beside a folded card: every line with its time."""
    lines = [_line(s, card) for s in card.segments]
    if card.english:
        lines += ["", "In English", "", *(_line(s, card) for s in card.english)]
    missing = [card.what_is_missing] if card.cut else []
    return "\n".join([card.name, " · ".join(_facts(card)), *missing, "", *lines, *missing, ""])


def _facts(card: ClipCard) -> list[str]:
    cost = UNPRICED if card.cost_usd is None else dollars(card.cost_usd)
    facts = [
        languages.name(card.language) if card.language else "",
        format_time(card.length_s),
        card.model,
        cost,
    ]
    if not card.timed and card.length_s > SHORT_S:
        facts.append("times estimated")
    return [fact for fact in facts if fact]


def _title(words: str) -> Block:
    bold = {"type": "text", "text": words or "Recording", "style": {"bold": True}}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [bold]}]}


def _quote(segments: Sequence[Segment], card: ClipCard) -> Block:
    elements: list[dict[str, Any]] = []
    left = FOLDED_CHARACTERS if is_long(card) else LONG_CHARACTERS * 2
    for paragraph in _paragraphs(segments, card):
        if elements:
            elements.append({"type": "text", "text": "\n"})
        if card.length_s > SHORT_S:
            time = {"type": "text", "text": format_time(paragraph.start_s), "style": {"code": True}}
            elements += [time, {"type": "text", "text": " "}]
        words = redact(f"{paragraph.speaker}: {paragraph.text}" if paragraph.speaker else paragraph.text)
        cut = len(words) > left
        elements.append({"type": "text", "text": words[:left].rstrip() + " …" if cut else words})
        left -= len(words)
        if left <= 0:
            break
    return {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": elements}]}


def _paragraphs(segments: Iterable[Segment], card: ClipCard) -> Iterable[Segment]:
    """Segments joined to paragraphs: one speaker, about half a minute."""
    kept: list[Segment] = []
    for s in segments:
        if kept and (s.speaker != kept[0].speaker or s.start_s - kept[0].start_s >= PARAGRAPH_S):
            yield _merge(kept, card)
            kept = []
        kept.append(s)
    if kept:
        yield _merge(kept, card)


def _merge(kept: list[Segment], card: ClipCard) -> Segment:
    words = join_segments([Segment(s.start_s, s.end_s, s.text) for s in kept], card.language)
    return Segment(kept[0].start_s, kept[-1].end_s, words, kept[0].speaker)


def _line(s: Segment, card: ClipCard) -> str:
    return f"[{format_time(s.start_s)}] " + redact(f"{s.speaker}: {s.text}" if s.speaker else s.text)


def _buttons(card: ClipCard, id: str, *, kept: bool) -> Block:
    buttons = [_button(EDIT, "Correct and ask again", id)] if kept else []
    if kept and card.language != "en" and not card.english:
        buttons.append(_button(TRANSLATE, "Translate", id))
    forget = _button(FORGET_CLIP, "Forget", id) | {
        "confirm": {
            "title": plain_text("Forget this clip?"),
            "text": plain_text("What I heard in it is erased, here too. The recording itself is yours."),
            "confirm": plain_text("Forget"),
            "deny": plain_text("Keep"),
        }
    }
    return {"type": "actions", "elements": [*buttons, forget]}


def _button(action: str, words: str, id: str) -> Block:
    return {"type": "button", "action_id": action, "text": plain_text(words), "value": id}
