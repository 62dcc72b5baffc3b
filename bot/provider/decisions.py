"""Typed questions about one text, each answered by the model with a probability or a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from bot.core.values import Scope, Usage
from bot.provider.client import ModelClient, count_text
from bot.text import tokens


async def decide(
    client: ModelClient, text: str, *, questions: Sequence[Mapping[str, Any]], scope: Scope, model: str
) -> tuple[list[dict[str, Any]], Decimal | None]:
    """The answer to each question, in order, and what they cost in dollars (None: unpriced).

    Few servers have this, and all can fill in a form instead.
    """
    joined = text + "".join(str(question) for question in questions)
    return await client.ask(
        "/decisions",
        {"input": text, "questions": list(questions)},
        scope=scope,
        model=model,
        read=lambda answer: list(answer["answers"]),
        bound=Usage(input_tokens=tokens.at_most(joined)),
        count=partial(count_text, joined, model),
        optional=True,
    )
