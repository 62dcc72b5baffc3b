"""Answers with quotes that do not carry them, made from the bench's own questions: what of them is caught?

fabricated: the quote stands nowhere · misattributed: it stands in another passage · unrelated: it stands
where it says, in a passage about something else · unsupporting: of the right passage, but another sentence,
or the answer says another number than the quote.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.knowledge.index import Passage
from bot.knowledge.quotes import read_answer
from tests.bench.knowledge.scripted_readers import quote_for, write_answer
from tests.bench.knowledge.shelf import is_right
from tests.bench.knowledge.sources import PageQuestion, find_evidence

_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
GIVEN = 6  # passages that a model has read


@dataclass(frozen=True, slots=True)
class Told:
    """What a model says: its answer, the passage it names (from 1) and the quote."""

    kind: str
    question: PageQuestion
    answer: str
    number: int
    quote: str
    passages: tuple[Passage, ...]

    @property
    def accepted(self) -> bool:
        texts = [passage.text for passage in self.passages]
        above = [f"{passage.title} {passage.heading}" for passage in self.passages]
        said = write_answer(self.answer, self.number, self.quote)
        return not read_answer(said, texts, question=self.question.text, above=above).refused


def make_all(questions: Sequence[PageQuestion], passages: Sequence[Passage], seed: int = 1) -> list[Told]:
    """Per question an honest answer and what liars say; a kind is left out where it cannot be made."""
    chance = random.Random(seed)
    told: list[Told] = []
    for question in questions:
        right = next((passage for passage in passages if is_right(passage, question)), None)
        if right is None:
            continue
        others = [passage for passage in passages if passage.document != question.document]
        given = (right, *chance.sample(others, GIVEN - 1))
        quote = quote_for(right.text, question)
        told.append(Told("honest", question, question.answer, 1, quote, given))
        for make in (_fabricated, _misattributed, _unrelated, _unsupporting):
            told += make(question, quote, given, chance)
    return told


def _fabricated(
    question: PageQuestion, quote: str, given: tuple[Passage, ...], chance: random.Random
) -> Iterator[Told]:
    changed = _change_number(quote, chance) or _negate(quote)
    yield Told(
        "fabricated", question, _change_number(question.answer, chance) or question.answer, 1, changed, given
    )
    invented = f"As agreed with the works council, {question.answer[0].lower()}{question.answer[1:]}"
    yield Told("fabricated", question, question.answer, 1, invented, given)


def _misattributed(
    question: PageQuestion, quote: str, given: tuple[Passage, ...], chance: random.Random
) -> Iterator[Told]:
    yield Told("misattributed", question, question.answer, chance.randint(2, GIVEN), quote, given)


def _unrelated(
    question: PageQuestion, quote: str, given: tuple[Passage, ...], chance: random.Random
) -> Iterator[Told]:
    number = chance.randint(2, GIVEN)
    for sentence in _sentences(given[number - 1], chance)[:1]:
        yield Told("unrelated", question, question.answer, number, sentence, given)


def _unsupporting(
    question: PageQuestion, quote: str, given: tuple[Passage, ...], chance: random.Random
) -> Iterator[Told]:
    """Another sentence of the right passage; a true quote with another number in the answer."""
    others = [s for s in _sentences(given[0], chance) if s not in quote and quote not in s]
    others = [s for s in others if not any(find_evidence(s, [part]) for part in question.evidence)]
    for sentence in others[:1]:
        yield Told("unsupporting", question, question.answer, 1, sentence, given)
    if changed := _change_number(question.answer, chance):
        yield Told("unsupporting", question, changed, 1, quote, given)


def _sentences(passage: Passage, chance: random.Random) -> list[str]:
    found = [part.strip() for part in _SENTENCE.split(passage.text) if len(part.split()) >= 4]
    chance.shuffle(found)
    return found


def _change_number(text: str, chance: random.Random) -> str:
    """With another last number; "" where there is none."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return ""
    last = found[-1]
    return f"{text[: last.start()]}{int(last[0]) + chance.randint(2, 9)}{text[last.end() :]}"


def _negate(quote: str) -> str:
    words = quote.split()
    return " ".join([*words[:2], "never", *words[2:]])


def share_of(told: Sequence[Told], of: Callable[[Told], bool]) -> float:
    return sum(map(of, told)) / max(1, len(told))
