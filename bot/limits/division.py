"""How a limit is divided between processes: what one may hold, given what the others say.

Each gets what it wants while there is enough, else the same as the others for everybody who waits there;
what nobody wants is divided as well, so that whoever comes next need not ask first. Nobody is given what
another one still holds: that one gives it back when its own turn comes to divide.
Source: max-min fairness, Bertsekas and Gallager, "Data Networks" (1992), 6.5.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, inf


@dataclass(frozen=True, slots=True)
class Claim:
    """What one process says of one limit. `held`: at most so much does it use, until it says otherwise.

    `used` cannot be given back now; `wants` is beside that. `parties`: who waits, each by a number. `news`:
    what it has learned of the limit itself.
    """

    used: float = 0.0
    wants: float = 0.0
    held: float = 0.0
    parties: tuple[int, ...] = ()
    news: Mapping[str, float] = field(default_factory=dict)

    def after_death(self) -> Claim:
        """Of a process that has died: nobody knows what it used."""
        return Claim(used=self.held, held=self.held)


@dataclass(frozen=True, slots=True)
class Allotment:
    """What one process may hold, and what the others said. `weights`: of parties that others know, too."""

    held: float
    others: tuple[Claim, ...] = ()
    weights: Mapping[int, float] = field(default_factory=dict)

    @property
    def used_by_others(self) -> float:
        return sum(other.used for other in self.others)

    def hear(self, name: str) -> list[float]:
        """What the others have learned under a name."""
        return [other.news[name] for other in self.others if name in other.news]


def divide(total: float, mine: Claim, others: Sequence[Claim], *, whole: bool) -> float:
    """How much of a limit this process may hold. `whole`: in whole pieces."""
    claims = [mine, *others]
    known = count_parties(claims)
    weights = [sum(1 / known[party] for party in set(claim.parties)) or 1.0 for claim in claims]
    rest = max(total - sum(claim.used for claim in claims), 0.0)
    fair = mine.used + share_out(rest, [claim.wants for claim in claims], weights)[0]
    free = total - sum(max(other.held, other.used) for other in others)
    return max(mine.used, min(ceil(fair - 1e-9) if whole else fair, free), 0.0)


def count_parties(claims: Sequence[Claim]) -> Counter[int]:
    """In how many processes each party waits."""
    return Counter(party for claim in claims for party in set(claim.parties))


def share_out(amount: float, wants: Sequence[float], weights: Sequence[float]) -> list[float]:
    """What each gets of an amount, by weighted max-min fairness, and of what is left then."""
    got, left, open_weight = [0.0] * len(wants), amount, sum(weights)
    for at in sorted(range(len(wants)), key=lambda at: wants[at] / weights[at]):
        got[at] = min(wants[at], left * weights[at] / open_weight if open_weight else inf)
        left -= got[at]
        open_weight -= weights[at]
    everybody = sum(weights)
    return [part + left * weight / everybody for part, weight in zip(got, weights, strict=True)]
