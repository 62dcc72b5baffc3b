"""Who says what, where and when: what a model is told beside the words.

Names stand in the text itself, so that they are the same from turn to turn; what changes (the place, the
time) stands behind the question, so that all before it stays in the provider's cache. All of it
is data: a name that reads like an order or a label is made one plain word after another.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Protocol

from bot.core.calendar import zone
from bot.core.settings import Settings, split_list
from bot.core.values import Conversation, Incoming, Message
from bot.text import marks
from bot.text.invisible import strip_hidden
from bot.text.plain_names import make_plain

PURPOSE_LIMIT = 300  # Source: docs.slack.dev, conversations.setPurpose: 250 characters

MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_MARKS = str.maketrans(dict.fromkeys(':：<>[]"`*_~|\\', " "))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a question is asked. Empty is what is not known, or not to be told."""

    channel: str = ""  # "#general"; empty in direct messages
    purpose: str = ""  # what its members wrote there
    zone: tzinfo | None = None  # of the asker


class PeopleReader(Protocol):
    """Who is who around a message. What cannot be told stays out; nothing is raised for it."""

    async def names(self, ids: Collection[str]) -> Mapping[str, str]:
        """What people are called."""

    async def surroundings(self, conversation: Conversation, user: str) -> Surroundings:
        """Where this person asks, and the time zone they live in."""


async def find_names(
    reader: PeopleReader, settings: Settings, messages: Iterable[Message]
) -> Mapping[str, str]:
    """What everybody in these messages is called, if the model may be told."""
    return await reader.names(list_people(messages)) if "names" in split_list(settings.context) else {}


async def find_about(
    reader: PeopleReader,
    settings: Settings,
    incoming: Incoming,
    names: Mapping[str, str],
    *,
    guarded: bool = False,
) -> str:
    """What the model is told about a question, as far as it may be. `guarded`: what the channel is for, its
    owner says; what its members wrote of it was judged by nobody."""
    told = split_list(settings.context)
    if not {"channel", "time"} & set(told):
        return describe(Surroundings(), names.get(incoming.user, ""), incoming.sent_at)
    found = await reader.surroundings(incoming.conversation, incoming.user)
    if "channel" not in told:
        found = Surroundings(zone=found.zone)
    if guarded:
        found = replace(found, purpose="")
    here = found.zone or zone(settings.time_zone)
    found = replace(found, zone=here if "time" in told else None)
    return describe(found, names.get(incoming.user, ""), incoming.sent_at)


def list_people(messages: Iterable[Message]) -> set[str]:
    """Ids of everybody who speaks or is mentioned."""
    found: set[str] = set()
    for message in messages:
        found.update(MENTION.findall(message.text))
        if message.role == "human" and message.speaker:
            found.add(message.speaker)
    return found


def name_people(
    messages: Sequence[Message], names: Mapping[str, str], *, asker: str = ""
) -> tuple[Message, ...]:
    """The messages with names for ids, and who said it before each once a second person has spoken. What
    people said to each other stands under a mark, as material. `asker`: who wrote the last message.

    What stands before the second person's first message is the same as without it, and a message reads the
    same from turn to turn. Who has no name is called by the id.
    """
    known = make_unlike(names)
    asides = find_asides(messages, asker)

    def name_of(id: str) -> str:
        return known.get(id) or id

    def named() -> Iterator[Message]:
        people: set[str] = set()
        for number, message in enumerate(messages):
            text = MENTION.sub(lambda found: "@" + name_of(found[1]), message.text)
            if message.role == "human" and message.speaker:
                people.add(message.speaker)
                if number in asides:
                    mark = f"said to others by {marks.tidy_name(name_of(message.speaker))}"
                    text = f"{marks.quote(mark, text)}\n{marks.END}"
                elif len(people) > 1:
                    text = f"{name_of(message.speaker)}: {text}"
            yield replace(message, text=text, speaker="")

    return tuple(named())


def find_asides(messages: Sequence[Message], asker: str) -> set[int]:
    """The positions of what was not said to us: by somebody else than who got the next answer."""
    found, answered = set[int](), asker
    for number in range(len(messages) - 1, -1, -1):
        message = messages[number]
        if message.role == "assistant":
            answered = message.to or answered
        elif answered and message.speaker and message.speaker != answered:
            found.add(number)
    return found


def make_unlike(names: Mapping[str, str]) -> dict[str, str]:
    """Names as plain words, each its own: two people of one name are told apart by their ids."""
    plain = {id: make_plain(name) for id, name in names.items()}
    count = [name.casefold() for name in plain.values()]
    return {
        id: f"{name} ({id})" if name and count.count(name.casefold()) > 1 else name
        for id, name in plain.items()
    }


def describe(surroundings: Surroundings, asker: str, sent_at: datetime) -> str:
    """What is told about a question: where, by whom and when it is asked; "" for nothing."""
    lines = []
    if surroundings.channel:
        lines.append(f"Channel: {make_plain(surroundings.channel)}")
    if surroundings.purpose:
        purpose = " ".join(strip_hidden(surroundings.purpose).split())[:PURPOSE_LIMIT]
        lines.append(f"Purpose of the channel, as its members wrote it: {purpose}")
    if asker:
        lines.append(f"Asked by: {make_plain(asker)}")
    if surroundings.zone is not None:
        local = sent_at.astimezone(surroundings.zone)
        lines.append(f"Asked on: {local:%A, %d %B %Y, %H:%M} ({local.tzname()}, UTC{local:%z})")
    return "\n".join(lines)
