"""Acts that change channels and who is in them: joining, archiving, sharing with another company, leaving
it."""

from __future__ import annotations

from bot.sandbox.slack.api.chat import announce
from bot.sandbox.slack.api.users import about_person
from bot.sandbox.slack.delivery import changes, events
from bot.sandbox.slack.people.acts import ActLog, act
from bot.sandbox.slack.people.directory import PeopleDirectory
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.state import SlackChannel, Workspace

_PRIVATE = "made this channel *private*. Now, it can only be viewed or joined by invitation."


class ChannelActs:
    """What happens to channels and to the people in them, told to the app as far as it may know of it."""

    def __init__(self, directory: PeopleDirectory, log: ActLog) -> None:
        self.log = log
        self._directory = directory

    @act
    async def join(self, user: str, channel: str, *, leave: bool = False) -> None:
        """Join or leave a channel, or let the app do so ("parley")."""
        ws, person = self._directory.find_person(user)
        place = ws.find_channel(channel, person.id)
        if place is None:
            raise NotPossible(f"there is no channel {channel}")
        if leave:
            place.members.pop(person.id, None)
        else:
            place.members[person.id] = None
        ws.publish({"type": "channel", "channel": place.id})
        kind = "member_left_channel" if leave else "member_joined_channel"
        ws.emit(kind, events.member(kind, ws, person.id, place, ws.ts()))
        if leave and person.id == ws.bot:
            _emit(ws, place, "left")

    @act
    async def invite(self, user: str, channel: str, invited: str = "") -> None:
        """Invite somebody into a channel one is in; without a name, the app."""
        ws, person, place = self._directory.find_place(user, channel)
        guest = ws.find_person(invited or ws.bot)
        if guest is None or guest.id in place.members:
            raise NotPossible(f"{invited or ws.bot_name} cannot be invited there")
        place.members[guest.id] = None
        ws.publish({"type": "channel", "channel": place.id})
        if ws.bot in place.members:
            kind = "member_joined_channel"
            ws.emit(kind, events.member(kind, ws, guest.id, place, ws.ts(), inviter=person.id))

    @act
    async def archive(self, user: str, channel: str, *, undo: bool = False) -> None:
        """Archive a channel, or open it again."""
        ws, person, place = self._directory.find_place(user, channel)
        place.archived = not undo
        ws.publish({"type": "channel", "channel": place.id})
        _emit(ws, place, "unarchive" if undo else "archive", person.id)

    @act
    async def delete_channel(self, user: str, channel: str) -> None:
        """Delete a channel with all that was written in it; an admin's."""
        ws, place = self._find_as_admin(user, channel)
        del ws.channels[place.id]
        ws.publish({"type": "channel", "channel": place.id})
        _emit(ws, place, "deleted")

    @act
    async def make_private(self, user: str, channel: str) -> None:
        """Make a public channel private. No event of its own says so, only a message in the channel."""
        ws, place = self._find_as_admin(user, channel)
        if place.kind != "channel":
            raise NotPossible(f"{channel} is no public channel")
        place.kind = "group"
        _, person = self._directory.find_person(user)
        message = events.person_message(person, ws.ts(), _PRIVATE, [])
        message |= {"subtype": "channel_convert_to_private"}
        ws.put(place, message)
        ws.publish({"type": "channel", "channel": place.id})
        announce(ws, place, message)

    @act
    async def connect(self, user: str, channel: str, *, undo: bool = False) -> None:
        """Share a channel with the other company, or end that."""
        ws, place = self._find_as_admin(user, channel)
        place.shared_with = "" if undo else ws.partner
        ws.publish({"type": "channel", "channel": place.id})
        told = changes.channel_unshared if undo else changes.channel_shared
        if ws.bot in place.members or place.kind == "channel":
            ws.emit("channel_unshared" if undo else "channel_shared", told(place, ws.partner, ws.ts()))

    @act
    async def deactivate(self, user: str, who: str, *, undo: bool = False) -> None:
        """Close somebody's account, as when they leave the company: they are in no channel any more."""
        ws, admin = self._directory.find_person(user)
        person = ws.find_person(who)
        if person is None or not admin.admin:
            raise NotPossible(f"{admin.name} cannot do that")
        person.deactivated = not undo
        for place in ws.channels.values():
            if not undo and place.kind != "im":
                place.members.pop(person.id, None)
        ws.publish({"type": "channel", "channel": ""})
        ws.emit("user_change", changes.user_changed(about_person(ws, person), ws.clock(), ws.ts()))

    def _find_as_admin(self, user: str, channel: str) -> tuple[Workspace, SlackChannel]:
        ws, person, place = self._directory.find_place(user, channel)
        if not person.admin:
            raise NotPossible(f"{person.name} is no admin")
        return ws, place


def _emit(ws: Workspace, place: SlackChannel, kind: str, user: str = "") -> None:
    """Tell the app of a public channel, and of a private one only if it is in there."""
    if ws.bot in place.members or place.kind == "channel" or kind == "left":
        event = changes.channel_event(kind, place, user, ws.ts())
        ws.emit(event["type"], event)
