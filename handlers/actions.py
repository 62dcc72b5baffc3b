"""Buttons under a reply: was it good, and try again."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.guard.service import StoredVerdict
from handlers.adapter import SlackChat
from handlers.guard import blocks as guard_blocks
from handlers.slack import blocks, modals
from handlers.slack.modals import View
from handlers.slack.own_messages import remove_buttons
from handlers.slack.payloads import in_thread, is_external, team_of
from handlers.slack.places import find_chosen_place
from storage.place import Channel

GOOD_LEARNED = (
    "Thank you. I learn from that: the question is an example now of what belongs in this channel, by which "
    "I judge later ones."
)


class Actions:
    """Listeners for block_actions."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def feedback(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Keeps whether one person liked one reply; pressing again changes it."""
        await ack()
        verdict, _, reply_id = body["actions"][0]["value"].partition(":")
        team, user = team_of(body), body["user"]["id"]
        external = await self._is_external(body)
        if await self._services.feedback.rate(reply_id, team, user, good=verdict == "1", external=external):
            learned = blocks.ephemeral(GOOD_LEARNED, [blocks.section(GOOD_LEARNED)])
            await respond(**learned, replace_original=False, **in_thread(body))
        doubted = None if verdict == "1" else await self._services.guard.find_verdict_behind(team, reply_id)
        if doubted and doubted.text and doubted.label is None and await self._may_judge(doubted, team, user):
            may_teach = await self._services.guard.may_teach(doubted)
            question = guard_blocks.doubt(
                doubted.verdict.id, on_topic=doubted.verdict.on_topic, may_teach=may_teach
            )
            shown = blocks.ephemeral("Does it belong here?", question)
            await respond(**shown, replace_original=False, **in_thread(body))

    async def _may_judge(self, judged: StoredVerdict, team: str, user: str) -> bool:
        if user == judged.asker:
            return True
        at = Channel(team, judged.channel)
        return await self._chat.permissions.may_decide(self._services.guard, at, user)

    async def retry(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Tries a failed answer once more, for the asker."""
        await ack()
        external = await self._is_external(body)
        await self._services.posts.retry(body["actions"][0]["value"], body["user"]["id"], external=external)
        await self._remove_pressed(body)

    async def follow_up(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Answers again, shorter or longer, goes on where it was cut, or asks every document."""
        await ack()
        pressed, message = body["actions"][0], body["message"]
        place = find_chosen_place(self._services.settings, body)
        await self._services.posts.follow_up(
            pressed["value"],
            pressed["action_id"],
            place,
            message=message["ts"],
            user=body["user"]["id"],
            external=await self._is_external(body),
        )
        await self._remove_pressed(body)

    async def _is_external(self, body: dict[str, Any]) -> bool:
        """Whether another company reads along now: the channel may be shared since its question was asked,
        which Slack does not tell with a button."""
        who = {"user_team": body["user"].get("team_id")}
        if is_external(body, who, team_of(body)):
            return True
        return await self._chat.permissions.is_shared(body["channel"]["id"])

    async def _remove_pressed(self, body: dict[str, Any]) -> None:
        message, pressed = body["message"], body["actions"][0]["action_id"]
        thread = message.get("thread_ts") or message["ts"]
        await remove_buttons(self._chat.slack, body["channel"]["id"], thread, message["ts"], pressed)

    async def ask_forget_all(self, ack: Any, body: dict[str, Any]) -> None:
        """Says what goes when everything of a person is forgotten, and asks whether it shall."""
        await ack()
        team, user = team_of(body), body["user"]["id"]

        async def question() -> View:
            kept = await self._services.forgetting.count_kept(team, user)
            return modals.window("Forget everything?", blocks.forget_all_question(kept))

        await modals.open_window(self._chat.slack, body["trigger_id"], question)

    async def forget_all(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Erases what a person said to us, after they were asked twice, and says what went."""
        await ack()
        team, user, view = team_of(body), body["user"]["id"], body.get("view")

        async def forget() -> str:
            return blocks.forgotten(await self._services.forgetting.forget_person(team, user, by=user))

        async def told() -> View:
            return modals.message_window(await forget())

        if view is None:
            sentence = await forget()
            await respond(**blocks.ephemeral(sentence, [blocks.section(sentence)]), replace_original=True)
        else:
            await modals.fill_window(self._chat.slack, view["id"], told)
