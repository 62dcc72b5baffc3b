"""JSON objects that are asked for in words: a verdict on a message, an answer with its quotes, examples.

What is wanted is read off the sample that stands in the instructions, `{"belongs": true or false, …}`. A
sample of no kind that is known here is filled by its shape, as a schema would be (rehearsal_forms.py).
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from bot.sandbox.rehearsal_forms import Form, best_passage, courtesy, probability
from bot.sandbox.rehearsal_memory import Gathered
from bot.sandbox.words import content_words, overlap, sentences

NO_CONTEXT = "No sufficient context for answering the question"
_ENOUGH = 0.45  # share of a question's words a sentence must hold to be its answer

_SAMPLE = re.compile(r"\bJSON object\b[^{]*(\{.*?\})(?=\s*[.,]|\s*$)", re.S | re.M)
_ENTRY = re.compile(r'"(\w+)"\s*:\s*(\[?)\s*(true|false|\d|"|\{)')
_PASSAGE = re.compile(r"^\[(\d+)\] (.+?)(?=\n\n\[\d+\] |\Z)", re.S | re.M)
_QUESTION = re.compile(r"QUESTION:\s*(.+)", re.S)
_PURPOSE = re.compile(r"\bis for: *(.+)")
_EXAMPLES = re.compile(r"^([^\n:]*\bbelong): *(\[.*\])$", re.M)


def object_in_words(got: Gathered) -> dict[str, Any] | None:
    """The object that the instructions ask for, None when they ask for none."""
    found = _SAMPLE.search(got.instructions)
    if found is None:
        return None
    names = {name for name, *_ in _ENTRY.findall(found[1])}
    if "quotes" in names:
        return quoted(got)
    if {"belongs", "probability"} <= names:
        share = belief(got.instructions, got.question)
        return {"belongs": share >= 0.5, "probability": share}
    purpose = _PURPOSE.search(got.question)
    filled: dict[str, Any] = Form(_schema(found[1]), purpose[1] if purpose else "", "").filled()
    return filled


def quoted(got: Gathered) -> dict[str, Any]:
    """The sentence of the numbered passages that answers the question, and where it stands."""
    told = "\n\n".join([*got.given, got.instructions])
    lines = [(int(number), line) for number, text in _PASSAGE.findall(told) for line in sentences(text)]
    number, line = max(lines, key=lambda one: overlap(got.question, one[1]), default=(0, ""))
    if overlap(got.question, line) < _ENOUGH:
        return {"answer": NO_CONTEXT, "quotes": []}
    return {"answer": line, "quotes": [{"passage": number, "quote": line}]}


def judge(text: str, statement: str) -> float:
    """Probability that a statement holds of a text, by the words they share."""
    if _PURPOSE.search(statement):
        return belief(statement, text)
    if "answer" in statement.lower() and (question := _QUESTION.search(text)):
        return probability(best_passage(text[: question.start()], question[1])[0], middle=0.45)
    return probability(max(overlap(text, statement), overlap(statement, text)), middle=0.25)


def belief(instructions: str, said: str) -> float:
    """Probability that a message belongs to what a channel is for, by the words it shares with the examples.

    A message of few words is read together with what it follows.
    """
    message, before = _spoken(said)
    if courtesy(message):
        return 0.95
    if before and len(content_words(message)) < 3:
        message = f"{before} {message}"
    purpose = _PURPOSE.search(instructions)
    examples = [("not" in label, orjson.loads(texts)) for label, texts in _EXAMPLES.findall(instructions)]
    inside = [purpose[1] if purpose else "", *(text for off, texts in examples if not off for text in texts)]
    outside = [text for off, texts in examples if off for text in texts]
    near = max(overlap(message, text) for text in inside)
    far = max((overlap(message, text) for text in outside), default=0.0)
    return probability(0.0 if far > near else near, middle=0.3)


def _spoken(said: str) -> tuple[str, str]:
    """The message that is judged, and the one of a person before it, out of the JSON they come in."""
    try:
        read = orjson.loads(said)
        earlier = [each["said"] for each in read["earlier"] if each["from"] == "person"]
        return str(read["last_message"]), str(earlier[-1]) if earlier else ""
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return said, ""


_KINDS = {"true": "boolean", "false": "boolean", '"': "string", "{": "object"}


def _schema(sample: str) -> dict[str, Any]:
    """The shape of a sample: names, and of what kind each value is."""
    properties: dict[str, Any] = {}
    for name, several, start in _ENTRY.findall(sample):
        value = {"type": _KINDS.get(start, "number")}
        properties[name] = {"type": "array", "items": value} if several else value
    return {"type": "object", "properties": properties}
