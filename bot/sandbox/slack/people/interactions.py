"""Acts with which a person asks something of the app: slash commands, buttons and menus, modals, shortcuts.

Each waits until the app acknowledged it or the deadline passed, because that is what the person waits for;
the `Delivery` tells which. Nothing here is ever delivered twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from bot.sandbox.slack.api import views
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import show_ephemeral
from bot.sandbox.slack.delivery import payloads
from bot.sandbox.slack.delivery.response_urls import ResponseUrls
from bot.sandbox.slack.people import forms
from bot.sandbox.slack.people.acts import ActLog, act
from bot.sandbox.slack.people.directory import PeopleDirectory, find_message
from bot.sandbox.slack.people.form_files import upload_given
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.record import Delivery
from bot.sandbox.slack.state import Message, Person, SlackChannel, Workspace


class Interactions:
    """The acts that are delivered as interactions or commands."""

    def __init__(
        self,
        directory: PeopleDirectory,
        log: ActLog,
        *,
        response_urls: ResponseUrls,
        push: Callable[[str, dict[str, Any], str], Delivery],
        commands: Collection[str],
    ) -> None:
        """`push` starts a delivery of (kind, payload, team). With no `commands` any command is taken."""
        self.log = log
        self._directory, self._response_urls = directory, response_urls
        self._push, self._commands = push, commands

    @act
    async def command(self, user: str, channel: str, command: str, text: str = "") -> Delivery:
        """A slash command; what the app says with its acknowledgement is shown as Slack shows it."""
        ws, person, place = self._directory.find_place(user, channel)
        if self._commands and command not in self._commands:
            raise NotPossible(f"{command} is not a command of the app")
        payload = payloads.command(
            ws,
            person,
            place,
            command=command,
            text=ws.link_names(text),
            trigger_id=views.new_trigger(ws, person.id),
            response_url=self._response_urls.new(ws, place.id, person.id, kind="commands"),
        )
        delivery = await self._push("slash_commands", payload, ws.team).wait_finished()
        if not delivery.acked:
            show_ephemeral(ws, place, person.id, f"{command} failed because the app did not respond.", None)
        elif delivery.response.get("text") or delivery.response.get("blocks"):
            self._show_answer(ws, place, person, delivery.response)
        return delivery

    def _show_answer(
        self, ws: Workspace, place: SlackChannel, person: Person, answer: dict[str, Any]
    ) -> None:
        try:
            self._response_urls.show_answer(ws, place.id, person.id, answer)
        except SlackRefusal as refusal:
            show_ephemeral(ws, place, person.id, f"the app answered with {refusal.code}", None)

    @act
    async def press(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        value: str | None = None,
        view_id: str = "",
    ) -> Delivery:
        """Press, or choose `value` in, what has this action_id: in a message, or with view_id in a view."""
        ws, person = self._directory.find_person(user)
        if view_id:
            if view_id not in ws.views:
                raise NotPossible("that view is not open")
            view = ws.views[view_id]
            blocks, where = view["blocks"], payloads.in_view(view)
        else:
            place, message, ephemeral = self._find_shown(*self._directory.find_place(user, channel), ts)
            url = self._response_urls.new(ws, place.id, person.id, kind="actions", ts=ts, ephemeral=ephemeral)
            blocks = message.get("blocks", [])
            where = payloads.in_message(place, message, response_url=url, ephemeral=ephemeral)
        used = forms.find_action(blocks, action_id, value, person.id, ws.ts())
        trigger_id = views.new_trigger(ws, person.id)
        payload = payloads.block_actions(ws, person, used, trigger_id=trigger_id) | where
        return await self._push("interactive", payload, ws.team).wait_finished()

    @staticmethod
    def _find_shown(
        ws: Workspace, person: Person, place: SlackChannel, ts: str
    ) -> tuple[SlackChannel, Message, bool]:
        """(conversation, message, whether only this person sees it)."""
        if ts in place.messages:
            return place, place.messages[ts], False
        for shown in ws.ephemerals:
            if shown["message"]["ts"] == ts and shown["addressee"] == person.id:
                return place, shown["message"], True
        raise NotPossible(f"{person.name} sees no message {ts}")

    @act
    async def submit(self, user: str, values: dict[str, Any] | None = None, *, view_id: str = "") -> Delivery:
        """Send the topmost modal, or the one named; `values` by action_id: text, an option's value, lists,
        files."""
        ws, person = self._directory.find_person(user)
        open_views = reversed(views.stack(ws, person.id))
        view = next((v for v in open_views if view_id in ("", v["id"])), None)
        if view is None:
            raise NotPossible(f"{person.name} has no modal open")
        given = upload_given(ws, person, view["blocks"], values or {})
        view["state"] = {"values": forms.read_answers(view["blocks"], given)}
        trigger_id = views.new_trigger(ws, person.id)
        payload = payloads.view_submission(ws, person, view, trigger_id=trigger_id)
        delivery = await self._push("interactive", payload, ws.team).wait_finished()
        if delivery.acked:
            views.apply_response(ws, person.id, view, delivery.response)
        return delivery

    @act
    async def close_modal(self, user: str, *, everything: bool = False) -> None:
        """Press Cancel (the topmost), or with everything the cross."""
        ws, person = self._directory.find_person(user)
        for view in views.close(ws, person.id, everything=everything):
            if view["notify_on_close"]:
                payload = payloads.view_closed(ws, person, view, cleared=everything)
                self._push("interactive", payload, ws.team)

    @act
    async def shortcut(self, user: str, callback_id: str, *, channel: str = "", ts: str = "") -> Delivery:
        """A message shortcut when channel and ts are given, else a global one."""
        ws, person = self._directory.find_person(user)
        given = {
            "callback_id": callback_id,
            "trigger_id": views.new_trigger(ws, person.id),
            "action_ts": ws.ts(),
        }
        if ts:
            _, _, place = self._directory.find_place(user, channel)
            message = find_message(place, ts)
            url = self._response_urls.new(ws, place.id, person.id, kind="app")
            payload = payloads.message_action(ws, person, place, message, response_url=url, **given)
        else:
            payload = payloads.shortcut(ws, person, **given)
        return await self._push("interactive", payload, ws.team).wait_finished()
