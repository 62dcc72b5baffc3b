"""Answers of a fixed JSON form: the schema of an object, who is asked for one, and how it is found in what a
model wrote."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from bot.core.values import Completion, Prompt, Scope

_OPENINGS = 100  # of an object that are tried


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


def find_object(text: str, *names: str) -> dict[str, Any]:
    """The first object with all these names, whatever stands around it: a fence, words, thoughts. ValueError
    without one."""
    decoder, at = json.JSONDecoder(strict=False), -1
    for _ in range(_OPENINGS):
        at = text.find("{", at + 1)
        if at < 0:
            break
        with contextlib.suppress(ValueError, RecursionError):
            found: dict[str, Any] = decoder.raw_decode(text, at)[0]
            if all(name in found for name in names):
                return found
    raise ValueError("no JSON")
