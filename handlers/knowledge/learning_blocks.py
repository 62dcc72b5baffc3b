"""Blocks of what a channel learned of its answers: versions with both errors, the gain, the curve."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.knowledge.answer_learning import RULE, SHIPPED, LearningState
from bot.learning.versions import Version
from handlers.slack.blocks import Block, button, context, count, header, section
from handlers.slack.modals import View, window

WINDOW = "answer_learning"  # a window
USE = "answer_use"
EXPLAINED = (
    "From answers with checked quotes, from 👍 on answers and on refusals, and from *Not ours* I learn which "
    "passages answer questions here. It decides what counts as nearest, and when nothing comes near enough "
    "to ask the model. Guests, other companies and shared channels teach nothing."
)
NEVER = "No version is trained yet."
WAITING = "A training is under way; look again in a moment."
SOURCES = {
    "answered": "from answers",
    "liked": "from answers with 👍",
    "not ours": "not ours",
    "refused": "rightly refused, by 👍",
    "near miss": "near misses that the model wrote",
}


def learning(state: LearningState, zone: tzinfo, *, metadata: str) -> View:
    """What there is to learn from, and every version with *Use this*."""
    own = any(version.in_use for version in state.versions)
    blocks = [
        section(EXPLAINED),
        section(_count_examples(state.examples)),
        context(RULE),
        *([section(WAITING)] if state.waiting else []),
        header("Versions"),
        _shipped(in_use=not own),
        *([_version(one, zone) for one in state.versions] or [section(NEVER)]),
    ]
    return window("What answers taught", blocks, callback_id=WINDOW, private_metadata=metadata)


def _count_examples(examples: Mapping[str, int]) -> str:
    parts = [f"{number:,} {SOURCES.get(source, source)}" for source, number in examples.items()]
    return f"*{count(sum(examples.values()), 'example')}*" + (f": {', '.join(parts)}" if parts else "")


def _shipped(*, in_use: bool) -> Block:
    block = section(f"*The shipped one*{' (in use)' if in_use else ''}: what every channel begins with")
    return block if in_use else block | {"accessory": button(USE, "Use this", value=str(SHIPPED))}


def _version(one: Version, zone: tzinfo) -> Block:
    trained = datetime.fromtimestamp(one.trained_at, UTC).astimezone(zone)
    head = f"*Version {one.version}*{' (in use)' if one.in_use else ''}, {trained:%Y-%m-%d %H:%M}"
    block = section("\n".join([head, *describe_report(one.report)]))
    return block if one.in_use else block | {"accessory": button(USE, "Use this", value=str(one.version))}


def describe_report(report: Mapping[str, Any]) -> list[str]:
    """The figures of a version on pairs it was not shown, beside the shipped one's."""
    gain = report["gain"]
    better = "surely better" if gain["sure"] else "not surely better"
    return [
        f"{gain['rows']:,} pairs of a question and a passage, each held out; {better} than the shipped one: "
        f"gain {gain['mean']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f}, log loss)",
        f"Refused although answerable: {_rate(report['own']['refused'])}; "
        f"shipped {_rate(report['shipped']['refused'])}",
        f"Answered although not: {_rate(report['own']['answered'])}; "
        f"shipped {_rate(report['shipped']['answered'])}",
        "Learned from a part: "
        + ", ".join(f"{point['share']:.0%} gain {point['gain']:+.3f}" for point in report["curve"]),
    ]


def _rate(rate: Mapping[str, Any]) -> str:
    if not rate["whole"]:
        return "none of 0"
    share = rate["part"] / rate["whole"]
    return f"{rate['part']:,} of {rate['whole']:,}, {share:.0%} ({rate['low']:.0%} to {rate['high']:.0%})"
