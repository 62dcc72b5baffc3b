"""Fills the sandbox with an example: two more channels, messages of colleagues, documents, a small budget.

What #support is for and how #handbook is answered is told to the bot as any operator would, in a file of
policies (policies.toml); the budget of #finance is set as any admin would, with /parley, and in the same way
the bot is told to answer from the documents of #handbook.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from bot.sandbox.slack.api.file_objects import new_file
from bot.sandbox.slack.delivery.events import person_message
from bot.sandbox.slack.people.writing import attach_files
from bot.sandbox.slack.server import FakeSlack
from bot.sandbox.slack.state import Message, Workspace
from bot.sandbox.slack.text import rich_text

POLICIES = Path(__file__).parent / "policies.toml"
# An answer of the rehearsal model is at most so long. What a request may cost is set aside before it is made:
# with this, two answers of 500 words fit into the budget of #finance, and the third is refused.
LONGEST_ANSWER_TOKENS = 1000
BUDGET = "budget channel 0.015 per day warn 70"

# Of the apps that post alerts, the one that may ask by itself (bot/sandbox/slack/people/sharing.py).
ASKING_APP = "A0GRAFANA"

# channel, who, how many minutes ago, what, and who reacted with what
_MESSAGES = (
    (
        "general",
        "bob",
        34,
        "Morning! The landlord confirmed it: we move to *Ghent* on the 3rd.",
        "tada carol",
    ),
    ("general", "carol", 31, "Boxes arrive on Friday. Who can help to pack?", "raised_hand bob"),
    ("general", "bob", 12, "The truck is booked for Friday at nine. I have the keys.", ""),
    ("support", "carol", 26, "Lamps are out of stock until Monday; please tell whoever asks.", "eyes bob"),
    ("finance", "carol", 22, "Please keep an eye on what we spend before the month ends.", ""),
    ("leads", "bob", 45, "Between us: the move will cost less than planned.", "wave alice"),
    ("partners", "dana", 18, "Hello from the other side! When can we visit the new office?", "wave bob"),
    ("boxes", "bob", 8, "Who wants @parley in here: press “Invite Parley” above. It tells you the rest.", ""),
)
DOCUMENTS = Path(__file__).parent / "documents"
_SHARED = ("team_handbook.pdf", "moving_to_ghent.pptx")
_SHARED_WITH = (
    "Our handbook, and what changes with the move. @parley answers from both, and from nothing else."
)
ANSWER_FROM_THEM = "knowledge add"
# Reading takes seconds; whoever comes then finds documents that can be asked about.
_TAKEN_IN, _TAKEN_IN_WITHIN_S = "can be asked about", 30.0


def add_scene(slack: FakeSlack) -> None:
    """Put the talk of this morning into a new workspace. The app was not there to hear it."""
    ws = slack.workspace
    alice, bob, carol, *_ = ws.people
    purpose = "Answers from its documents alone"
    ws.add_channel("C0HANDBOOK", "handbook", alice, bob, carol, ws.bot, purpose=purpose)
    ws.add_channel("C0BOXES001", "boxes", alice, bob, carol, purpose="Packing, and who carries what")
    for channel, who, minutes, text, reaction in _MESSAGES:
        _add_message(ws, channel, who, minutes, text=text, reaction=reaction)
    _share_documents(ws)
    slack.live.refresh()


def _share_documents(ws: Workspace) -> None:
    """Carol's documents in #handbook."""
    carol, place = ws.find_person("carol"), ws.find_channel("handbook", "carol")
    assert carol is not None
    assert place is not None
    message = _add_message(ws, "handbook", "carol", 55, text=_SHARED_WITH, reaction="")
    files = [new_file(ws, carol, name, (DOCUMENTS / name).read_bytes()) for name in _SHARED]
    attach_files((ws, carol, place), message, files)


def _add_message(ws: Workspace, channel: str, who: str, minutes: int, *, text: str, reaction: str) -> Message:
    person, place = ws.find_person(who), ws.find_channel(channel, who)
    assert person is not None
    assert place is not None
    ts, written = f"{ws.clock() - 60 * minutes:.6f}", ws.link_names(text)
    message = person_message(person, ts, written, rich_text(written, f"r{ts[-6:]}"))
    if reaction:
        name, by = reaction.split()
        message["reactions"] = [{"name": name, "users": [ws.names()[by]], "count": 1}]
    return ws.put(place, message)


async def instruct(slack: FakeSlack) -> None:
    """What Alice and Carol type when the bot is there; each alone sees the answer."""
    await slack.command("alice", "#finance", "/parley", BUDGET)
    await slack.command("carol", "#handbook", "/parley", ANSWER_FROM_THEM)
    with contextlib.suppress(TimeoutError):
        await slack.until(lambda: _count_taken_in(slack) == len(_SHARED), _TAKEN_IN_WITHIN_S)


def _count_taken_in(slack: FakeSlack) -> int:
    messages = slack.workspace.channels[slack.channel("#handbook")].messages.values()
    return sum(_TAKEN_IN in message.get("text", "") for message in messages)
