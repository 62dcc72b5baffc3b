"""Acts of a person in Slack: messages, edits, reactions, clips, looking around, the stop button.

Each act changes the workspace and tells the app, as Slack's clients do. People and channels are given by name
("alice", "#general") or id; "zapbot" is another app's bot; the channel "@parley" is the person's direct
messages with the app. What a person could not do in Slack raises `NotPossible`. Asking the app for something
(commands, buttons, modals, shortcuts) is in interactions.py, what is passed on (tables, forwarded messages,
alerts) in sharing.py, what becomes of files in files.py, of channels and of who is in them in channels.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import erase, note_change
from bot.sandbox.slack.api.reactions import react, unreact
from bot.sandbox.slack.delivery import events
from bot.sandbox.slack.people.acts import ActLog, FileUpload, act
from bot.sandbox.slack.people.directory import PeopleDirectory, find_message
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.people.writing import tell_mention, write_message
from bot.sandbox.slack.text import find_mentions, rich_text


class People:
    """The acts of people, in all workspaces of one fake Slack."""

    def __init__(self, directory: PeopleDirectory, log: ActLog) -> None:
        self.log = log
        self._directory = directory

    # -- writing

    @act
    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Sequence[FileUpload] = (),
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """Write a message; its ts. Comes back without waiting for the app's acknowledgement.

        `more`: fields that a client adds to it, as they are: blocks, attachments.
        """
        at = self._directory.find_place(user, channel)
        return write_message(at, text, thread_ts=thread_ts, files=files, more=more)

    @act
    async def upload(
        self,
        user: str,
        channel: str,
        name: str,
        content: bytes,
        *,
        text: str = "",
        thread_ts: str | None = None,
        voice: bool = False,
        duration_s: float = 0.0,
        thumbnail: bytes = b"",
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """Drop one file, or a voice clip, into a conversation; the message's ts. What the rest means says
        FileUpload."""
        files = [FileUpload(name, content, voice, duration_s, more or {}, thumbnail)]
        return write_message(
            self._directory.find_place(user, channel), text, thread_ts=thread_ts, files=files
        )

    @act
    async def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        """Change one's message. A mention that was not there before makes an app_mention (believed)."""
        ws, person, place = self._directory.find_place(user, channel)
        message = find_message(place, ts)
        if message.get("user") != person.id:
            raise NotPossible("that is somebody else's message")
        before = dict(message)
        written = ws.link_names(text)
        message |= {
            "text": written,
            "blocks": rich_text(written, f"r{ts[-6:]}"),
            "edited": {"user": person.id, "ts": ws.ts()},
        }
        note_change(ws, place, message, before)
        tell_mention(ws, place, message, find_mentions(before["text"]))

    @act
    async def delete(self, user: str, channel: str, ts: str) -> None:
        """Delete one's message; an admin deletes anybody's."""
        ws, person, place = self._directory.find_place(user, channel)
        message = find_message(place, ts)
        if message.get("user") != person.id and not person.admin:
            raise NotPossible("that is somebody else's message")
        erase(ws, place, message)

    @act
    async def react(self, user: str, channel: str, ts: str, name: str, *, remove: bool = False) -> None:
        """Add or take back a reaction, e.g. "thumbsup"."""
        ws, person, place = self._directory.find_place(user, channel)
        change = unreact if remove else react
        try:
            change(ws, place, find_message(place, ts), person.id, name.strip(":"))
        except SlackRefusal as refusal:
            raise NotPossible(refusal.code) from refusal

    # -- around

    @act
    async def open_home(self, user: str, tab: str = "home") -> None:
        """Look at the app: tab "home" or "messages"."""
        ws, person = self._directory.find_person(user)
        if tab not in ("home", "messages"):
            raise NotPossible(f"the app has no tab {tab}")
        view = ws.views.get(ws.homes.get(person.id, "")) if tab == "home" else None
        event = events.app_home_opened(person.id, ws.direct(person.id).id, tab, ws.ts(), view)
        if tab == "messages":
            event["context"] = ws.contexts.get(person.id, {})
        ws.emit("app_home_opened", event)

    @act
    async def look_at(self, user: str, channels: Sequence[str]) -> None:
        """Look at these channels, most relevant first; the app is told, and DMs carry it along."""
        ws, person = self._directory.find_person(user)
        places = [ws.find_channel(channel, person.id) for channel in channels]
        entities = [
            {"type": "slack#/types/channel_id", "value": place.id, "team_id": ws.team}
            for place in places
            if place
        ]
        context: dict[str, Any] = {"entities": entities} if entities else {}
        ws.contexts[person.id] = context
        event = events.app_context_changed(person.id, ws.direct(person.id).id, ws.ts(), context)
        ws.emit("app_context_changed", event)

    @act
    async def stop(self, user: str, channel: str, thread_ts: str) -> None:
        """Press the stop button of a thread in which the app works."""
        ws, person, place = self._directory.find_place(user, channel)
        if ws.sessions.get((place.id, thread_ts), {}).get("status") != "processing":
            raise NotPossible("there is no stop button: the session is not processing")
        if "agent_session_stopped" not in ws.subscriptions:
            raise NotPossible("there is no stop button: the app does not listen to agent_session_stopped")
        running = [s for s in ws.streams.values() if s.channel == place.id and s.thread == thread_ts]
        for stream in running:
            stream.stopped_by_user = True
        event = events.agent_session_stopped(person.id, place.id, thread_ts, [s.ts for s in running], ws.ts())
        ws.emit("agent_session_stopped", event)
