"""`parley knowledge unanswered --channel C… --json`: what documents could not answer, grouped by meaning.

A list of {team, channel, question, times, people, wanted, first_at, last_at, nearest, wordings}, what is
wanted most first; times are unix seconds. It only reads: what is in no group yet is grouped by its words for
this one look. What was asked in direct messages is shown where their channel is named.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.cli.access_notes import note_access
from bot.core.settings import Settings
from bot.text.file_names import escape_unseen
from bot.unanswered import grouping
from bot.unanswered.service import Topic, make_topics
from storage.database import open_engine
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion

WORDINGS = 3  # of a topic, where people read it


async def run(args: Namespace, settings: Settings) -> int:
    """0 also where nothing is open."""
    named, _, channel = args.channel.rpartition(":")
    async with open_engine(settings.database, read_only=True) as engine:
        places = await engine.read(questions.list_channels, team=args.team or named, channel=channel)
        found = [(at, group(await engine.read(questions.list_open, at))) for at in places]
    await note_access(settings, "unanswered questions", channel or "every channel", team=args.team or named)
    if args.json:
        told = [as_json(at, topic) for at, topics in found for topic in topics]
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(describe(at, topics) for at, topics in found) or "every question was answered")
    return 0


def group(found: Sequence[OpenQuestion]) -> list[Topic]:
    """As the list in Slack has them; what is new to it by words."""
    new = grouping.group(found, {})
    return make_topics([replace(one, topic=new.get(one.id, one.topic)) for one in found])


def as_json(at: Channel, topic: Topic) -> dict[str, Any]:
    """What `--json` promises of each."""
    return {
        **at.key,
        "question": topic.question,
        "times": topic.times,
        "people": topic.people,
        "wanted": topic.wanted,
        "first_at": topic.first_at,
        "last_at": topic.last_at,
        "nearest": topic.nearest,
        "wordings": _list_others(topic),
    }


def describe(at: Channel, topics: Sequence[Topic]) -> str:
    """A channel, and a few lines for each of its topics."""
    return "\n".join([f"{at.channel} ({at.team})", *(_describe_topic(topic) for topic in topics)])


def _describe_topic(topic: Topic) -> str:
    wanted = ", wanted" if topic.wanted else ""
    lines = [f"  {topic.times} × by {topic.people}{wanted}: {_one_line(topic.question)}"]
    lines += [f"      also: {_one_line(other)}" for other in _list_others(topic)[:WORDINGS]]
    lines += [f"      nearest: {_one_line(topic.nearest)}"] if topic.nearest else []
    return "\n".join(lines)


def _list_others(topic: Topic) -> list[str]:
    """Its other wordings, each once."""
    return list(dict.fromkeys(one.question for one in topic.questions if one.question != topic.question))


def _one_line(text: str) -> str:
    return escape_unseen(" ".join(text.split()))
