"""Listeners for the settings of a channel: `/parley settings` and the same from App Home.

Who may is asked of Slack each time something is opened or sent. What the form looks like is
handlers/channel/form.py; the record of the guard that it opens is handlers/guard/record.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.app import Services
from bot.channel.options import OptionChecks
from bot.core.errors import BotError, Conflict, NotPermitted, NotUnderstood, SetupError
from bot.guard import policy
from bot.guard.policy import Policy
from bot.voice import listening_policy
from handlers.adapter import SlackChat
from handlers.channel import form as settings_form
from handlers.channel.form import Filled, name_channel
from handlers.slack import blocks, modals
from handlers.slack.modals import View
from handlers.slack.payloads import team_of
from storage.place import Channel

NOT_YOURS = "what Parley does in a channel is for whoever made it, those an admin named, and admins to decide"
NO_GUARD = "Saved. {place} has no subject of its own: no question is refused for being beside it."
WATCHING = "Saved. From now on I judge every message in {place} and keep count, but refuse nothing."
IN_FORCE = "Saved. From now on I keep to that in {place}."
LEARNING = "What changed is being learned; “What the guard did” in `/parley settings` shows how well it went."


ANSWERS = "How I answer changes with the next message."


class ChannelSettings:
    """Listeners for the settings of one channel."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def set_retention(self, body: dict[str, Any], words: str, respond: Any) -> None:
        """Shows for how many days messages of the channel are kept; with words, sets it."""
        at, user = Channel(team_of(body), body["channel_id"]), body["user_id"]
        if words:
            await self._require_decider(at, user)
            await self._services.retention.set_days(at, words, by=user)
        kept = await self._services.retention.days(at)
        sentence = settings_form.describe_retention(kept, at.channel)
        await respond(**blocks.ephemeral(sentence, [blocks.section(sentence)]))

    # The form

    async def open_here(self, body: dict[str, Any]) -> None:
        """The form of the channel in which the command was given."""
        await self._open(Channel(team_of(body), body["channel_id"]), body["user_id"], body["trigger_id"])

    async def open_chosen(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the settings of the channel that was chosen, or that the button is about."""
        await ack()
        chosen = body["actions"][0]
        if channel := chosen.get("selected_conversation") or chosen.get("value"):
            await self._open(Channel(team_of(body), channel), body["user"]["id"], body["trigger_id"])

    async def _open(self, at: Channel, user: str, trigger: str) -> None:
        async def form() -> View:
            await self._require_decider(at, user)
            standing = await self._services.guard.read_state(at)
            listening = await self._services.clips.read_policy(at.team, at.channel)
            preferences = self._services.preferences
            return settings_form.build_form(
                at.channel,
                standing.policy,
                listening,
                await preferences.read_place(at),
                checks=preferences.checks,
                open_questions=await self._services.unanswered.count(at),
                people=await self._services.people.list_named(at),
            )

        await modals.open_window(self._chat.slack, trigger, form)

    async def save(self, ack: Any, body: dict[str, Any]) -> None:
        """Saves the form, or says at each field what is wrong with it."""
        given = settings_form.read_form(body["view"])
        try:
            effect = await self._save(given, Channel(team_of(body), given.channel), body["user"]["id"])
        except SetupError as exc:
            await ack(response_action="errors", errors=settings_form.sort_by_field(exc.problems))
        except BotError as exc:
            await ack(response_action="errors", errors={"purpose": exc.notice})
        else:
            await ack(response_action="update", view=modals.message_window(effect))

    async def _save(self, given: Filled, at: Channel, user: str) -> str:
        """Saves what was filled in; returns what changes. SetupError names the fields with problems."""
        guard, preferences = self._services.guard, self._services.preferences
        answers = await preferences.read_place(at)
        chosen = answers.find_changes(given.answers)
        rules, checked = _check(given, chosen, preferences.checks)
        await self._require_decider(at, user)
        if settings_form.take_fingerprint(await guard.read_policy(at), answers) != given.was:
            raise Conflict("settings")
        changed = await preferences.save(at, checked, by=user)
        if given.people is not None:
            await self._services.people.name(at, given.people, by=user)
        await guard.save_policy(at, rules, by=user)
        shown = settings_form.listening_values(await self._services.clips.read_policy(at.team, at.channel))
        for name in (name for name, value in given.listening.items() if value != shown[name]):
            await self._services.clips.set_wish(at.team, at.channel, name, given.listening[name], user=user)
        learning = rules is not None and (await guard.read_state(at)).learning
        more = [sentence for sentence, said in ((ANSWERS, changed), (LEARNING, learning)) if said]
        return " ".join((_describe_effect(rules, at.channel), *more))

    async def _require_decider(self, at: Channel, user: str) -> None:
        if not await self._chat.permissions.may_decide(self._services.guard, at, user):
            raise NotPermitted(NOT_YOURS)


def _check(
    given: Filled, chosen: Mapping[str, str], checks: OptionChecks
) -> tuple[Policy | None, Mapping[str, str]]:
    """The policy that was filled in, and what was `chosen` of how answers are made, as it is kept.

    SetupError has every problem of the form, by field.
    """
    problems, rules, checked = [], None, dict[str, str]()
    try:
        checked = checks.check(chosen)
    except SetupError as exc:
        problems += exc.problems
    try:
        rules = policy.parse_policy(given.rules) if given.rules else None
    except SetupError as exc:
        problems += exc.problems
    for name, value in given.listening.items():
        try:
            listening_policy.check_wish(name, value)
        except NotUnderstood as exc:
            problems.append(f"{name}: {exc.notice}")
    if problems:
        raise SetupError(problems)
    return rules, checked


def _describe_effect(rules: Policy | None, channel: str) -> str:
    sentence = NO_GUARD if rules is None else WATCHING if rules.shadow else IN_FORCE
    return sentence.format(place=name_channel(channel))
