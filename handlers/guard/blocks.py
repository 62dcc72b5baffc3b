"""Blocks of the guard: a verdict with its reasons, and what a channel's guard did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from bot.guard.contradictions import Contradiction
from bot.guard.service import GuardState, StoredVerdict
from bot.guard.weekly_report import Week
from bot.learning.versions import Version
from handlers.slack.blocks import Block, actions, button, context, count, header, overturn, section
from handlers.slack.modals import View, window
from handlers.slack.mrkdwn import escape

RECORD = "guard_record"  # a window
USE = "guard_use"
SHOWN = 300  # characters of a message
TEACHES = (
    "What you press is learned: this message becomes an example by which I judge later ones in its channel."
)
TEACHES_NOT = (
    "It comes from a guest or another company, or repeats what others wrote: what you press counts for it "
    "alone, and I learn nothing."
)
OVERTURNED_TEACHES = (
    "What you overturn is learned: that message becomes an example by which I judge later ones. Messages of "
    "guests and other companies never do."
)
NOT_KEPT = "_The words of this message are not kept._"
NEVER = "Nothing is learned yet. It takes five messages that belong."
LEARNING = "What was changed last is being learned; look again in a moment."
CONTRADICTIONS = (
    "These say the opposite of each other. What the settings name holds; what was taught against it counts "
    "for its very words alone. Change the settings, or overturn the verdict, to settle it."
)
CONTRADICTIONS_SHOWN = 8
# What decided, in words for people.
DECIDED_BY = {
    "rule": "a fixed rule",
    "people": "what people taught me",
    "local": "what I learned from this channel's examples",
    "model": "the language model",
    "policy": "the channel's setting, because nothing else could",
}
# Of a training's held-out report, the figures that say most.
FIGURES = (
    ("refusal_precision", "right when it refuses"),
    ("refusal_recall", "of what does not belong refused"),
    ("accuracy", "right in all"),
)


def verdict(judged: StoredVerdict, zone: tzinfo, *, may_teach: bool) -> list[Block]:
    """One verdict with everything that led to it, and the button that overturns it."""
    ruling = judged.verdict
    facts = [
        f"Decided by: {DECIDED_BY[ruling.rung]}" + (f", version {ruling.version}" if ruling.version else ""),
        f"That it belongs here: {_share(ruling.probability)} likely; {_share(ruling.threshold)} is enough",
        f"Judging it cost: {_cost(judged)}",
        f"Judged: {_time(judged.at, zone)}" + ("; I only watch here" if ruling.shadow else ""),
    ]
    return [
        section(_words(judged.text)),
        section(f"*{escape(ruling.explanation())}*"),
        section(escape("\n".join(facts)) + _taught(judged, zone)),
        *(
            [actions(overturn(ruling.id, on_topic=not stands(judged))), teaching(may_teach)]
            if judged.text
            else []
        ),
    ]


def teaching(may_teach: bool) -> Block:
    """What follows from saying that a verdict was wrong."""
    return context(TEACHES if may_teach else TEACHES_NOT)


def _words(text: str) -> str:
    """The message that was judged; where its words are not kept, nothing can be learned from it."""
    return quoted(text) if text else NOT_KEPT


def stands(judged: StoredVerdict) -> bool:
    """Whether the message belongs by now: a person's label where there is one, else the verdict."""
    return judged.verdict.on_topic if judged.label is None else judged.label


def _taught(judged: StoredVerdict, zone: tzinfo) -> str:
    if judged.label is None:
        return ""
    what = "Overturned" if judged.overturned else "Confirmed"
    by = f" by <@{judged.labelled_by}>" if judged.labelled_by else ""  # forgotten since
    return f"\n{what}{by}, {_time(judged.labelled_at, zone)}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _cost(judged: StoredVerdict) -> str:
    cost = judged.verdict.cost_usd
    if cost is None:
        return "unpriced"
    return f"${cost:.6f}" if cost else "nothing"


def _time(at: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%Y-%m-%d %H:%M}"


def quoted(text: str) -> str:
    """A person's words as a quote, shortened."""
    short = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return "\n".join(f"> {escape(line)}" for line in short.splitlines()) or "> "


def appeal(judged: StoredVerdict, *, may_teach: bool) -> list[Block]:
    """The question to those who look after a channel when an asker disagrees with a verdict."""
    what = "does not belong" if judged.verdict.on_topic else "belongs"
    return [
        section(f"<@{judged.asker}> thinks that this {what} in <#{judged.channel}>:\n{quoted(judged.text)}"),
        actions(*(overturn(judged.verdict.id, on_topic=on_topic) for on_topic in (True, False))),
        teaching(may_teach),
    ]


def doubt(verdict: int, *, on_topic: bool, may_teach: bool) -> list[Block]:
    """The question to somebody who found an answer bad, or a refusal."""
    what = "not have been answered here at all" if on_topic else "have been answered"
    return [
        section(f"Should this {what}?"),
        actions(overturn(verdict, on_topic=not on_topic)),
        teaching(may_teach),
    ]


# What a channel's guard did


def record(standing: GuardState, judged: Sequence[StoredVerdict], zone: tzinfo, *, metadata: str) -> View:
    """The weeks, the trained versions, the latest verdicts."""
    learning = [section(LEARNING)] if standing.learning else []
    blocks = [
        header("Week by week"),
        section("\n".join(_week(week, zone) for week in standing.weeks) or "Nothing was judged yet."),
        *_contradictions(standing.contradictions),
        header("Trained versions"),
        *learning,
        *([_version(one, zone) for one in standing.versions] or [section(NEVER)]),
        header("Latest verdicts"),
        context(OVERTURNED_TEACHES),
        *([_one(one, zone) for one in judged] or [section("None yet.")]),
    ]
    return window("What the guard did", blocks, callback_id=RECORD, private_metadata=metadata)


def _contradictions(found: Sequence[Contradiction]) -> list[Block]:
    """What was said both ways, for the owner to settle."""
    if not found:
        return []
    pairs = [
        f"“{escape(one.belongs[:120])}” belongs{' (taught)' if one.taught else ''}, "
        f"“{escape(one.does_not[:120])}” does not"
        for one in found[:CONTRADICTIONS_SHOWN]
    ]
    more = [f"and {len(found) - len(pairs):,} more"] if len(found) > len(pairs) else []
    return [header("Contradictions"), section(CONTRADICTIONS), section("\n".join([*pairs, *more]))]


def _week(week: Week, zone: tzinfo) -> str:
    begins = datetime.fromtimestamp(week.begins_at, UTC).astimezone(zone)
    return (
        f"From {begins:%Y-%m-%d}: *{week.refused:,} refused*, {week.allowed:,} allowed, "
        f"{week.overturned:,} overturned, ${week.cost_usd:.4f}"
    )


def _version(one: Version, zone: tzinfo) -> Block:
    report = one.report
    figures = ", ".join(f"{_share(report[name])} {words}" for name, words in FIGURES)
    block = section(
        f"*Version {one.version}*{' (in use)' if one.in_use else ''}, {_time(one.trained_at, zone)}, "
        f"{count(one.rows, 'example')}\nOn examples it did not see: {figures}; "
        f"AUROC {_figure(report['auroc'])}, calibration error {_figure(report['calibration_error'])}, "
        f"threshold {_share(report['threshold'])}"
    )
    return block if one.in_use else block | {"accessory": button(USE, "Use this", value=str(one.version))}


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _one(judged: StoredVerdict, zone: tzinfo) -> Block:
    ruling = judged.verdict
    what = "On topic" if ruling.on_topic else "Off topic"
    block = section(
        f"{_words(judged.text[:120])}\n{what} ({ruling.rung}, {_share(ruling.probability)}), "
        f"{_time(judged.at, zone)}, <@{judged.asker}>{_taught(judged, zone)}"
    )
    return block | {"accessory": overturn(ruling.id, on_topic=not stands(judged))} if judged.text else block
