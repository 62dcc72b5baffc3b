"""A conversation as Human/AI text, and the rules by which a stop sequence ends an answer.

The text only grows at its end: a rendering is the beginning of every later one, so that the server's prompt
cache keeps working. Nobody but Parley writes the labels: those in the words of people and documents are
broken up first. Role messages of the chat endpoints are bot/provider/prompt_formats.py's; answers are cut in
bot/provider/stop_cutter.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.core.values import Prompt
from bot.provider.own_marks import ABOUT, CONTEXT, SUMMARY, tell_cuts
from bot.text.invisible import strip_hidden

STOPS = (" Human:", " AI:")
LABELS = {"human": "Human:", "assistant": "AI:"}

# What people type for a colon, and letters that look like those of a label.
_COLONS = ":\uff1a\ufe55\ufe13\ua789\u2236\u02d0"
_LOOKALIKES = {"a": "аᎪΑ", "i": "іІӏΙlL1|", "h": "НһΗ", "m": "мМΜ", "u": "սυ", "n": "ոΝ"}


@dataclass(frozen=True, slots=True)
class StopRules:
    """What ends an answer: texts anywhere in it, and labels that open one of its lines.

    `sent`: what the server is asked to stop at. `is_end`: reaching one is how an answer ends in this style,
    nothing was cut off. `spares_code`: a label inside a code block is part of the answer. `drops_label`: an
    answer that begins with our own label goes on behind it.
    """

    sent: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    is_end: bool = False
    spares_code: bool = False
    drops_label: bool = False


def choose_rules(style: str, stops: Sequence[str] | None) -> StopRules:
    """The rules of a style; `stops` are the operator's own, taken letter for letter, None for the style's.

    A transcript is continued by the model, so a label there opens the next turn, whatever else is a stop. In
    the other styles an answer is one message, and only the other side's label at a line's start, as models
    write it that run on, is no part of it.
    """
    own = tuple(stops or ())
    if style == "transcript":
        labels = tuple(LABELS.values())
        if stops is None:
            return StopRules((*STOPS, *("\n" + label for label in labels)), STOPS, labels, is_end=True)
        return StopRules(own, own, labels, is_end=True)
    if stops is None:
        return StopRules(labels=(LABELS["human"],), spares_code=True, drops_label=True)
    return StopRules(own, own)


def render(prompt: Prompt, stops: Sequence[str] = ()) -> str:
    """The prompt for /v1/completions, ending in the label that the model continues.

    `stops`: the operator's own beside ours.
    """
    stops = (*STOPS, *stops)
    summary = prompt.summary and SUMMARY + defuse(prompt.summary, stops)
    head = [block + "\n" for block in (prompt.system.strip(), summary) if block]
    lines = [
        f"{LABELS[message.role]} {defuse(strip_hidden(message.text).strip(), stops)}"
        for message in tell_cuts(prompt.messages)
    ]
    if prompt.about:
        lines[-1] += ABOUT + defuse(prompt.about, stops)
    if prompt.context:
        lines.insert(len(lines) - 1, "\n" + CONTEXT + defuse(prompt.context, stops) + "\n")
    return "\n".join([*head, *lines, LABELS["assistant"]])


def defuse(text: str, stops: Collection[str] = STOPS) -> str:
    """The text with a blank before the colon of whatever could pass for a label: "AI:" becomes "AI :".

    Afterwards it holds none of the stops, nor one without its blank at the start of a line. Look-alikes,
    other cases and hidden characters do not get past. Stops without a visible character, or with only one,
    are no labels and stay.
    """
    pattern = _label_pattern(tuple(stops))
    text = strip_hidden(text)
    return text if pattern is None else pattern.sub(r"\g<0> ", text)


@lru_cache(maxsize=16)
def _label_pattern(stops: tuple[str, ...]) -> re.Pattern[str] | None:
    """Matches a label up to its last character. One whose stop begins with a blank has to begin a word."""
    spelled = []
    for stop in sorted(stops, key=len, reverse=True):
        label = stop.strip()
        if len(label) > 1:
            begins = r"(?<!\S)" if stop[0].isspace() else ""
            spelled.append(f"{begins}{''.join(map(_spellings, label[:-1]))}(?={_spellings(label[-1])})")
    return re.compile("|".join(spelled), re.IGNORECASE) if spelled else None


def _spellings(letter: str) -> str:
    """A character class of everything that reads like this character."""
    if letter == ":":
        return f"[{_COLONS}]"
    wide = chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else ""
    return f"[{re.escape(letter + wide + _LOOKALIKES.get(letter.lower(), ''))}]"
