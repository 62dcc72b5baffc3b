"""The note to whoever called us into a channel: values in, blocks out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.core.errors import NotShared
from bot.costs.amounts import dollars
from bot.costs.budgets import Standing
from bot.guard.policy import Policy
from bot.text.redact import redact
from bot.welcome.invitations import InvitationNote
from handlers.slack.blocks import Block, actions, button, section
from handlers.slack.directory import GROUP_MESSAGE
from handlers.slack.mrkdwn import escape

OPEN_SETTINGS = "open_settings"
EXAMPLES = 2
GROUP = "a group conversation"

NOT_HERE = "I do not work in {place}: the people who run me decide where I do."
NOT_SHARED = "I do not answer in {place}, because people of another company read along there."
# When it answers, and what it reads for that, by what is answered beside mentions.
ANSWERS = {
    "threads": "When somebody mentions me, and then everything in that thread, without a mention, unless it "
    "is said to somebody else.",
    "mentions": "When somebody mentions me, and not otherwise.",
    "every": "Every message, with or without a mention, unless it is said to somebody else.",
}
READS = {
    "threads": "Messages that mention me, and the threads I take part in, with what was said in them before.",
    "mentions": "Messages that mention me, and all that is said in the threads they stand in, before and "
    "after; what does not mention me there I remember and do not answer.",
    "every": "Every message.",
}
READS_ALONE = {
    "threads": "Messages that mention me, and what follows in those threads, with the voice clips in them.",
    "mentions": "Messages that mention me, with the voice clips in them.",
    "every": "Every message, with the voice clips in it.",
}
NOTHING_ELSE = "Nothing that is said outside of those is kept."
CLIPS = {
    "mentioned": "I listen to voice clips that come with a mention.",
    "threads": "I listen to voice clips that come with a mention, and to those in those threads.",
    "every": "I listen to every voice clip in the channel.",
}
GUARDED = {
    "refuse": "What does not belong I decline in one sentence.",
    "note": "What does not belong I answer briefly.",
    "ask": "For what does not belong I point to {contact}.",
}
FROM_PASSAGES = "I answer from what its owner gave me, and from nothing else."
SHARED = {
    "alone": "People of another company read along there. So each question is answered by itself: without "
    "memory of the thread, without this channel's documents, and no word of it is kept after the answer.",
    "all": "People of another company read along there. I answer them like everybody, and remember what they "
    "say.",
}
NO_BUDGET = "None is set for this channel. `/parley budget channel 20 per month`, written there, sets one."
IN_WORKSPACE = "What is used there also counts towards the workspace's budget."


def build_note(note: InvitationNote, name: str, bot: str) -> dict[str, Any]:
    """The note as a message. `name`: what the channel is called ("#general"), where Slack tells; `bot`: our
    own user."""
    place = GROUP if name == GROUP_MESSAGE else f"<#{note.invitation.channel}>"
    if note.closed:
        sentence = NOT_SHARED if isinstance(note.closed, NotShared) else NOT_HERE
        return _message([sentence.format(place=place)], [])
    parts = [
        f"You invited me into {place}. {escape(note.disclosure)}",
        *_list_what_holds(note),
        "*Try it there*\n" + "\n".join(f"• <@{bot}> {one}" for one in list_examples(note.policy, name)),
    ]
    return _message(
        parts, [actions(button(OPEN_SETTINGS, "Channel settings", value=note.invitation.channel))]
    )


def _message(parts: Sequence[str], under: list[Block]) -> dict[str, Any]:
    """Screen readers and notifications get `text`, which holds every word."""
    return {"text": redact("\n\n".join(parts)), "blocks": [*map(section, parts), *under]}


def _list_what_holds(note: InvitationNote) -> Iterator[str]:
    yield f"*When I answer*\n{ANSWERS[note.answers]}"
    if note.policy:
        yield f"*What this channel is for*\n{describe_policy(note.policy)}"
    yield f"*What I read*\n{describe_reading(note)}"
    if note.shared:
        yield f"*Shared with another company*\n{SHARED[note.shared]}"
    yield f"*Budget*\n{describe_budgets(note.budgets)}"


def describe_reading(note: InvitationNote) -> str:
    """What is read of what people say there, and that the rest is not kept."""
    if note.shared == "alone":
        reads = [READS_ALONE[note.answers]]
    else:
        reads = [READS[note.answers], CLIPS[note.listen]]
    return " ".join([*reads, *([NOTHING_ELSE] if note.answers != "every" else [])])


def describe_policy(policy: Policy) -> str:
    """What belongs, and what happens to the rest."""
    rest = FROM_PASSAGES if policy.context_only else GUARDED[policy.action]
    return escape(f"{policy.purpose.strip().rstrip('.')}. {rest.format(contact=policy.contact)}")


def describe_budgets(standings: Sequence[Standing]) -> str:
    """The caps that hold in a channel; what the workspace spends is not for everybody."""
    own = [one for one in standings if one.budget.scope == "channel"]
    lines = [
        f"{dollars(one.cap_now_usd)} a {one.budget.period}, of which {dollars(one.spent_usd)} is used."
        for one in own
    ] or [NO_BUDGET]
    return "\n".join([*lines, *([IN_WORKSPACE] if len(own) < len(standings) else [])])


def list_examples(policy: Policy | None, name: str) -> list[str]:
    """Two things to ask in a channel: of those its owner gave, else about what it is for, else what fits
    every channel."""
    if policy and len(policy.belongs) >= EXAMPLES:
        return [escape(text) for text in policy.belongs[:EXAMPLES]]
    if policy:
        purpose = escape(policy.purpose.strip().rstrip("."))
        return [
            f"Which questions can I ask you here? (about: {purpose})",
            f"Explain in three sentences what matters most in this: {purpose}",
        ]
    about = f"for {escape(name)} " if name.startswith("#") else ""
    return [
        "Sum up this thread: what is decided, and who does what?",
        f"Draft a short message {about}that our meeting moves to Thursday at ten.",
    ]
