"""How often the right passage is among the first that are found."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.knowledge.shelf import Shelf, is_right
from tests.bench.knowledge.sources import PageQuestion

NOT_FOUND = 999


async def rank_right(shelf: Shelf, question: PageQuestion) -> int:
    """Where the first right passage stands among what is found, from 1."""
    hits = await shelf.search(question.text, limit=20)
    return next((at for at, hit in enumerate(hits, 1) if is_right(hit.passage, question)), NOT_FOUND)


async def list_ranks(shelf: Shelf, questions: Sequence[PageQuestion]) -> list[int]:
    return [await rank_right(shelf, question) for question in questions]


def share_within(ranks: Sequence[int], first: int) -> float:
    return sum(rank <= first for rank in ranks) / len(ranks)


def list_unread(shelf: Shelf, questions: Sequence[PageQuestion]) -> list[PageQuestion]:
    """Questions of which no passage holds the answer: reading or cutting lost it."""
    return [q for q in questions if not any(is_right(passage, q) for passage in shelf.passages)]
