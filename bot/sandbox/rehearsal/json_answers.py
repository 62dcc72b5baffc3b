"""Answers requests for JSON: a verdict on a message, an answer with its quotes, examples, other forms.

What is wanted comes as a schema, or as a sample in the instructions, `{"belongs": true or false, …}`. A form
of no kind that is known here is filled by its shape (forms.py).
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from bot.sandbox.rehearsal.fields import read_fields
from bot.sandbox.rehearsal.forms import Form, find_passage, is_courtesy, probability
from bot.sandbox.rehearsal.memory import ConversationFacts
from bot.sandbox.rehearsal.near_misses import write_near_misses
from bot.sandbox.rehearsal.passages import Evidence, find_evidence, read_passages
from bot.sandbox.rehearsal.words import content_words, overlap, sentences

NO_CONTEXT = "No sufficient context for answering the question"

_SAMPLE = re.compile(r"\bJSON object\b[^{]*(\{.*?\})(?=\s*[.,]|\s*$)", re.S | re.M)
_ENTRY = re.compile(r'"(\w+)"\s*:\s*(\[?)\s*(true|false|\d|"|\{)')
_ABOUT_US = "I am Parley, the assistant"
PICTURE = re.compile(r"\b(picture|image|photo|screenshot|colou?rs?|bild|foto|farben?)\b", re.I)
_WHO = re.compile(
    r"\b(who|what) are you\b|\bare you (a|an|real|human)\b|\bwhat (can|do) you (do|know)\b|\bwer bist du\b"
    r"|\bwas kannst du\b|\bbist du ein\b|\bqui es-tu\b|\bquién eres\b",
    re.I,
)
_PASSAGES = "numbered passage"
_DOCUMENT = re.compile(r"^\[Document (\d+)\]$", re.M)
_QUESTION = re.compile(r"QUESTION:\s*(.+)", re.S)
_ANYTHING = {"type": "object", "properties": {"answer": {"type": "string"}}}
_PURPOSE = re.compile(r"\bis for: *(.+)")
_EXAMPLES = re.compile(r"^([^\n:]*\bbelong): *(\[.*\])$", re.M)


def find_schema(got: ConversationFacts, body: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of what a request asks for, wherever it says so; None when it asks for words."""
    wanted = body.get("response_format") or (body.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        found: dict[str, Any] = wanted.get("json_schema", wanted).get("schema", {})
        return found
    if sample := _SAMPLE.search(got.instructions):
        return _schema(sample[1])
    return _ANYTHING if wanted.get("type") == "json_object" else None


def fill_schema(got: ConversationFacts, schema: dict[str, Any]) -> Any:
    """A value that satisfies the schema."""
    names = set(schema.get("properties", ()))
    if names >= {"answer", "quotes"}:
        return quote_passages(got)
    if names == {"documents"}:
        return quote_documents(got)
    if names == {"values"} and (read := read_fields(got.question)) is not None:
        return read
    if "questions" in names and _PASSAGES in got.instructions:
        return write_near_misses(got.question)
    if names >= {"belongs", "probability"}:
        share = judge_message(got.instructions, got.question)
        return {"belongs": share >= 0.5, "probability": share}
    if names >= {"belongs", "does_not"}:
        purpose = _PURPOSE.search(got.question)
        return Form(schema, purpose[1] if purpose else got.question, "").fill()
    return Form(schema, got.instructions, got.question).fill()


def quote_passages(got: ConversationFacts) -> dict[str, Any]:
    """The sentence or row of the numbered passages that answers the question, and where it stands."""
    passages = read_passages("\n\n".join([*got.given, got.instructions]))
    about = bool(_WHO.search(got.question))
    own = [(number, text) for number, text in passages if text.startswith(_ABOUT_US) is about]
    if about and own:
        number, text = own[0]
        told = tuple(sentences(text)[:2])
        return _say(Evidence(number, " ".join(told), told))
    if got.pictures and PICTURE.search(got.question):
        return _say()  # a picture of the conversation is meant, and no document
    found = (find_evidence(own, question) for question in _split_questions(got.question))
    return _say(*dict.fromkeys(one for one in found if one))


def quote_documents(got: ConversationFacts) -> dict[str, Any]:
    """For each document of a request the sentence or row that answers, and where it stands."""
    given = "\n\n".join([*got.given, got.instructions])
    _, *parts = _DOCUMENT.split(given)
    entries = []
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        found = find_evidence(read_passages(text), got.question)
        said = _say(found) if found else {"answer": "", "quotes": []}
        entries.append({"document": int(number), **said})
    return {"documents": entries}


def _split_questions(text: str) -> list[str]:
    """Two questions in one message are answered one after the other."""
    asked = [sentence for sentence in sentences(text) if sentence.endswith("?")]
    return asked if len(asked) > 1 else [text]


def _say(*found: Evidence) -> dict[str, Any]:
    quotes = [{"passage": one.number, "quote": quote} for one in found for quote in one.quotes]
    return {"answer": " ".join(one.text for one in found) or NO_CONTEXT, "quotes": quotes}


def judge_statement(text: str, statement: str) -> float:
    """Probability that a statement holds of a text, by the words they share."""
    if _PURPOSE.search(statement):
        return judge_message(statement, text)
    if "answer" in statement.lower() and (question := _QUESTION.search(text)):
        return probability(find_passage(text[: question.start()], question[1])[0], middle=0.45)
    return probability(max(overlap(text, statement), overlap(statement, text)), middle=0.25)


def judge_message(instructions: str, text: str) -> float:
    """Probability that a message belongs to what a channel is for, by the words it shares with the examples.

    A message of few words is read together with what it follows.
    """
    message, before, unjudged = _read_message(text)
    if is_courtesy(message) and not unjudged:
        return 0.95
    if unjudged and (is_courtesy(message) or not content_words(message)):
        message = unjudged
    elif before and len(content_words(message)) < 3:
        message = f"{before} {message}"
    purpose = _PURPOSE.search(instructions)
    examples = [("not" in label, orjson.loads(texts)) for label, texts in _EXAMPLES.findall(instructions)]
    inside = [purpose[1] if purpose else "", *(text for off, texts in examples if not off for text in texts)]
    outside = [text for off, texts in examples if off for text in texts]
    near = max(overlap(message, text) for text in inside)
    far = max((overlap(message, text) for text in outside), default=0.0)
    return probability(0.0 if far > near else near, middle=0.3)


def _read_message(text: str) -> tuple[str, str, str]:
    """The message that is judged, the one of a person before it, and what was not judged before, out of the
    JSON they come in."""
    try:
        read = orjson.loads(text)
        earlier = [each for each in read["earlier"] if each["from"] == "person"]
        unjudged = [each["said"] for each in earlier if each.get("judged") is False]
        before = str(earlier[-1]["said"]) if earlier else ""
        return str(read["last_message"]), before, " ".join(unjudged)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return text, "", ""


_KINDS = {"true": "boolean", "false": "boolean", '"': "string", "{": "object"}


def _schema(sample: str) -> dict[str, Any]:
    """The shape of a sample: names, and of what kind each value is."""
    properties: dict[str, Any] = {}
    for name, several, start in _ENTRY.findall(sample):
        value = {"type": _KINDS.get(start, "number")}
        properties[name] = {"type": "array", "items": value} if several else value
    return {"type": "object", "properties": properties}
