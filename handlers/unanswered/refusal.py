"""What whoever was refused an answer sees beside it, alone: what comes nearest, and what can be done."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import NotPermitted
from bot.core.values import Incoming, Source
from bot.unanswered.refusals import ShownRefusal
from handlers.adapter import SlackChat
from handlers.slack import blocks, modals
from handlers.slack.blocks import Block
from handlers.slack.client import SlackClient
from handlers.slack.mrkdwn import escape
from handlers.slack.payloads import in_thread, team_of
from handlers.slack.sources import list_sources
from handlers.unanswered.people import ASK, ASK_LABEL
from storage.place import Channel

WANTED = "should_be_answerable"
NEAREST = "I found no answer to this. The nearest I have here:"
NOTHING_NEAR = "I found no answer to this, and nothing near it."
NOTED = "Noted. Those who look after this channel see it, and when there is an answer you hear it here."
KNOWN = "That is noted already. When there is an answer you hear it here."
NOT_YOURS = "that is for whoever asked, and for those who look after the channel"


class RefusalNotes:
    """Implements bot.unanswered.refusals.RefusalView."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack

    async def show_refusal(self, asked: Incoming, refusal: ShownRefusal) -> None:
        """Shows it to the asker alone, in the thread of the question."""
        where = asked.conversation
        await self._slack.call(
            "chat.postEphemeral",
            channel=where.channel,
            user=asked.user,
            thread_ts=where.thread,
            text=NEAREST if refusal.passages or refusal.typed else NOTHING_NEAR,
            blocks=describe_refusal(refusal),
        )


class RefusalActions:
    """Listeners for the buttons."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services, self._chat = services, chat

    async def want(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Notes that a question should have an answer here."""
        await ack()
        team, user, id = team_of(body), body["user"]["id"], int(body["actions"][0]["value"])
        await self._check(team, id, user)
        new = await self._services.repairs.want(team, id, by=user)
        said = NOTED if new else KNOWN
        if view := body.get("view"):  # “Why this answer?”
            await self._chat.slack.try_call(
                "views.update", view_id=view["id"], view=modals.message_window(said)
            )
        else:
            shown = blocks.ephemeral(said, [blocks.section(said)])
            await respond(**shown, replace_original=False, **in_thread(body))

    async def _check(self, team: str, id: int, user: str) -> None:
        question = await self._services.repairs.find(team, id)
        if user == question.person:
            return
        at = Channel(team, question.channel)
        if not await self._chat.permissions.may_decide(self._services.guard, at, user):
            raise NotPermitted(NOT_YOURS)


def describe_refusal(refusal: ShownRefusal) -> list[Block]:
    """What comes nearest, with its place, and the buttons."""
    near = [
        Source(number, one.title, one.place or one.heading, one.link, one.text)
        for number, one in enumerate(refusal.passages, 1)
    ]
    typed = [blocks.section(f"“{escape(refusal.typed)}”")] if refusal.typed else []
    first = NEAREST if near or typed else NOTHING_NEAR
    shown = [blocks.section(first), *typed, *list_sources(near)]
    buttons = list_buttons(refusal)
    return [*shown, blocks.actions(*buttons)] if buttons else shown


def list_buttons(refusal: ShownRefusal) -> list[Block]:
    """What can be done about a question that was refused."""
    question = str(refusal.question)
    wanted = [] if refusal.wanted else [blocks.button(WANTED, "This should be answerable", value=question)]
    return [*wanted, *([blocks.button(ASK, ASK_LABEL, value=question)] if refusal.askable else [])]
