"""Which model does which kind of work: three sizes, each a setting; one that is empty is the next larger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.core.settings import Settings

Tier = Literal["large", "middle", "small"]
Work = Literal[
    "answer",
    "summary",
    "code",
    "translation",
    "classification",
    "sentiment",
    "label",
    "address",
    "keywords",
    "verdict",
    "examples",
    "rewriting",
    "fields",
]

# A summary is asked of the model that answers: it has read the conversation already, from its cache.
TIERS: Mapping[Work, Tier] = {
    "answer": "large",
    "summary": "large",
    "code": "large",
    "translation": "middle",
    "classification": "middle",
    "sentiment": "middle",
    "label": "small",
    "address": "small",
    "keywords": "small",
    "verdict": "small",
    "examples": "small",
    "rewriting": "small",
    "fields": "middle",
}


def model_for(work: Work, settings: Settings) -> str:
    """The model that does a kind of work."""
    return model_of(TIERS[work], settings)


def model_of(tier: Tier, settings: Settings) -> str:
    """The model of a size."""
    middle = settings.middle_model or settings.model
    return {"large": settings.model, "middle": middle, "small": settings.small_model or middle}[tier]
