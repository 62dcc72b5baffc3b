"""Asks somebody in a direct message whether a note is right still, once."""

from __future__ import annotations

import logging
from typing import Any

from bot.core.errors import SlackRefused
from handlers.slack.blocks import actions, button, context, ephemeral, section
from handlers.slack.client import SlackClient
from handlers.slack.mrkdwn import escape
from handlers.slack.own_messages import list_own, read_id

log = logging.getLogger(__name__)

METADATA = "parley_note"
STILL_RIGHT, EDIT_NOTE, ERASE_NOTE = "note_still_right", "note_edit", "note_erase"
ASKED = "This note was to be looked at again today. Is it still right?"


def build_note_question(id: str, title: str, said: str, text: str) -> dict[str, Any]:
    """The question with the note's words and what can be done with it."""
    buttons = actions(
        button(STILL_RIGHT, "Still right", value=id),
        button(EDIT_NOTE, "Edit", value=id),
        button(ERASE_NOTE, "Erase", value=id),
    )
    shown = [section(f"{ASKED}\n\n*{escape(title)}*\n{escape(text)}"), context(escape(said)), buttons]
    return {"text": ephemeral(ASKED, [])["text"], "blocks": shown}


async def tell_once(
    slack: SlackClient, place: tuple[str, str], message: dict[str, Any], *, since: float, resumed: bool
) -> None:
    """Posts a message that carries an id to a direct conversation; `place`: the conversation and the id.
    `resumed`: it may stand there already. SlackRefused."""
    direct, id = place
    if resumed and await _is_told(slack, direct, id, since=since):
        return
    await slack.call(
        "chat.postMessage",
        channel=direct,
        unfurl_links=False,
        unfurl_media=False,
        metadata={"event_type": METADATA, "event_payload": {"id": id}},
        **message,
    )


async def _is_told(slack: SlackClient, direct: str, id: str, *, since: float) -> bool:
    """Whether it stands there. Where Slack does not show that: no, and it is rather said twice than never."""
    try:
        return id in map(read_id, await list_own(slack, direct, id, after=since))
    except SlackRefused as exc:
        log.warning("direct messages cannot be read: %s", exc.code)
        return False
