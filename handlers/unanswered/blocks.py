"""The owner's list of questions that could not be answered, as pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.unanswered.service import Topic
from handlers.guard.blocks import quoted
from handlers.slack.blocks import Block, actions, button, context, count, section
from handlers.slack.modals import View, window
from handlers.slack.mrkdwn import escape
from storage.place import Channel

NOT_OURS = "unanswered_not_ours"
LISTED = 30  # topics; a window holds 100 blocks
NEAREST_SHOWN = 300  # characters
NONE_OPEN = "None. Every question here was answered."


def list_window(at: Channel, topics: Sequence[Topic]) -> View:
    """What could not be answered in a channel, what is wanted most first."""
    shown = [block for topic in topics[:LISTED] for block in _show(topic)] or [section(NONE_OPEN)]
    if left := len(topics) - LISTED:
        shown += [context(f"And {left:,} more.")] if left > 0 else []
    return window("Unanswered questions", shown, private_metadata=json.dumps({"channel": at.channel}))


def read_channel(view: View) -> str:
    """The channel that the list is of."""
    return str(json.loads(view["private_metadata"])["channel"])


def _show(topic: Topic) -> list[Block]:
    nearest = f"\nNearest thing known: {escape(topic.nearest[:NEAREST_SHOWN])}" if topic.nearest else ""
    return [
        section(f"{quoted(topic.question)}\n{describe(topic)}{nearest}"),
        actions(button(NOT_OURS, "Not ours", value=str(topic.id))),
    ]


def describe(topic: Topic) -> str:
    """How often it was asked, and by how many."""
    wanted = ". Somebody says that it should be answered here" if topic.wanted else ""
    return f"Asked {count(topic.times, 'time')} by {count(topic.people, 'person')}{wanted}."
