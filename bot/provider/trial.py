"""One token of a model, in the style in which it will be asked: whether an answer would come at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bot.core.errors import ProviderError
from bot.core.values import Message, Prompt, Scope, Usage
from bot.provider.asking import Asking
from bot.provider.client import ModelClient

QUESTION = Prompt(system="", messages=(Message("human", "Hi"),))
_BOUND = Usage(input_tokens=100, output_tokens=100)


@dataclass(slots=True)
class Trial:
    """What came of some: the errors by model, and what they cost."""

    failed: dict[str, ProviderError] = field(default_factory=dict)
    tried: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: bool = False  # of one or more nobody knows what they cost

    async def add(self, client: ModelClient, asking: Asking, model: str, scope: Scope) -> None:
        """Tries one more."""
        self.tried += 1
        try:
            cost = await try_model(client, asking, model, scope)
        except ProviderError as error:
            self.failed[model] = error
        else:
            self.unpriced = self.unpriced or cost is None
            self.cost_usd += cost or 0


async def try_model(client: ModelClient, asking: Asking, model: str, scope: Scope) -> Decimal | None:
    """What the token cost in dollars (None: unpriced); raises ProviderError when there is none."""
    parameters = asking.parameters.build(client.traits.refused_by(model), max_tokens=1)
    body = asking.style.build(QUESTION, asking.rules.anywhere) | parameters
    for name in ("stream", "stream_options"):
        body.pop(name, None)
    _, cost = await client.ask(
        asking.style.path, body, scope=scope, model=model, read=_require_answer, bound=_BOUND
    )
    return cost


def _require_answer(answer: Any) -> None:
    """Something that is no answer raises, as everywhere."""
    if "output" not in answer:
        answer["choices"][0]
