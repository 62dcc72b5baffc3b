"""A verdict on one message: whether it belongs, which rung decided, how sure it was, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot.guard.policy import Action

# rule: certain by its form · people: they said so of the same words · local: the trained discriminator ·
# model: the model API · policy: every rung failed or none could tell, so the channel's policy decided
Rung = Literal["rule", "people", "local", "model", "policy"]

_EXPLANATIONS = {
    "rule": "it was a {reason}",
    "people": "people taught me so of {reason}",
    "local": "the channel's own classifier found it {share} likely to belong ({reason})",
    "model": "the model found it {share} likely to belong ({reason})",
    "policy": "nothing could judge it ({reason}), so the channel's setting decided",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    on_topic: bool
    rung: Rung
    reason: str
    probability: float | None = None  # that it belongs
    threshold: float | None = None
    cost_usd: Decimal | None = Decimal(0)  # None: unpriced
    action: Action = "refuse"
    shadow: bool = False
    version: int | None = None  # of the trained model
    says: str = ""  # the sentence for what does not belong
    id: int = 0  # once stored

    @property
    def stops(self) -> bool:
        """Nothing is to be answered: say `says`."""
        return not self.on_topic and not self.shadow and self.action != "note"

    @property
    def notes(self) -> bool:
        """A brief answer, with `says` under it."""
        return not self.on_topic and not self.shadow and self.action == "note"

    def explanation(self) -> str:
        """One sentence for the asker and the owner."""
        share = "" if self.probability is None else f"{self.probability:.0%}"
        why = _EXPLANATIONS[self.rung].format(reason=self.reason, share=share)
        cut = "" if self.threshold is None else f"; {self.threshold:.0%} were needed"
        shadow = " (shadow mode: nothing was refused)" if self.shadow and not self.on_topic else ""
        return f"{'On' if self.on_topic else 'Off'} topic: {why}{cut}.{shadow}"
