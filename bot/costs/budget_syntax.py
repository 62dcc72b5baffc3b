"""Reads budgets in words: `channel 20 per month`, `remove 3`, `raise 3 to 50 for 2 days because of launch`.

Who may give such an order is decided here too. Carrying it out is bot/costs/budgets.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import get_args

from bot.core.calendar import PERIODS
from bot.core.errors import NotPermitted, NotUnderstood
from bot.core.values import RequestKind
from bot.costs.budgets import EACH, Budget, BudgetScope, Standing
from bot.costs.viewer import Viewer

HINT = (
    "Try: `channel 20 per month`, `person @name 1.50 per day`, `each person 2 per week degrade`, "
    "`workspace 500 per month warn 70 owner @name`, `raise 3 to 50 for 2 days because …`, `remove 3`, "
    "`show 3` or `log`."
)
MOST_USD = Decimal(1_000_000_000)
MOST_DAYS = 366
KINDS: tuple[str, ...] = get_args(RequestKind)
# Slack writes the people and channels of a command like this. Source: slash commands, "Escaping channels and
# users".
_NAMED = re.compile(r"<([#@])(\w+)(?:\|[^>]*)?>")
_SET = re.compile(
    r"(?:set )?(?P<scope>workspace|(?:each )?(?:channel|person|model|kind))(?: (?P<target>[^\s$]+))??"
    r" \$?(?P<cap>[\d.,]+) (?:per|a) (?P<period>day|week|month)(?P<more>(?: .+)?)",
    re.IGNORECASE,
)
_MORE = re.compile(r" (?:(?P<degrade>degrade)|warn (?P<warn>\d{1,3})%?|owner (?P<owner>@\w+))", re.IGNORECASE)
_REMOVE = re.compile(r"remove (?P<id>\d{1,9})", re.IGNORECASE)
_SHOW = re.compile(r"show (?P<id>\d{1,9})", re.IGNORECASE)
_RAISE = re.compile(
    r"raise (?P<id>\d{1,9}) to \$?(?P<cap>[\d.,]+) for (?P<days>\d{1,3}) days?(?: because (?P<reason>.+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Put:
    """Set this budget."""

    budget: Budget


@dataclass(frozen=True, slots=True)
class Remove:
    """End the budget of that number."""

    id: int


@dataclass(frozen=True, slots=True)
class Raise:
    """Another cap for some days, in the asker's name."""

    id: int
    cap_usd: Decimal
    days: int
    reason: str


@dataclass(frozen=True, slots=True)
class Show:
    """Draw how the budget of that number is used up."""

    id: int


Order = Put | Remove | Raise | Show


def parse(words: str, *, team: str, here: str, asker: str) -> Order:
    """The order in these words; NotUnderstood. `here`: the channel meant by a bare `channel`."""
    text = " ".join(_NAMED.sub(r"\1\2", words).split())
    if match := _REMOVE.fullmatch(text):
        return Remove(int(match["id"]))
    if match := _SHOW.fullmatch(text):
        return Show(int(match["id"]))
    if match := _RAISE.fullmatch(text):
        days = int(match["days"])
        if not 1 <= days <= MOST_DAYS:
            raise NotUnderstood(f"{days} days", f"From 1 to {MOST_DAYS} days.")
        return Raise(int(match["id"]), _read_amount(match["cap"]), days, match["reason"] or "")
    if match := _SET.fullmatch(text):
        return Put(_read_budget(match, team=team, here=here, asker=asker))
    raise NotUnderstood(words, HINT)


def _read_budget(match: re.Match[str], *, team: str, here: str, asker: str) -> Budget:
    each, _, named = match["scope"].lower().rpartition(" ")
    scope: BudgetScope = named  # type: ignore[assignment]  # the pattern allows no other word
    period = PERIODS[PERIODS.index(match["period"].lower())]
    more = _read_options(match["more"])
    return Budget(
        team,
        scope,
        _read_target(scope, match["target"] or "", each=bool(each), here=here),
        period,
        _read_amount(match["cap"]),
        owner=str(more.get("owner") or asker).removeprefix("@"),
        warn_percent=int(more.get("warn") or 80),
        degrade=bool(more.get("degrade")),
    )


def _read_target(scope: BudgetScope, word: str, *, each: bool, here: str) -> str:
    """What the budget is for. Slack's ids are upper case, with # or @ before them here."""
    if each or scope == "workspace":
        if word:
            raise NotUnderstood(word, HINT)
        return EACH if each else ""
    if scope == "channel":
        return here if not word else _read_id(word, "#")
    if scope == "person":
        return _read_id(word, "@")
    if not word or (scope == "kind" and word not in KINDS):
        raise NotUnderstood(word or scope, f"Kinds are {', '.join(KINDS)}." if scope == "kind" else HINT)
    return word


def _read_id(word: str, mark: str) -> str:
    if not word.startswith(mark):
        raise NotUnderstood(word or "that", HINT)
    return word.removeprefix(mark)


def _read_options(words: str) -> dict[str, str]:
    """degrade, warn and owner, in any order."""
    found: dict[str, str] = {}
    rest = words
    while match := _MORE.match(rest):
        found |= {name: value for name, value in match.groupdict().items() if value}
        rest = rest[match.end() :]
    if rest or not 1 <= int(found.get("warn", 80)) <= 100:
        raise NotUnderstood(words.strip(), HINT)
    return found


def _read_amount(word: str) -> Decimal:
    """US dollars: 20, 1.50, 1,500."""
    try:
        amount = Decimal(re.sub(r",(?=\d{3}\b)", "", word))
    except InvalidOperation:
        raise NotUnderstood(word, "Amounts are US dollars, like 20 or 1.50.") from None
    if amount > MOST_USD:
        raise NotUnderstood(word, "That is more money than I can count.")
    return amount


def check(order: Order, viewer: Viewer, standings: Iterable[Standing]) -> None:
    """NotPermitted unless the viewer may: an admin anything, the owner of a channel only what makes its own
    cap smaller, or its first one.

    Whoever makes a channel owns it, so an owner must not get past a cap that an admin has set.
    """
    if viewer.admin or isinstance(order, Show):
        return
    if (
        not isinstance(order, Put)
        or order.budget.scope != "channel"
        or order.budget.target not in viewer.owns
    ):
        raise NotPermitted("budgets are the admins' to set, and a channel's also its owner's")
    caps = {s.budget.target: s.cap_now_usd for s in standings if _is_same_budget(s.budget, order.budget)}
    cap = caps.get(order.budget.target, caps.get(EACH))
    if cap is not None and order.budget.cap_usd > cap:
        raise NotPermitted("the owner of a channel can lower its budget, an admin can raise it")


def _is_same_budget(one: Budget, other: Budget) -> bool:
    return (one.scope, one.period) == (other.scope, other.period) and one.target in (other.target, EACH)
