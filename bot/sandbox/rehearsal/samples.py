"""Makes formatted and long texts for the rehearsal model: tables, code, articles of any length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import cycle


def make_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def make_code(topic: str) -> str:
    name = "_".join(re.findall(r"[a-z]+", topic.lower())) or "answer"
    return (
        f"A small function about {topic}:\n\n```python\n"
        f'def {name}(times: int = 3) -> list[str]:\n    """Say it a few times."""\n'
        f'    return ["{topic}"] * times\n\n\nprint({name}(2))\n```\n\nCall it with `{name}(2)`.'
    )


def count_noun(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_SENTENCES = (
    "Whoever looks closely at {t} finds more patience in it than in most things.",
    "There is a morning side and an evening side to {t}, and both are worth a walk.",
    "Some teams keep {t} on a shelf; others use it every day and wear it smooth.",
    "The first rule of {t} is that it should be easy to begin again.",
    "Nobody has counted how often {t} was explained and still had to be tried.",
    "A good question about {t} is better than three quick answers.",
    "In small rooms {t} is loud, and in large ones it carries well.",
)
_HEADINGS = (
    "Where it begins",
    "What it is good for",
    "What can go wrong",
    "How to keep it",
    "A last thought",
)


def write_article(topic: str, words: int) -> str:
    """About so many words on a topic, with headings, made of a handful of sentences."""
    words = min(words, 4000)
    sentences, headings = cycle(_SENTENCES), cycle(_HEADINGS)
    parts = [f"**About {topic}**"]
    while sum(len(part.split()) for part in parts) < words:
        paragraph = " ".join(next(sentences).format(t=topic) for _ in range(4))
        parts += [f"## {next(headings)}", paragraph]
    return "\n\n".join(parts)
