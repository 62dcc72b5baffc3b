"""What can be chosen about answers, how each choice is checked, and the form in which it is kept.

A name is that of the operator's setting in bot/core/settings.py. A choice that is empty is none: what holds
everywhere else holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.errors import NotUnderstood, SetupError
from bot.core.settings import ANSWERED, DOCUMENT_MODES, STYLES, SWITCH, Settings, table
from bot.costs.model_names import find_answering_model, may_answer
from bot.costs.pricing import Prices
from bot.provider.parameters import read_parameters
from bot.text.invisible import strip_hidden
from bot.text.numbers import split_tokens, take_number
from bot.text.typed import read_keyword, tidy

PERSONA, WRITING, MODEL, STYLE, LENGTH = "persona", "writing", "model", "style", "length"
ANSWERS, DOCUMENTS = "answers", "documents"
REFUSE, TOP = "refuse_unrelated", "top_instruction"
OF_CHANNEL = (ANSWERS, DOCUMENTS, PERSONA, WRITING, MODEL, STYLE, LENGTH)
OF_WORKSPACE = (REFUSE, TOP, *OF_CHANNEL)
# What is written in whole sentences, and how many characters of it are taken.
TEXTS = {PERSONA: 1_000, WRITING: 300, TOP: 1_000}
CHOICES = {ANSWERS: ANSWERED, DOCUMENTS: DOCUMENT_MODES, STYLE: STYLES, REFUSE: SWITCH}

DEFAULTS = {row.name: str(row.default) for row in table() if row.name in OF_WORKSPACE}

LENGTHS = ("short", "normal", "long")
SHORT_SHARE = 4  # a short answer may take this part of the longest
LEAST_TOKENS = 16  # Source: OpenAI API reference, `max_output_tokens`: at least 16
NO_CHOICE = frozenset({"", "as everywhere", "everywhere", "like everywhere", "default"})


@dataclass(frozen=True, slots=True)
class OptionChecks:
    """Checks what somebody chose against what the operator allows. `clock` gives unix seconds."""

    settings: Settings
    prices: Prices
    clock: Callable[[], float]

    @property
    def most_tokens(self) -> int:
        """The longest answer that the operator allows."""
        return read_parameters(self.settings).max_tokens

    def read_operator(self) -> dict[str, str]:
        """What the operator set for everywhere other than by default, as it is kept. SetupError where it is
        none of what can be chosen."""
        given = {name: str(getattr(self.settings, name)) for name in OF_WORKSPACE}
        try:
            given[LENGTH] = read_length(given[LENGTH], most=self.most_tokens)
        except NotUnderstood as exc:
            raise SetupError([f"PARLEY_LENGTH: {exc.words}: {exc.hint}"]) from exc
        return {name: value for name, value in given.items() if value != DEFAULTS[name]}

    def check(self, given: Mapping[str, str]) -> dict[str, str]:
        """All choices as they are kept. SetupError names every problem, by option."""
        checked, problems = dict[str, str](), list[str]()
        for name, value in given.items():
            try:
                checked[name] = self.check_one(name, value)
            except NotUnderstood as exc:
                problems.append(f"{name}: {exc.notice}")
        if problems:
            raise SetupError(problems)
        return checked

    def check_one(self, name: str, value: str) -> str:
        """One choice as it is kept; "" is as everywhere. NotUnderstood says what is allowed."""
        if read_keyword(value) in NO_CHOICE:
            return ""
        if name in TEXTS:
            return tidy_text(value, most=TEXTS[name])
        if name in CHOICES:
            return _read_choice(value, CHOICES[name])
        if name == LENGTH:
            return read_length(value, most=self.most_tokens)
        now = datetime.fromtimestamp(self.clock(), UTC)
        return find_answering_model(tidy(value), self.settings, prices=self.prices, at=now)

    def may_stay(self, name: str, value: str) -> bool:
        """Whether a choice that was kept is still allowed: an operator may have shortened the list since."""
        return name != MODEL or may_answer(value, self.settings)


def tidy_text(text: str, *, most: int) -> str:
    """Sentences in one line, without what nobody sees. NotUnderstood when they are too long."""
    line = " ".join(strip_hidden(text).split())
    if len(line) > most:
        raise NotUnderstood(line, f"At most {most:,} characters, please; these are {len(line):,}.")
    return line


def read_length(value: str, *, most: int) -> str:
    """`short`, `normal`, `long`, or tokens as digits: `500`, `1,000 tokens`."""
    hint = f"Say short, normal, long, or a number of tokens from {LEAST_TOKENS} to {most:,}."
    if (word := read_keyword(value)) in LENGTHS:
        return word
    taken = take_number(split_tokens(tidy(value)))
    if taken is None or taken[1] not in ((), ("token",), ("tokens",)) or taken[0] % 1:
        raise NotUnderstood(value, hint)
    if not LEAST_TOKENS <= taken[0] <= most:
        raise NotUnderstood(value, hint)
    return str(int(taken[0]))


def limit_tokens(length: str, *, most: int) -> int:
    """How many tokens an answer of a length may take."""
    if length.isdecimal():
        return min(int(length), most)
    return max(most // SHORT_SHARE, min(LEAST_TOKENS, most)) if length == "short" else most


def _read_choice(value: str, choices: Collection[str]) -> str:
    word = read_keyword(value)
    if word not in choices:
        raise NotUnderstood(value, f"I know {', '.join(choices)}.")
    return word
