"""The owner's list of questions that could not be answered, as pure functions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from bot.unanswered.service import Topic
from handlers.guard.blocks import quoted
from handlers.slack.blocks import Block, actions, button, context, count, section
from handlers.slack.modals import View, window
from handlers.slack.mrkdwn import escape
from storage.place import Channel

ADD, WRITE, NOT_OURS = "unanswered_add", "unanswered_write", "unanswered_not_ours"
ASK_AGAIN = "unanswered_ask_again"
LISTED = 30  # topics; a window holds 100 blocks
WORDINGS, PEOPLE = 3, 3  # shown of a topic
WORDING_SHOWN, NEAREST_SHOWN = 150, 300  # characters
NONE_OPEN = "None. Every question here was answered."
EXPLAINED = (
    "What you add or write answers from then on, and these questions are asked again: whoever gets an answer "
    "hears it in their thread."
)


def list_window(at: Channel, topics: Sequence[Topic], zone: tzinfo, *, note: str = "") -> View:
    """What could not be answered in a channel, what is wanted most first. `note`: what was just done."""
    shown = [block for topic in topics[:LISTED] for block in _show(topic, zone)]
    left = len(topics) - LISTED
    blocks = [
        *([section(note)] if note else []),
        *([context(EXPLAINED)] if topics else [section(NONE_OPEN)]),
        *shown,
        *([context(f"And {left:,} more.")] if left > 0 else []),
    ]
    return window("Unanswered questions", blocks, private_metadata=json.dumps({"channel": at.channel}))


def read_channel(view: View) -> str:
    """The channel that the list is of."""
    return str(json.loads(view["private_metadata"])["channel"])


def _show(topic: Topic, zone: tzinfo) -> list[Block]:
    read_as = [f"Read as “{escape(_cut(topic.meant, WORDING_SHOWN))}”"] * (topic.meant != topic.question)
    others = dict.fromkeys(one.question for one in topic.questions if one.question != topic.question)
    also = [f"Also asked as “{escape(_cut(one, WORDING_SHOWN))}”" for one in list(others)[:WORDINGS]]
    near = [f"Nearest thing known: {escape(_cut(topic.nearest, NEAREST_SHOWN))}"] if topic.nearest else []
    value = str(topic.id)
    return [
        section("\n".join([quoted(topic.question), *read_as, describe(topic, zone), *also, *near])),
        actions(
            button(ADD, "Add a document", value=value),
            button(WRITE, "Write the answer", value=value),
            button(ASK_AGAIN, "Ask again", value=value),
            button(NOT_OURS, "Not ours", value=value),
        ),
    ]


def tell_asked(number: int) -> str:
    """That questions are asked again."""
    return f"Asking again: {count(number, 'question')}. Who gets an answer hears it in their thread."


def describe(topic: Topic, zone: tzinfo) -> str:
    """How often it was asked, by whom, and when last."""
    askers = list(dict.fromkeys(one.person for one in topic.questions if one.person))
    named = [f"<@{person}>" for person in askers[:PEOPLE]]
    if len(askers) > PEOPLE:
        named.append(f"{len(askers) - PEOPLE:,} more")
    by = f" by {_by(topic.people, named)}" if named else ""
    last = datetime.fromtimestamp(topic.last_at, UTC).astimezone(zone)
    wanted = " *Somebody says that it should be answered here.*" if topic.wanted else ""
    times = "once" if topic.times == 1 else f"{topic.times:,} times"
    return f"Asked {times}{by}, last on {last.day} {last:%B}.{wanted}"


def _by(people: int, named: Sequence[str]) -> str:
    """How many they are and who; of one, who."""
    return named[0] if people == 1 else f"{count(people, 'person', 'people')} ({', '.join(named)})"


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"
