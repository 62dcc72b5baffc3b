"""Finds people, conversations and messages by what a person calls them: "alice", "#general", or an id."""

from __future__ import annotations

from collections.abc import Sequence

from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.state import Message, Person, SlackChannel, Workspace


class PeopleDirectory:
    """Looks people and conversations up in all workspaces; `NotPossible` says what is not there."""

    def __init__(self, workspaces: Sequence[Workspace]) -> None:
        self.workspaces = workspaces

    def find_person(self, user: str) -> tuple[Workspace, Person]:
        """Somebody by name or id; a name means the first team's."""
        for ws in self.workspaces:
            if found := ws.find_person(user):
                return ws, found
        raise NotPossible(f"nobody here is called {user}")

    def find_place(self, user: str, channel: str) -> tuple[Workspace, Person, SlackChannel]:
        """A person and a conversation they are in."""
        ws, person = self.find_person(user)
        if person.deactivated:
            raise NotPossible(f"{person.name} has left")
        found = ws.find_channel(channel, person.id)
        if found is None:
            raise NotPossible(f"there is no channel {channel}")
        if person.id not in found.members:
            raise NotPossible(f"{person.name} is not in {channel}")
        return ws, person, found


def find_message(channel: SlackChannel, ts: str) -> Message:
    """A message of this conversation by its ts."""
    if ts not in channel.messages:
        raise NotPossible(f"there is no message {ts}")
    return channel.messages[ts]
