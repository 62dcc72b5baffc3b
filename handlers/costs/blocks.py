"""Costs as blocks: reports as tables, budgets as bars, estimates, the digest. Values in, plain dicts out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal

from bot.costs.amounts import dollars
from bot.costs.budgets import (
    ADJECTIVES,
    EACH,
    Budget,
    BudgetGap,
    BudgetWarning,
    Change,
    Standing,
    title_budget,
)
from bot.costs.estimate import Estimate
from bot.reports.digest import Digest, RefusedCount
from bot.reports.formats import NAMED, SHOWN, cells, columns, cost
from bot.reports.usage import UsageQuery, UsageRow, sum_rows, total
from handlers.slack.blocks import Block, context, count, header, section
from handlers.slack.mrkdwn import escape

# A table of more rows is not read; the file has them all. Source of the limit of 100 rows and 20 columns:
# https://docs.slack.dev/reference/block-kit/blocks/table-block
ROWS = 20
STEPS = 10  # of a bar
FOLLOWS = "The picture follows in your direct messages with me."
REST = "all others"
NOTHING = "–"
SEES_OWN = "You see your own use and what the channels you can enter cost."
OWNER_SEES = "You see your own use, the channels you can enter, and the people of the channels you own."
ADMIN_SEES = "As an admin you see everything; private channels you are not in have no name."


def report(
    question: UsageQuery, rows: Sequence[UsageRow], names: Mapping[str, str], sees: str
) -> list[Block]:
    """A report: its total in a line, the table, and what the reader does not see."""
    title = header(f"Usage, {question.span.label}")
    if not rows:
        return [title, section("Nothing was used."), context(sees)]
    total_line = section(f"{in_all(total(rows))}, by {question.by[0]}:")
    follows = [FOLLOWS] if total(rows).cost_usd else []
    return [title, total_line, table(rows, names), context(sees, *follows)]


def in_all(whole: UsageRow) -> str:
    """The total in words; what has no price is named."""
    unpriced = f", {whole.unpriced:,} of them without a known price" if whole.unpriced else ""
    return f"*{cost(whole)}* for {count(whole.requests, 'request')}{unpriced}"


def table(rows: Sequence[UsageRow], names: Mapping[str, str]) -> Block:
    """The dearest rows, the rest in one, and the total."""
    shown = columns(rows)
    lines = [[SHOWN[column][0] for column in shown]]
    lines += [cells(row, shown, names) for row in rows[:ROWS]]
    if len(rows) > ROWS:
        lines.append(cells(total(rows[ROWS:]), shown, {"": REST}))
    lines.append(cells(total(rows), shown, {"": "total"}))
    aligned = [{"align": "left" if column in NAMED else "right"} for column in shown]
    return {
        "type": "table",
        "column_settings": aligned,
        "rows": [[{"type": "raw_text", "text": cell or NOTHING} for cell in line] for line in lines],
    }


def month_usage(title: str, month: str, used: UsageRow) -> list[Block]:
    """A month's use in one block; what has no price is named."""
    lines = [
        f"*{escape(title)}* ({month})",
        f"{cost(used)} for {count(used.requests, 'model request')}",
        f"{used.input_tokens:,} tokens read ({used.cached_tokens:,} from the cache), "
        f"{used.output_tokens:,} written",
    ]
    if used.unpriced:
        lines.append(f"{count(used.unpriced, 'request')} unpriced: no price is known for the model")
    return [section("\n".join(lines))]


def gap(sentence: str) -> list[Block]:
    """What is missing from the report above; nothing where nothing is."""
    return [context(sentence)] if sentence else []


def open_page(link: str) -> list[Block]:
    """The button that opens the usage page; nothing where there is none."""
    if not link:
        return []
    button = {
        "type": "button",
        "action_id": OPEN_PAGE,
        "text": {"type": "plain_text", "text": "Open the usage page"},
        "url": link,
    }
    return [{"type": "actions", "elements": [button]}]


OPEN_PAGE = "open_usage_page"


def standings(found: Sequence[Standing], names: Mapping[str, str], how: str) -> list[Block]:
    """Each budget with how much of it is used."""
    under = [context(how)] if how else []
    if not found:
        return [section("There is no budget here that you may see."), *under]
    lines = [_standing(one, names) for one in found]
    # As many lines as a section holds; a workspace with more budgets has the page.
    parts = ["\n".join(lines[at : at + 15]) for at in range(0, len(lines), 15)]
    return [header("Budgets"), *(section(part) for part in parts[:20]), *under]


def _standing(one: Standing, names: Mapping[str, str]) -> str:
    budget, spent, cap = one.budget, one.spent_usd, one.cap_now_usd
    title = f"`{budget.id}` *{escape(title_of(budget, names))}*"
    if budget.target == EACH:
        return f"{title}: {dollars(cap)}{_wishes(budget)}{_gaps(one)}"
    raised = f" (raised from {dollars(budget.cap_usd)})" if cap != budget.cap_usd else ""
    return (
        f"{title}: {bar(spent, cap)} {dollars(spent)} of {dollars(cap)}{raised}, "
        f"again on {one.ends.day} {one.ends:%B}{_wishes(budget)}{_gaps(one)}"
    )


def _gaps(one: Standing) -> str:
    """What a budget cannot hold."""
    models = ", ".join(f"`{escape(model)}`" for model in one.gaps)
    return f"; :warning: not counted, for want of a price: {models}" if models else ""


def title_of(budget: Budget, names: Mapping[str, str]) -> str:
    """The budget as a title, also of a rule for each."""
    if budget.target == EACH:
        return f"each {budget.scope}, {ADJECTIVES[budget.period]}"
    return title_budget(budget, names)


def _wishes(budget: Budget) -> str:
    return ", smaller model from 80 %" if budget.degrade else ""


def bar(spent: Decimal, cap: Decimal) -> str:
    """How much is used, as a bar: ▰▰▰▱▱▱▱▱▱▱ 31 %."""
    share = spent / cap if cap else Decimal(1)
    full = min(STEPS, int(share * STEPS))
    return f"{'▰' * full}{'▱' * (STEPS - full)} {share:.0%}"


def changes(found: Sequence[Change], names: Mapping[str, str], zone: tzinfo) -> list[Block]:
    """Who did what to which budget, newest first."""
    if not found:
        return [section("Nobody has changed a budget yet.")]
    return [header("Changes of budgets"), section("\n".join(_change(one, names, zone) for one in found))]


def _change(one: Change, names: Mapping[str, str], zone: tzinfo) -> str:
    whose = (
        f"each {one.scope}" if one.target == EACH else names.get(one.target, one.target) or "the workspace"
    )
    amount = "" if one.act == "removed" else f" to {dollars(one.cap_usd)}"
    until = f" until {one.until.astimezone(zone):%Y-%m-%d %H:%M}" if one.until else ""
    why = f", because {one.reason}" if one.reason else ""
    by = f"<@{one.person}>" if one.person else "the operator"
    what = escape(f"{one.act} {whose}, {ADJECTIVES[one.period]},{amount}{until}{why}")
    return f"{one.at.astimezone(zone):%Y-%m-%d %H:%M} {by} {what}"


def owners(named: Sequence[str]) -> str:
    """Who may set a channel's first budget and see what its people use."""
    others = f", and {', '.join(f'<@{person}>' for person in named)}" if named else ""
    return f"This channel is owned by whoever made it{others}. Admins name owners: `/parley owner @name`."


def estimates(found: Sequence[Estimate], wait: str) -> list[Block]:
    """What something would cost on each model, and how long it takes."""
    head = ["what", "model", "uses", "cost"]
    lines = [[e.what, f"{e.model} (in use)" if e.in_use else e.model, e.uses, _price(e)] for e in found]
    under = "An estimate: prices of today, tokens counted here. `parley estimate` reads files as well."
    return [
        {
            "type": "table",
            "column_settings": [{"align": "left"}, {"align": "left"}, {"align": "right"}, {"align": "right"}],
            "rows": [[{"type": "raw_text", "text": cell} for cell in line] for line in (head, *lines)],
        },
        context(f"{wait} {under}".strip()),
    ]


def _price(estimate: Estimate) -> str:
    return dollars(estimate.usd) if estimate.usd is not None else estimate.reason or "unpriced"


def warning(one: BudgetWarning, names: Mapping[str, str]) -> str:
    """The sentence for the owner of a budget that is nearly used up."""
    whose = f" of {escape(names.get(one.target, one.target))}" if one.target else ""
    share = f"{one.spent_usd / one.cap_usd:.0%}" if one.cap_usd else "all"
    smaller = " From 80 % on the smaller model answers." if one.degrade else ""
    return (
        f"The {escape(one.what)} budget{whose} is {share} used: {dollars(one.spent_usd)} of "
        f"{dollars(one.cap_usd)}.{smaller} When it is used up I stop answering there. "
        f"`/parley budget` shows it."
    )


def gap_of_budget(one: BudgetGap, names: Mapping[str, str]) -> str:
    """The sentence for the owner of a budget that cannot hold a model."""
    return (
        f"Your budget for {escape(title_of(one.budget, names))}, cannot hold `{escape(one.model)}`: no price "
        "of this model is known. Its requests are answered, and what they cost is not counted. "
        "Whoever runs me can say what it costs: `PARLEY_PRICES`, `PARLEY_BASE_MODEL` or `PARLEY_FREE_MODELS`."
    )


def digest(one: Digest, names: Mapping[str, str], missing: str) -> list[Block]:
    """Last week in one message, with what is missing from it."""
    before = total(one.before)
    blocks = [
        header(f"Your costs, {one.span.label}"),
        section(f"{in_all(total(one.rows))}. The week before: {cost(before)}."),
    ]
    if one.rows:
        blocks.append(table(sum_rows(one.rows, ("channel",)), names))
    blocks += [section("\n".join(_standing(s, names) for s in one.standings[:10]))] if one.standings else []
    blocks += [section("\n".join(map(_unanswered, one.unanswered[:10])))] if one.unanswered else []
    return [*blocks, *gap(missing), context("You asked for this; `/parley digest off` ends it.")]


def _unanswered(one: RefusedCount) -> str:
    """What documents could not answer in a channel, and what of it, or of earlier weeks, was repaired."""
    repaired = f", {one.repaired:,} {'was' if one.repaired == 1 else 'were'} repaired" if one.repaired else ""
    return f"{count(one.refused, 'question')} could not be answered in <#{one.channel}>{repaired}."
