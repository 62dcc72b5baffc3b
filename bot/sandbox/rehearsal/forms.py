"""Fills a JSON schema with plausible values, and judges whether a message fits a purpose.

A verdict is a share of common words put on a steep curve: right for plain cases, which is all that a
rehearsal needs.
"""

from __future__ import annotations

import math
import re
from typing import Any

from bot.sandbox.rehearsal.words import content_words, overlap, sentences, whole_words

_GREETING = re.compile(
    r"^\W*(hi|hello|hey|hallo|good (morning|evening)|thanks|thank you|danke|ok|great)\b", re.I
)
_YES = re.compile(r"on|yes|allow(ed)?|answer(able)?|on.?topic|relevant|related|true", re.I)
_NO = re.compile(r"off|no|refused?|un\w+|off.?topic|irrelevant|false", re.I)


def probability(share: float, *, middle: float) -> float:
    """A share of common words as a probability; `middle` is where it is one half."""
    return round(1 / (1 + math.exp(-14 * (share - middle))), 4)


def find_passage(passages: str, question: str) -> tuple[float, str]:
    """The sentence that holds most of the question's words, and what share of them it holds."""
    found = [(overlap(question, sentence), sentence) for sentence in sentences(passages)]
    return max(found, default=(0.0, ""), key=lambda hit: hit[0])


def is_courtesy(message: str) -> bool:
    """A greeting or thanks, which belong everywhere."""
    return bool(_GREETING.match(message))


def judge_topic(purpose: str, message: str) -> float:
    """Probability that a message belongs to a purpose told in words."""
    if is_courtesy(message):
        return 0.9
    return probability(overlap(message, purpose), middle=0.2)


class Form:
    """Fills a JSON schema sensibly: verdicts by what was asked, texts by name, numbers in range."""

    def __init__(self, schema: dict[str, Any], purpose: str, message: str) -> None:
        self._schema = schema
        self._purpose = purpose
        self._message = message
        self.probability = judge_topic(purpose, message)

    def fill(self) -> Any:
        return self._value(self._schema, "")

    def _value(self, schema: dict[str, Any], name: str) -> Any:
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choose(schema["enum"])
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((k for k in kind if k != "null"), "null")
        if kind == "object" or "properties" in schema:
            return {key: self._value(part, key) for key, part in schema.get("properties", {}).items()}
        if kind == "array":
            return self._make_list(schema, name)
        if kind == "boolean":
            return self._decide(name)
        if kind in ("number", "integer"):
            return self._number(schema, name, kind)
        return self._text(name) if kind == "string" else None

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" in schema:
            found: Any = self._schema
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            return self._resolve(found)
        for several in ("anyOf", "oneOf"):
            if several in schema:
                return self._resolve(next(s for s in schema[several] if s.get("type") != "null"))
        return schema

    def _decide(self, name: str) -> bool:
        negative = re.search(r"off|refus|declin|block|reject|flag|spam", name, re.I)
        return (self.probability >= 0.5) != bool(negative)

    def _choose(self, options: list[Any]) -> Any:
        """The option nearest to the message; yes-and-no words by the verdict."""
        for option in options:
            yes = _YES.fullmatch(str(option))
            if yes and self.probability >= 0.5:
                return option
            no = _NO.fullmatch(str(option))
            if no and self.probability < 0.5:
                return option
        return max(options, key=lambda option: overlap(str(option), self._message))

    def _number(self, schema: dict[str, Any], name: str, kind: str) -> float | int:
        low, high = float(schema.get("minimum", 0)), float(schema.get("maximum", 1))
        share = self.probability if re.search(r"prob|confiden|score|topic|relat", name, re.I) else 0.5
        value = low + share * (high - low)
        return round(value) if kind == "integer" else round(value, 4)

    def _text(self, name: str) -> str:
        if re.search(r"reason|why|explan|note", name, re.I):
            shared = sorted(set(content_words(self._message)) & set(content_words(self._purpose)))
            found = f"shares {', '.join(shared)} with" if shared else "shares no word with"
            return f"The message {found} the purpose (rehearsal verdict)."
        return " ".join(self._message.split()[:12])

    def _make_list(self, schema: dict[str, Any], name: str) -> list[Any]:
        item = self._resolve(schema.get("items", {"type": "string"}))
        count = max(schema.get("minItems", 0), min(schema.get("maxItems", 8), 8))
        if item.get("type") != "string" or "enum" in item:
            return [self._value(item, name) for _ in range(max(1, schema.get("minItems", 1)))]
        if re.search(r"off|not|neg|outside|unrelated", name, re.I):
            return [_OUTSIDE[at % len(_OUTSIDE)] for at in range(count)]
        words = whole_words(f"{self._purpose} {self._message}") or ["that"]
        return [_INSIDE[at % len(_INSIDE)].format(words[at % len(words)]) for at in range(count)]


_INSIDE = (
    "How do I change the {}?",
    "What about the {}?",
    "Who looks after the {}?",
    "Show me the {} of last week.",
)
_OUTSIDE = (
    "Tell me a joke.",
    "What is the capital of Peru?",
    "Write a poem about the sea.",
    "Which film shall I watch tonight?",
    "How do I bake bread?",
    "Who won the match yesterday?",
)
