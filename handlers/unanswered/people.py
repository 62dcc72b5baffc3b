"""People who know, in Slack: asked in the thread of a question, and offered that their reply is the answer.

They are mentioned once, in the message that asks them. The offer is for its author's eyes alone; whoever
missed it presses the button under that message.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from bot.app import Services
from bot.conversation.people_answers import PersonsAnswer
from bot.core.errors import NotPermitted, SlackError, SlackRefused
from bot.unanswered.people_who_know import Outcome, PersonsPost
from handlers.adapter import SlackChat
from handlers.slack import blocks
from handlers.slack.blocks import Block
from handlers.slack.contents import read_contents
from handlers.slack.own_messages import find_own, look_twice, read_id, read_message
from handlers.slack.payloads import POST_SUBTYPES, in_thread, is_bot, team_of

log = logging.getLogger(__name__)

ASK, THIS_ONE, NEWEST = "ask_people_who_know", "this_is_the_answer", "newest_is_the_answer"
ASK_LABEL, THIS_LABEL, NEWEST_LABEL = "Ask people who know", "This is the answer", "My reply is the answer"
METADATA = "parley_people_asked"
ASKS = (
    "{people}: can you answer this? I found nothing about it here. Reply in this thread, then press the "
    "button: whoever asked hears it, and I keep it as a note."
)
OFFER = "Is this the answer? Then I tell whoever asked, and keep it as a note with your name."
SAID: dict[Outcome, str] = {
    "done": "Thank you. Whoever asked hears it now, and I keep it as a note. In half a year I ask you "
    "whether it is still right; `/parley notes` changes that day, and the note.",
    "known": "Thank you, I have that already.",
    "nobody": "Nobody who knows can be asked here just now.",
    "closed": "This question is not open any more.",
    "gone": "I found no reply of yours in this thread.",
    "long": "That is too long for a note. Please add it as a document: `/parley knowledge add`.",
    "other": "that is for the people of this channel who know",
}
ASKED: dict[Outcome, str] = {
    "done": "I asked them in the thread.",
    "known": "They were asked already, in the thread.",
}
NOT_YOURS = "that is for whoever asked, and those who read the channel"
PAGE, PAGES = 200, 5


class SlackPeople:
    """Implements bot.unanswered.people_who_know.PeopleChat."""

    def __init__(self, chat: SlackChat) -> None:
        self._chat, self._slack = chat, chat.slack

    async def list_reachable(self, channel: str, people: Sequence[str]) -> list[str]:
        """Those who are members of the channel now, and no guests; none where another company reads along."""
        if not people or await self._chat.permissions.is_shared(channel):
            return []
        states = {one: await self._chat.find_asker(channel, one) for one in people}
        return [
            one
            for one, state in states.items()
            if state == "member" and not await self._chat.is_outsider(one)
        ]

    async def ask_people(self, asked: PersonsAnswer, people: Sequence[str], *, resumed: bool) -> None:
        """Asks in the thread, unless that stands there already."""
        id = f"{asked.team}:{asked.question}"
        try:
            if resumed and await look_twice(partial(self._is_asked, asked, id)):
                return
            text = ASKS.format(people=" ".join(f"<@{one}>" for one in people))
            await self._slack.call(
                "chat.postMessage",
                channel=asked.channel,
                thread_ts=asked.thread,
                text=text,
                blocks=[blocks.section(text), blocks.actions(_button(NEWEST, NEWEST_LABEL, asked))],
                metadata={"event_type": METADATA, "event_payload": {"id": id}},
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackRefused as exc:
            log.warning("people who know cannot be asked: %s", exc.code)

    async def _is_asked(self, asked: PersonsAnswer, id: str) -> bool:
        own = find_own(self._slack, asked.channel, asked.thread, after=asked.thread)
        return id in [read_id(message) async for message in own]

    async def offer_answer(self, post: PersonsAnswer) -> None:
        """Once at most: who missed it has the button under the message that asked."""
        try:
            await self._slack.call(
                "chat.postEphemeral",
                channel=post.channel,
                user=post.person,
                thread_ts=post.thread,
                text=OFFER,
                blocks=[blocks.section(OFFER), blocks.actions(_button(THIS_ONE, THIS_LABEL, post))],
            )
        except SlackError as exc:
            log.warning("nobody is offered that a post is the answer: %s", exc)

    async def read_post(self, post: PersonsAnswer) -> PersonsPost | None:
        """What it says now, without markup."""
        message = await read_message(self._slack, post.channel, post.thread, post.message)
        if message is None or message.get("user") != post.person:
            return None
        found = read_contents(message, bot=await self._slack.find_bot_user())
        return PersonsPost(found.text, float(post.message), await self._find_link(post))

    async def _find_link(self, post: PersonsAnswer) -> str:
        try:
            told = await self._slack.get("chat.getPermalink", channel=post.channel, message_ts=post.message)
        except SlackError as exc:
            log.info("a post has no link: %s", exc)
            return ""
        return str(told.get("permalink") or "")

    async def find_newest_post(self, asked: PersonsAnswer) -> str:
        """The newest of what a person wrote in the thread, behind its first post."""
        newest, cursor, bot = "", "", await self._slack.find_bot_user()
        for _ in range(PAGES):
            page = await self._slack.get(
                "conversations.replies",
                channel=asked.channel,
                ts=asked.thread,
                limit=PAGE,
                **({"cursor": cursor} if cursor else {}),
            )
            for message in page.get("messages") or ():
                mine = message.get("user") == asked.person and not is_bot(message, bot)
                if mine and message.get("subtype") in POST_SUBTYPES and message["ts"] != asked.thread:
                    newest = max(newest, message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return newest

    async def names(self, ids: Collection[str]) -> Mapping[str, str]:
        return await self._chat.names(ids)


class PeopleActions:
    """Listeners for the buttons. Who may is asked of Slack each time."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services, self._chat = services, chat

    async def ask(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Has the people who know asked, for whoever was refused or reads along."""
        await ack()
        team, user, id = team_of(body), body["user"]["id"], int(body["actions"][0]["value"])
        question = await self._services.repairs.find(team, id)
        if user != question.person and not await self._chat.permissions.may_read(user, question.channel):
            raise NotPermitted(NOT_YOURS)
        outcome = await self._services.people.ask(team, id, by=user)
        await _say(respond, body, ASKED.get(outcome) or SAID[outcome])

    async def confirm(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Takes a reply, or the newest one of whoever pressed, for the answer."""
        await ack()
        pressed, user = body["actions"][0], body["user"]["id"]
        told = PersonsAnswer(**json.loads(pressed["value"]))
        message = told.message if pressed["action_id"] == THIS_ONE and told.person == user else ""
        post = PersonsAnswer(team_of(body), told.channel, told.thread, told.question, user, message)
        outcome = await self._services.people.confirm(post)
        if outcome == "other":
            raise NotPermitted(SAID[outcome])
        await _say(respond, body, SAID[outcome])


async def _say(respond: Any, body: dict[str, Any], sentence: str) -> None:
    shown = blocks.ephemeral(sentence, [blocks.section(sentence)])
    if "response_url" in body:
        await respond(**shown, replace_original=False, **in_thread(body))


def _button(action: str, label: str, about: PersonsAnswer) -> Block:
    return blocks.button(action, label, value=json.dumps(asdict(about)))
