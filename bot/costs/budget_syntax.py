"""Reads budgets in words: `channel 20 per month`, `remove 3`, `raise 3 to 50 for 2 days because of launch`.

Who may give such an order is decided here too. Carrying it out is bot/costs/budgets.py's, and whether anybody
knows a model is bot/costs/model_names.py's. People and channels stand in the words as `<@ID>` and `<#ID>`;
whatever else begins with @ or # is a name that Slack did not resolve, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import get_args

from bot.core.calendar import PERIODS
from bot.core.errors import NotPermitted, NotUnderstood, UnknownName
from bot.core.values import RequestKind
from bot.costs.amounts import read_amount
from bot.costs.budgets import ADJECTIVES, EACH, Budget, BudgetScope, Standing
from bot.costs.viewer import Viewer
from bot.text.durations import read_duration
from bot.text.typed import find_nearest, tidy

HINT = (
    "Try: `channel 20 per month`, `person @name 1.50 per day`, `each person 2 per week degrade`, "
    "`workspace 500 per month warn 70 owner @name`, `raise 3 to 50 for 2 days because …`, `remove 3`, "
    "`show 3` or `log`."
)
FOR_HOW_LONG = "For how long? Say per day, week or month."
LONGEST = timedelta(days=366)
SHORTEST = timedelta(minutes=1)
KINDS: tuple[str, ...] = get_args(RequestKind)
_PERIODS = {word: period for period in PERIODS for word in (period, f"{period}s", ADJECTIVES[period])}

_NUMBERED = re.compile(r"(?P<verb>remove|delete|end|show) (?:budget )?#?(?P<id>\d{1,9})", re.IGNORECASE)
_RAISE = re.compile(
    r"(?:raise|increase) (?:budget )?#?(?P<id>\d{1,9}) to (?P<cap>.+?) for (?P<length>.+)", re.IGNORECASE
)
_BECAUSE = re.compile(r"\bbecause\b", re.IGNORECASE)
_SET = re.compile(r"(?:(?:set|add|create|make) )?(?P<what>.+?)", re.IGNORECASE)
_PERIOD = re.compile(
    rf"(?:(?: ?/ ?| (?:per|a|each|every) )(?P<per>{'|'.join(PERIODS)})s?"
    rf"| (?P<adjective>{'|'.join(ADJECTIVES.values())}))(?= |$)",
    re.IGNORECASE,
)
_SCOPE = re.compile(
    r"(?P<each>(?:each|every|per) )?(?P<scope>workspace|channel|person|model|kind)(?= |$) ?", re.IGNORECASE
)
_ID = {"channel": re.compile(r"<#([CGD][A-Z0-9]+)>"), "person": re.compile(r"<@([UW][A-Z0-9]+)>")}
_HERE = re.compile(r"(?:here|this)(?= |$) ?", re.IGNORECASE)
_DEGRADE = re.compile(r"degrade(?= |$) ?", re.IGNORECASE)
_WARN = re.compile(r"warn (?:at )?(?P<percent>\d{1,3}) ?(?:%|percent)?(?= |$) ?", re.IGNORECASE)
_OWNER = re.compile(r"owner (?P<owner>\S+) ?", re.IGNORECASE)


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
    """Another cap for some time, in the asker's name."""

    id: int
    cap_usd: Decimal
    length: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Show:
    """Draw how the budget of that number is used up."""

    id: int


Order = Put | Remove | Raise | Show


def parse(words: str, *, team: str, here: str, asker: str) -> Order:
    """The order in these words; NotUnderstood, UnknownName. `here`: the channel meant by a bare `channel`."""
    text = tidy(words).strip("'\" .")
    if match := _NUMBERED.fullmatch(text):
        id = int(match["id"])
        return Show(id) if match["verb"].lower() == "show" else Remove(id)
    if text.lower().startswith(("raise ", "increase ")):
        return _read_raise(words)
    return Put(_read_budget(words, text, team=team, here=here, asker=asker))


def _read_raise(words: str) -> Raise:
    """`raise 3 to 50 for 2 days because of launch`; the reason is kept as it was typed."""
    because = _BECAUSE.search(words)
    match = _RAISE.fullmatch(tidy(words[: because.start()] if because else words).rstrip(" .,"))
    if match is None:
        raise NotUnderstood(words, HINT)
    length = read_duration(match["length"], bare="days")
    if not SHORTEST <= length <= LONGEST:
        raise NotUnderstood(match["length"], f"At most {LONGEST.days} days.")
    reason = words[because.end() :].strip() if because else ""
    return Raise(int(match["id"]), read_amount(match["cap"]), length, reason)


def _read_budget(words: str, text: str, *, team: str, here: str, asker: str) -> Budget:
    period = _PERIOD.search(text)
    what = _SET.fullmatch(text[: period.start()] if period else text)
    if what is None:
        raise NotUnderstood(words, HINT)
    each, scope, rest = _take_scope(words, what["what"])
    target, amount = _take_target(scope, rest, each=each, here=here)
    if period is None:
        raise NotUnderstood(words, f"{FOR_HOW_LONG} {HINT}")
    if not amount:
        raise NotUnderstood(words, f"How much? {HINT}")
    owner, warn, degrade = _read_options(text[period.end() :].strip())
    return Budget(
        team,
        scope,
        target,
        _PERIODS[(period["per"] or period["adjective"]).lower()],
        read_amount(amount),
        owner=owner or asker,
        warn_percent=warn,
        degrade=degrade,
    )


def _take_scope(words: str, text: str) -> tuple[bool, BudgetScope, str]:
    """Whether it is for each, what it is for, and what comes after that."""
    match = _SCOPE.match(text)
    if match is None:
        raise NotUnderstood(words, HINT)
    scope: BudgetScope = match["scope"].lower()  # type: ignore[assignment]  # the pattern allows no other word
    return bool(match["each"]), scope, text[match.end() :]


def _take_target(scope: BudgetScope, text: str, *, each: bool, here: str) -> tuple[str, str]:
    """What the budget is for, and the amount after it."""
    if each or scope == "workspace":
        _refuse_name(text.partition(" ")[0])
        return (EACH if each else ""), text
    word, _, rest = text.partition(" ")
    if scope in _ID:
        if match := _ID[scope].match(text):
            return match[1], text[match.end() :].strip()
        if scope == "channel" and (match := _HERE.match(text)):
            return here, text[match.end() :]
        _refuse_name(word)
        if not _resembles_amount(text):
            raise UnknownName(word)
        if scope == "channel":
            return here, text
        raise NotUnderstood(scope, HINT)
    if not rest:
        raise NotUnderstood(f"{scope} {word}".strip(), HINT)
    name = word.strip("'\"")
    return (_read_kind(name) if scope == "kind" else name), rest


def _refuse_name(word: str) -> None:
    if word.startswith(("@", "#")):
        raise UnknownName(word)
    if word.startswith("<"):  # resolved, and not what can stand here
        raise NotUnderstood(word, HINT)


def _resembles_amount(text: str) -> bool:
    """Whether somebody probably meant an amount, however it is misspelt."""
    try:
        read_amount(text)
    except NotUnderstood:
        return not text or any(letter.isdigit() for letter in text.partition(" ")[0])
    return True


def _read_kind(word: str) -> str:
    kind = word.lower()
    if kind in KINDS:
        return kind
    nearest = "".join(f"Did you mean `{near}`? " for near in find_nearest(kind, KINDS))
    raise NotUnderstood(word, f"{nearest}Kinds are {', '.join(KINDS)}.")


def _read_options(words: str) -> tuple[str, int, bool]:
    """(owner, warn, degrade) of `degrade`, `warn 70` and `owner @name`, in any order."""
    owner, warn, degrade, rest = "", 80, False, words
    while rest:
        if match := _DEGRADE.match(rest):
            degrade = True
        elif match := _WARN.match(rest):
            warn = int(match["percent"])
        elif match := _OWNER.match(rest):
            owner = read_person(match["owner"])
        else:
            raise NotUnderstood(rest, HINT)
        rest = rest[match.end() :]
    if not 1 <= warn <= 100:
        raise NotUnderstood(f"warn {warn}", "From 1 to 100 percent.")
    return owner, warn, degrade


def read_person(word: str) -> str:
    """The id of a person whom Slack has resolved; UnknownName."""
    match = _ID["person"].fullmatch(word)
    if match is None:
        raise UnknownName(word)
    return match[1]


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
