"""“Why this answer?” in a message's ⋮ menu: how an answer came about, and what the guard said before it.

It is told to whoever asked the question, and to those who look after the channel.
"""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.conversation.account import Account, AnswerRecord, price
from bot.core.errors import NotPermitted
from bot.core.ids import message_key
from bot.core.values import Conversation
from bot.costs.amounts import dollars
from bot.guard.service import StoredVerdict
from handlers.adapter import SlackChat
from handlers.guard import blocks as guard_blocks
from handlers.knowledge.why import explain_documents
from handlers.slack import modals
from handlers.slack.blocks import Block, count, section
from handlers.slack.modals import View
from handlers.slack.mrkdwn import escape
from handlers.slack.places import find_chosen_place
from handlers.unanswered.refusal import describe_refusal
from storage.place import Channel

NOT_OURS = "I have not answered this message."
NOT_ASKED = "No language model was asked for this: the words are my own."
NOBODY_ELSE = "how an answer came about is for the person who asked and those who look after the channel"


class Why:
    """The listener for the shortcut."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def show(self, ack: Any, body: dict[str, Any]) -> None:
        """Shows how an answer came about, to the asker and those who look after the channel."""
        await ack()
        message, user = body["message"], body["user"]["id"]
        place = find_chosen_place(self._services.settings, body)

        async def found() -> View:
            return await self._find(place, message["ts"], user)

        await modals.open_window(self._chat.slack, body["trigger_id"], found)

    async def _find(self, place: Conversation, ts: str, user: str) -> View:
        judged = await self._services.guard.find_verdict_on(place, ts)
        key = message_key(place.team, place.channel, ts)
        record = await self._services.feedback.find_record(place, ts, key=key)
        if judged is None and record is None:
            return modals.message_window(NOT_OURS)
        await self._check(place, judged, record, user)
        told = [*explain(record), *await self._offer(place, record)]
        return modals.window("Why?", [*told, *await self._explain_verdict(judged)])

    async def _offer(self, place: Conversation, record: AnswerRecord | None) -> list[Block]:
        """What came nearest to a question that was refused, and what can be done about it."""
        if record is None:
            return []
        refusal = await self._services.refusals.find(place.team, record.reply, record)
        return describe_refusal(refusal) if refusal else []

    async def _explain_verdict(self, judged: StoredVerdict | None) -> list[Block]:
        if judged is None:
            return []
        may_teach = await self._services.guard.may_teach(judged)
        return guard_blocks.verdict(judged, self._services.calendar.zone, may_teach=may_teach)

    async def _check(
        self, place: Conversation, judged: StoredVerdict | None, record: AnswerRecord | None, user: str
    ) -> None:
        asker = judged.asker if judged else record.asker if record else ""
        if user == asker:
            return
        at = Channel(place.team, place.channel)
        if not await self._chat.permissions.may_decide(self._services.guard, at, user):
            raise NotPermitted(NOBODY_ELSE)
        about = f"verdict {judged.verdict.id}" if judged else "an answer"
        self._services.access_log.note(place.team, user, "why", f"{about} in {place.channel}")


def explain(record: AnswerRecord | None) -> list[Block]:
    """An account in a few sentences; nothing where no answer was given."""
    if record is None:
        return []
    if record.account is None:
        return [section(NOT_ASKED)]
    told = [section("\n".join(_sentences(record.account)))]
    return [*told, *map(section, explain_documents(record))]


def _describe_parts(account: Account) -> str:
    """How much of what was read came with files."""
    parts = []
    if account.attached_tokens:
        parts.append(f"about {account.attached_tokens:,} are what was attached here")
    if account.picture_tokens:
        parts.append(f"up to {account.picture_tokens:,} are pictures")
    return f" Of those read, {' and '.join(parts)}." if parts else ""


def _sentences(account: Account) -> list[str]:
    if not account.model:
        return [NOT_ASKED]
    read = ["your question"]
    if account.messages:
        read.append(f"{count(account.messages, 'earlier message')} of this conversation")
    if account.summary:
        read.append("a summary of what was said before those")
    if account.pictures:
        read.append(count(account.pictures, "picture"))
    if account.attached:
        read.append("what was attached here")
    left_out = (
        " Older messages were not read, because there was no room for them." if account.left_out else ""
    )
    if account.hidden:
        left_out += f" {count(account.hidden, 'message')} that the guard refused did not reach it."
    cost = price(account.cost_usd)
    counted = ", counted by me because the service did not say" if account.estimated else ""
    asked_first = escape(account.instead_of)
    instead = f" {asked_first} was asked first and did not answer." if asked_first else ""
    return [
        f"Written by the language model {escape(account.model)}.{instead} What I write can be wrong.",
        f"It read {', '.join(read[:-1]) + ' and ' if read[1:] else ''}{read[-1]}.{left_out}",
        f"That is {account.input_tokens:,} tokens read and {account.output_tokens:,} written (a token is "
        f"about three quarters of a word){counted}.{_describe_parts(account)}",
        "Its price is not known." if cost is None else f"It cost {dollars(cost)}.",
    ]
