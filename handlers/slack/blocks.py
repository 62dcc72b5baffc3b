"""Block Kit as pure functions: values in, lists of plain dicts out. All limits are checked by tests.

Source of shapes and limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.errors import BotError
from bot.core.values import Source, WordsKept
from bot.text.redact import redact
from handlers.slack.mrkdwn import escape
from handlers.slack.sources import list_sources, read_sources

Block = dict[str, Any]

FEEDBACK = "feedback"
RETRY = "retry"
FORGET_ALL = "forget_all"
ASK_FORGET = "ask_forget_all"
FORGET_CLIP = "clip_forget"  # by it a clip card is known
SETTINGS_OF = "settings_of"
UNDO_NOTE, NEW_HOLDS, OLD_HOLDS, BOTH_HOLD = "note_undo", "note_new_holds", "note_old_holds", "note_both_hold"
# Buttons that ask for more of an answer, by what they ask for (bot/core/values.py).
FOLLOW_UPS = {
    "continue": "Continue",
    "again": "Again",
    "shorter": "Shorter",
    "longer": "Longer",
    "across": "Go through them",
}
SHOULD_ANSWER, SHOULD_REFUSE = "should_have_answered", "should_have_refused"
# A person or a channel, as Slack shows them by their name.
RESOLVED = re.compile(r"&lt;([@#][A-Z0-9]+)&gt;")
# How the kinds of what is kept of somebody are called (storage/privacy/kept.py): one, and many.
KEPT = {
    "messages": ("message", "messages"),
    "recordings": ("recording", "recordings"),
    "parked": ("question that I gave up on", "questions that I gave up on"),
    "retryable": ("question kept for another try", "questions kept for another try"),
    "ratings": ("rating of an answer", "ratings of answers"),
    "examples": ("example for a guard", "examples for guards"),
    "answer examples": ("question that answers are learned from", "questions that answers are learned from"),
    "verdicts": ("verdict of a guard", "verdicts of guards"),
    "reviews": ("value of a field put right or confirmed", "values of fields put right or confirmed"),
    "unanswered": ("question without a passage", "questions without a passage"),
    "documents": ("document", "documents"),
}
STAYS = (
    "What you decided for others (budgets, settings, owners), the list of who changed what, and that you "
    "were told that I am an AI stay."
)
SECTION_LIMIT = 3000  # characters of a section's text


def markdown(text: str) -> Block:
    """The model's own Markdown; at most 12,000 characters over all such blocks of a message."""
    return {"type": "markdown", "text": text}


def without_blocks(body: dict[str, Any]) -> dict[str, Any]:
    """A reply for a Slack that refuses its blocks: every word of text and notes, and no button."""
    texts = [block["text"] for block in body["blocks"] if block["type"] == "markdown"]
    notes = [e["text"] for block in body["blocks"] if block["type"] == "context" for e in block["elements"]]
    return {
        "markdown_text": "\n\n".join((*texts, *read_sources(body["blocks"]), *notes)),
        "metadata": body["metadata"],
    }


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
    disclosure: str = "",
    sources: Sequence[Source] = (),
    note: str = "",
    against: str = "",
) -> list[Block]:
    """What stands under the last part of a reply: sources, notes, the `disclosure` that an AI gave it where
    the person was not told yet, buttons for more of it, then feedback or the one retry button, and what
    overturns the guard's `verdict` where there is one. `note`: what can be taken back; `against`: what says
    otherwise, so that one of them can be chosen."""
    under = list_sources(sources) + ([context(*notes)] if notes else [])
    under += [context(disclosure)] if disclosure else []
    if follow_ups:
        under.append(actions(*(button(what, FOLLOW_UPS[what], value=reply_id) for what in follow_ups)))
    if note:
        under.append(actions(*note_buttons(note, against)))
    if retry:
        under.append(actions(button(RETRY, "Try again", value=reply_id)))
    elif feedback:
        under.append(_feedback_buttons(reply_id))
    return [*under, actions(overturn(verdict, on_topic=True))] if verdict else under


def note_buttons(note: str, against: str) -> list[Block]:
    """What can be done with a note that was kept just now."""
    if not against:
        return [button(UNDO_NOTE, "Undo", value=note)]
    names = {NEW_HOLDS: "The new one", OLD_HOLDS: "The older one", BOTH_HOLD: "Both"}
    return [button(action, name, value=f"{note} {against}") for action, name in names.items()]


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
    """What went wrong, for the asker's eyes only, and what helps."""
    sentence = escape_notice(error)
    return ephemeral(sentence, [section(sentence), *more])


def escape_notice(error: BotError) -> str:
    """What went wrong, in Slack's markup. It may quote what somebody wrote."""
    return RESOLVED.sub(r"<\1>", escape(error.notice))


def help(commands: Mapping[str, str]) -> list[Block]:
    """How to ask, and every command with what it does."""
    asking = (
        "Mention me in a channel, write to me directly, or go on in a thread I take part in; some channels "
        "want a mention there, too."
    )
    return [section(asking), list_commands(commands)]


def list_commands(commands: Mapping[str, str]) -> Block:
    """Commands with what they do, one a line."""
    return section("\n".join(f"`/parley {name}`  {escape(what)}" for name, what in commands.items()))


def choose_channel(owned: str = "") -> Block:
    """Opens the settings of the channel that is chosen. `owned`: those that somebody looks after."""
    element = {
        "type": "conversations_select",
        "action_id": SETTINGS_OF,
        "placeholder": {"type": "plain_text", "text": "Choose a channel"},
        "filter": {"include": ["public", "private"], "exclude_external_shared_channels": False},
    }
    title = f"*Channels you look after*\n{owned}" if owned else "*Settings of a channel you look after*"
    return section(title) | {"accessory": element}


def forget_question(kept: WordsKept) -> list[Block]:
    """What can be forgotten, what goes with everything, and the button for that."""
    how = (
        "`/parley forget thread` forgets your latest thread with me in this channel; "
        "`/parley forget thread LINK`, or “Forget this thread” in a message's menu, any other."
    )
    return [section(how), *forget_all_question(kept)]


def forget_all_question(kept: WordsKept) -> list[Block]:
    """What goes when everything of somebody is forgotten, what stays, and the button that asks again."""
    goes = _list_kept(kept)
    in_threads = f" in {count(kept.threads, 'thread')}" if kept.threads else ""
    lines = [f"*Of yours I keep {goes}*{in_threads}." if goes else "*I keep no words of yours.*"]
    if goes:
        lines.append("With it go the answers, and what was made of it: summaries, what guards learned.")
    if kept.under_way:
        asked = count(kept.under_way, "question")
        lines.append(f"{asked} without an answer yet: gone as soon as it is there.")
    stays = [STAYS]
    if kept.requests:
        requests = count(kept.requests, "model request")
        stays.append(f"Your use ({requests}) stays in the sums, under nobody's name.")
    button = {
        "type": "button",
        "action_id": FORGET_ALL,
        "style": "danger",
        "text": {"type": "plain_text", "text": "Forget everything of mine"},
        "confirm": {
            "title": {"type": "plain_text", "text": "Forget everything?"},
            "text": {"type": "plain_text", "text": "It cannot be brought back."},
            "confirm": {"type": "plain_text", "text": "Forget"},
            "deny": {"type": "plain_text", "text": "Keep"},
        },
    }
    return [section("\n".join(lines)), context(*stays), {"type": "actions", "elements": [button]}]


def forgotten(gone: WordsKept | None) -> str:
    """What came of forgetting, in a sentence for each thing that somebody should know."""
    if gone is None:
        return "There is no such thread in which you took part."
    sentences = [f"Forgotten: {_list_kept(gone) or 'nothing was left'}."]
    if gone.requests:
        sentences.append("What you used stays in the sums, under nobody's name.")
    if gone.under_way:
        sentences.append("What you asked and has no answer yet goes as soon as it has one.")
    return " ".join(sentences)


def _list_kept(kept: WordsKept) -> str:
    """What there is, by kind, in words; "" when there is nothing."""
    found = [count(number, *KEPT[kind]) for kind, number in kept.kinds.items() if number > 0]
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else "".join(found)


def count(number: int, what: str, many: str = "") -> str:
    return f"{number:,} {what if number == 1 else many or f'{what}s'}"
