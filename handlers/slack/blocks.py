"""Block Kit as pure functions: values in, lists of plain dicts out. All limits are checked by tests.

Source of shapes and limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.core.errors import BotError
from bot.text.redact import redact
from handlers.slack.mrkdwn import escape

Block = dict[str, Any]

FEEDBACK = "feedback"
RETRY = "retry"
FORGET_ALL = "forget_all"
FORGET_CLIP = "clip_forget"  # by it a clip card is known
SETTINGS_OF = "settings_of"
# Buttons that ask for more of an answer, by what they ask for (bot/core/values.py).
FOLLOW_UPS = {"continue": "Continue", "again": "Again", "shorter": "Shorter", "longer": "Longer"}
SHOULD_ANSWER, SHOULD_REFUSE = "should_have_answered", "should_have_refused"
# A person or a channel, as Slack shows them by their name.
RESOLVED = re.compile(r"&lt;([@#][A-Z0-9]+)&gt;")
SECTION_LIMIT = 3000  # characters of a section's text


def markdown(text: str) -> Block:
    """The model's own Markdown; at most 12,000 characters over all such blocks of a message."""
    return {"type": "markdown", "text": text}


def without_blocks(body: dict[str, Any]) -> dict[str, Any]:
    """A reply for a Slack that refuses its blocks: every word of text and notes, and no button."""
    texts = [block["text"] for block in body["blocks"] if block["type"] == "markdown"]
    notes = [e["text"] for block in body["blocks"] if block["type"] == "context" for e in block["elements"]]
    return {"markdown_text": "\n\n".join((*texts, *notes)), "metadata": body["metadata"]}


def mrkdwn(text: str) -> Block:
    """Text in Slack's own markup, in which no key is shown and no plain word becomes a link or a mention."""
    return {"type": "mrkdwn", "text": redact(text), "verbatim": True}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text[:SECTION_LIMIT])}


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:150]}}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(escape(t)) for t in texts[:10]]}


def button(action: str, text: str, *, value: str = "") -> Block:
    pressed: Block = {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": text}}
    return pressed | {"value": value} if value else pressed


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def closing(
    notes: tuple[str, ...],
    *,
    reply_id: str,
    feedback: bool,
    retry: bool,
    verdict: int = 0,
    follow_ups: tuple[str, ...] = (),
) -> list[Block]:
    """What stands under the last part of a reply: notes, buttons for more of it, then feedback or the one
    retry button, and what overturns the guard's `verdict` where there is one."""
    under = [context(*notes)] if notes else []
    if follow_ups:
        under.append(actions(*(button(what, FOLLOW_UPS[what], value=reply_id) for what in follow_ups)))
    if retry:
        under.append(actions(button(RETRY, "Try again", value=reply_id)))
    elif feedback:
        under.append(_feedback_buttons(reply_id))
    return [*under, actions(overturn(verdict, on_topic=True))] if verdict else under


def overturn(verdict: int, *, on_topic: bool) -> Block:
    """The button that says what a verdict should have been."""
    if on_topic:
        return button(SHOULD_ANSWER, "Should have answered", value=str(verdict))
    return button(SHOULD_REFUSE, "Should have refused", value=str(verdict))


def without_buttons(shown: list[Block], *pressed: str) -> list[Block]:
    """A message's blocks without these buttons: they were pressed, and do it once."""
    left = []
    for block in shown:
        if block["type"] == "actions":
            kept = [element for element in block["elements"] if element.get("action_id") not in pressed]
            block = block | {"elements": kept} if kept else {}
        left += [block] if block else []
    return left


def _feedback_buttons(reply_id: str) -> Block:
    def button(text: str, value: str) -> Block:
        return {"text": {"type": "plain_text", "text": text}, "value": f"{value}:{reply_id}"}

    element = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": button("Good answer", "1"),
        "negative_button": button("Bad answer", "-1"),
    }
    return {"type": "context_actions", "elements": [element]}


def ephemeral(text: str, blocks: list[Block]) -> dict[str, Any]:
    """What a command answers with, for the asker's eyes only."""
    quiet = {"unfurl_links": False, "unfurl_media": False}
    return {"text": redact(text), "blocks": blocks, "response_type": "ephemeral"} | quiet


def notice(error: BotError, *more: Block) -> dict[str, Any]:
    """What went wrong, for the asker's eyes only, and what helps. It may quote what somebody wrote."""
    sentence = RESOLVED.sub(r"<\1>", escape(error.notice))
    return ephemeral(sentence, [section(sentence), *more])


def help(commands: Mapping[str, str]) -> list[Block]:
    """Every command with what it does."""
    lines = [f"`/parley {name}`  {escape(what)}" for name, what in commands.items()]
    return [
        section("Mention me in a channel, write to me directly, or follow up in a thread I take part in."),
        section("\n".join(lines)),
    ]


def choose_channel() -> Block:
    """Opens the settings of the channel that is chosen."""
    element = {
        "type": "conversations_select",
        "action_id": SETTINGS_OF,
        "placeholder": {"type": "plain_text", "text": "Choose a channel"},
        "filter": {"include": ["public", "private"], "exclude_external_shared_channels": False},
    }
    return section("*Settings of a channel you look after*") | {"accessory": element}


def forget_question() -> list[Block]:
    """What can be forgotten, with a button that asks again before it forgets everything."""
    button = {
        "type": "button",
        "action_id": FORGET_ALL,
        "style": "danger",
        "text": {"type": "plain_text", "text": "Forget everything of mine"},
        "confirm": {
            "title": {"type": "plain_text", "text": "Forget everything?"},
            "text": {"type": "plain_text", "text": "What you said to me is erased, in every thread."},
            "confirm": {"type": "plain_text", "text": "Forget"},
            "deny": {"type": "plain_text", "text": "Keep"},
        },
    }
    how = (
        "`/parley forget thread` forgets your latest thread with me in this channel; "
        "`/parley forget thread LINK`, or “Forget this thread” in a message's menu, any other."
    )
    return [section(how), {"type": "actions", "elements": [button]}]


def forgotten(messages: int | None) -> str:
    """What came of forgetting, in a sentence."""
    if messages is None:
        return "There is no such thread in which you took part."
    return f"Forgotten: {count(messages, 'message')}."


def count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
