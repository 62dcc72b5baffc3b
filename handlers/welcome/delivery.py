"""Gives the note about an invitation, once: as a direct message, which can be found again.

A message for one person's eyes in the channel (chat.postEphemeral) would stand nearer, but it is gone when
they reload, is in no history, and after a crash nobody could tell whether it was shown. So it is for where
Slack refuses direct messages, and there the note is rather given twice than never.
"""

from __future__ import annotations

import logging
from typing import Any

from bot.core.errors import SlackRefused
from bot.welcome.invitations import InvitationNote
from handlers.slack.client import SlackClient
from handlers.slack.directory import Directory
from handlers.slack.own_messages import list_own, read_id
from handlers.welcome.note import build_note

log = logging.getLogger(__name__)

METADATA = "parley_invitation"


async def give_note(slack: SlackClient, directory: Directory, note: InvitationNote, *, resumed: bool) -> str:
    """Gives the note to whoever invited us; where it stands, "" where Slack takes it nowhere.

    `resumed`: it may stand there already.
    """
    name, _ = await directory.find_channel(note.invitation.channel)
    message = build_note(note, name, await slack.find_bot_user())
    try:
        return await _give_directly(slack, directory, note, message, resumed=resumed)
    except SlackRefused as exc:
        log.info("no direct message to whoever invited us: %s", exc.code)
    channel, inviter = note.invitation.channel, note.invitation.inviter
    try:
        await slack.call("chat.postEphemeral", channel=channel, user=inviter, **message)
    except SlackRefused as exc:
        log.warning("whoever invited us into a channel cannot be told: %s", exc.code)
        return ""
    return channel


async def _give_directly(
    slack: SlackClient,
    directory: Directory,
    note: InvitationNote,
    message: dict[str, Any],
    *,
    resumed: bool,
) -> str:
    direct, id = await directory.open_direct(note.invitation.inviter), note.invitation.key
    if resumed and await _is_given(slack, direct, id, after=note.invitation.at):
        return direct
    await slack.call(
        "chat.postMessage",
        channel=direct,
        unfurl_links=False,
        unfurl_media=False,
        metadata={"event_type": METADATA, "event_payload": {"id": id}},
        **message,
    )
    return direct


async def _is_given(slack: SlackClient, direct: str, id: str, *, after: float) -> bool:
    """Whether the note stands there. Where Slack does not show that: no, and it is rather given twice than
    never."""
    try:
        return id in map(read_id, await list_own(slack, direct, id, after=after))
    except SlackRefused as exc:
        log.warning("direct messages cannot be read: %s", exc.code)
        return False
