"""Answers of a fixed JSON form: the schema of an object, and what is asked of the model API for one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from bot.core.values import Completion, Prompt, Scope


class ModelApi(Protocol):
    """What is asked of the model API by those who want a form filled in or a decision; `Provider` is one."""

    async def complete(
        self,
        prompt: Prompt,
        scope: Scope,
        *,
        model: str = "",
        style: str = "",
        max_output_tokens: int | None = None,
    ) -> Completion: ...

    async def decide(
        self, text: str, questions: Sequence[dict[str, Any]], scope: Scope, *, model: str
    ) -> tuple[list[dict[str, Any]], Decimal | None]: ...


def object_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object that has exactly these properties, for `Prompt.form`."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
