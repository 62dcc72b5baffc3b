"""What came of a recording: the values that the card in the thread and the caption files are made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from bot.text.marks import mark_cut_recording
from bot.voice.transcript import Segment

SEGMENTS = "said"  # their name in what is stored
_SPACELESS = frozenset({"ja", "zh", "yue", "th", "lo", "my", "km"})


@dataclass(frozen=True, slots=True)
class ClipCard:
    """A recording in words. Nothing said at all is a result, not an error: `has_words` is False then."""

    id: str  # under which it is stored
    name: str  # the file's, as its owner calls it
    length_s: float
    model: str
    language: str = ""  # code; "" when unknown
    segments: tuple[Segment, ...] = ()
    timed: bool = True  # False: the times are estimated
    english: tuple[Segment, ...] = ()  # empty when it is English already, or nobody asked
    english_whole: bool = True  # False: the translation was cut
    cost_usd: Decimal | None = Decimal(0)  # None: unpriced
    cut: bool = False  # the file breaks off: the end of the recording is missing
    corrected: bool = False  # a person said what was really said
    promised_s: float = 0.0  # how long the file says that it is, where it breaks off; 0: it does not say

    @property
    def has_words(self) -> bool:
        return bool(self.segments)

    @property
    def text(self) -> str:
        return join_segments(self.segments, self.language)

    @property
    def english_text(self) -> str:
        return join_segments(self.english, "en")

    @property
    def what_is_missing(self) -> str:
        """That the end is missing, in a sentence; empty of a whole recording."""
        return f"The end is missing: the file breaks off {self._where_cut}." if self.cut else ""

    @property
    def text_for_model(self) -> str:
        """All words, and a mark where the recording breaks off."""
        return f"{self.text}\n{mark_cut_recording(self._where_cut)}" if self.cut else self.text

    @property
    def _where_cut(self) -> str:
        of = f" of {format_time(self.promised_s)}" if self.promised_s else ""
        return f"after {format_time(self.length_s)}{of}"

    @property
    def speakers(self) -> tuple[tuple[str, float], ...]:
        """(label, seconds spoken), who spoke most first; empty when the model does not tell."""
        seconds: dict[str, float] = {}
        for s in self.segments:
            if s.speaker:
                seconds[s.speaker] = seconds.get(s.speaker, 0.0) + s.end_s - s.start_s
        return tuple(sorted(seconds.items(), key=lambda each: -each[1]))


@dataclass(frozen=True, slots=True)
class Traces:
    """Where a card may still be seen. `shown` and `file` are ids, "" when there is none that is known."""

    id: str
    channel: str
    thread: str
    message: str  # the card stands behind it
    shown: str
    file: str


def format_time(seconds: float) -> str:
    """`4:07`, `1:04:07`."""
    minutes, s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{s:02}" if minutes >= 60 else f"{minutes}:{s:02}"


def join_segments(segments: Sequence[Segment], language: str) -> str:
    """All words; a paragraph for each change of speaker, named, where speakers are known."""
    space = "" if language in _SPACELESS else " "
    paragraphs: list[str] = []
    speaker = None
    for s in segments:
        if s.speaker != speaker:
            paragraphs.append(f"{s.speaker}: {s.text}" if s.speaker else s.text)
            speaker = s.speaker
        else:
            paragraphs[-1] += space + s.text
    return "\n\n".join(paragraphs)


def dump_card(card: ClipCard) -> str:
    """As JSON, for storage. Its names stay as they are: cards of earlier versions are on disk."""
    row = {SEGMENTS if name == "segments" else name: value for name, value in asdict(card).items()}
    return json.dumps(row | {"cost_usd": None if card.cost_usd is None else str(card.cost_usd)})


def load_card(text: str) -> ClipCard:
    """What `dump_card` wrote."""
    row: dict[str, Any] = json.loads(text)
    segments, english = (tuple(Segment(**s) for s in row.pop(name)) for name in (SEGMENTS, "english"))
    cost = row.pop("cost_usd")
    return ClipCard(
        **row, segments=segments, english=english, cost_usd=None if cost is None else Decimal(cost)
    )
