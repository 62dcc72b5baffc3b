"""Models without understanding, so that what is measured is what stands around them.

`RightReader` quotes rightly when the right passage is among those it is given, and refuses else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bot.core.values import Completion, Prompt, Usage
from bot.knowledge.quotes import REFUSAL
from tests.bench.knowledge.sources import PageQuestion, find_evidence

_PASSAGE = re.compile(r"^\[(\d+)\] (.*?)(?=^\[\d+\] |\Z)", re.MULTILINE | re.DOTALL)
_LONGEST_QUOTE = 240


class RightReader:
    """Knows where each question is answered; `asked` counts what it was asked."""

    def __init__(self, questions: Mapping[str, PageQuestion]) -> None:
        self.asked: list[str] = []
        self.characters = 0
        self._questions = questions

    async def complete(self, prompt: Prompt, *_: Any, **__: Any) -> Completion:
        text = prompt.messages[-1].text
        self.asked.append(text)
        self.characters += len(prompt.context)
        return Completion(self._say(text, prompt.context), "stop", "scripted", Usage())

    def _say(self, text: str, context: str) -> str:
        question = self._questions.get(text)
        for number, passage in read_numbered(context):
            if question and (quote := quote_for(passage, question)):
                return write_answer(question.answer, number, quote)
        return json.dumps({"answer": REFUSAL, "quotes": []})

    async def decide(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def read_numbered(context: str) -> list[tuple[int, str]]:
    return [(int(number), text) for number, text in _PASSAGE.findall(context)]


def write_answer(answer: str, number: int, quote: str) -> str:
    return json.dumps({"answer": answer, "quotes": [{"passage": number, "quote": quote}]})


def quote_for(passage: str, question: PageQuestion) -> str:
    """The sentence or row that holds the evidence; "" where it does not stand there."""
    for line in passage.split("\n"):
        if find_evidence(line, question.evidence):
            return sentence_around(line, find_evidence(line, question.evidence))
    return find_evidence(passage, question.evidence)


def sentence_around(line: str, stretch: str) -> str:
    plain = " ".join(line.split())
    at = plain.index(stretch)
    start = max(plain.rfind(mark, 0, at) + 1 for mark in ".!?。；")
    ends = [end for mark in (". ", "! ", "? ", "。") if (end := plain.find(mark, at + len(stretch))) >= 0]
    quote = plain[start : min(ends, default=len(plain))].strip()
    return quote if len(quote) <= _LONGEST_QUOTE else stretch
