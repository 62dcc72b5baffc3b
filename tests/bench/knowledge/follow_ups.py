"""Follow-ups: how many no rule makes whole, what is found for those, and what writing them out costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from bot.core.calendar import utc_now
from bot.core.settings import Settings
from bot.core.values import Message, Usage
from bot.costs.pricing import Prices
from bot.knowledge.follow_up import is_open, make_standalone
from bot.knowledge.rewriting import RULES, show_conversation
from bot.text import tokens
from tests.bench.knowledge.finding import NOT_FOUND
from tests.bench.knowledge.shelf import HERE, SCOPE, Shelf, is_right
from tests.bench.knowledge.sources import FollowUp, read_follow_ups

WRITTEN_TOKENS = 30  # a question, in its form


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """`by_rule`, `written_out`: the rank of the right passage of each that no rule makes whole, as the rules
    search it and as the question that it is; `whole`: of each other. `read_tokens`, `cost_usd`: of one
    request."""

    whole: list[int]
    by_rule: list[int]
    written_out: list[int]
    read_tokens: float
    cost_usd: Decimal | None


async def follow_up(shelf: Shelf) -> FollowedUp:
    """Every follow-up of the company."""
    whole, by_rule, written_out, read = [], [], [], list[int]()
    for one in read_follow_ups():
        said = (Message("human", one.before), Message("assistant", one.said), Message("human", one.text))
        ranked = await _rank(shelf, one, make_standalone(said))
        if not is_open(said):
            whole.append(ranked)
            continue
        by_rule.append(ranked)
        written_out.append(await _rank(shelf, one, [one.whole, *make_standalone(said)]))
        read.append(await tokens.counted(RULES + show_conversation(said), ""))
    mean = sum(read) / len(read)
    used = Usage(input_tokens=round(mean), output_tokens=WRITTEN_TOKENS)
    cost = Prices("").price(Settings().model, used, at=utc_now(), kind="rewriting").usd
    return FollowedUp(whole, by_rule, written_out, mean, cost)


async def _rank(shelf: Shelf, one: FollowUp, questions: list[str]) -> int:
    hits = await shelf.index.search(HERE, questions, scope=replace(SCOPE, kind="embedding"), limit=20)
    found = (at for at, hit in enumerate(hits, 1) if is_right(hit.passage, one.answered_by))
    return next(found, NOT_FOUND)
