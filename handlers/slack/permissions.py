"""Who may do what in a workspace, asked of Slack when it is to be done: a right that was taken away is gone.

Nothing is kept here, and what Slack does not tell counts as no.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any, Literal, Protocol

from bot.core.errors import SlackError, SlackRefused
from handlers.slack.client import SlackClient
from storage.place import Channel

log = logging.getLogger(__name__)

MEMBERS_PAGE = 200  # Source: conversations.members recommends at most 200


class NamedOwners(Protocol):
    """Whom an admin named to decide about a channel."""

    async def list_owners(self, at: Channel, /) -> Collection[str]: ...


class Permissions:
    """Questions about people and channels."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack

    async def _may_decide(self, user: str, channel: str, *, named: Collection[str] = ()) -> bool:
        """Whether somebody may change how Parley behaves in a channel: an admin, who created it, or one of
        those an admin `named` for it.

        In a direct message that is whoever writes there. What is said in a private channel is for its
        members: admins who are not in it look after it as little as anybody else. People of another company
        never do.
        """
        person, place = await asyncio.gather(
            self._read_colleague(user),
            self._read("conversations.info", "channel", channel=channel),
        )
        if not person or not place:
            return False
        if place.get("is_im"):
            return bool(place.get("user") == user)
        if not _is_admin(person) and user not in (place.get("creator"), *named):
            return False
        private = place.get("is_private") or place.get("is_mpim")
        return not private or await self._is_member(user, channel)

    async def may_decide_everywhere(self, user: str) -> bool:
        """Whether somebody may decide about the whole workspace now: its admins."""
        return _is_admin(await self._read_colleague(user))

    async def is_outsider(self, user: str) -> bool:
        """Whether somebody is a guest here or of another company, as is whoever Slack does not tell of."""
        person = await self._read_colleague(user)
        return not person or bool(person.get("is_restricted"))

    async def is_shared(self, channel: str) -> bool:
        """Whether another company reads along in a channel, as where Slack does not tell."""
        place = await self._read("conversations.info", "channel", channel=channel)
        return not place or bool(place.get("is_ext_shared") or place.get("is_pending_ext_shared"))

    async def may_read(self, user: str, channel: str) -> bool:
        """Whether somebody sees what is said in a conversation now: its members, and everybody of our company
        but guests where it is public."""
        person, place = await asyncio.gather(
            self._read_colleague(user),
            self._read("conversations.info", "channel", channel=channel),
        )
        if not place or place.get("is_im"):
            return bool(place and place.get("user") == user)
        closed = place.get("is_private") or place.get("is_mpim")
        if person and not person.get("is_restricted") and not closed:
            return True
        return await self._is_member(user, channel)

    async def may_decide(self, owners: NamedOwners, at: Channel, user: str) -> bool:
        """Whether somebody may decide about a channel now; `owners` knows whom an admin named for it."""
        return await self._may_decide(user, at.channel, named=await owners.list_owners(at))

    async def list_deciders(self, channel: str, *, named: Collection[str] = ()) -> list[str]:
        """Who can be asked to decide about a channel: its creator and those named, if they still may."""
        place = await self._read("conversations.info", "channel", channel=channel)
        people = list(dict.fromkeys(filter(None, (place.get("creator"), *named))))
        may = await asyncio.gather(*(self._may_decide(one, channel, named=named) for one in people))
        return [one for one, yes in zip(people, may, strict=True) if yes]

    async def find_asker(self, channel: str, user: str) -> Literal["member", "direct", "outside", "gone"]:
        """Whether somebody who asked in a conversation can be answered there now. Unlike elsewhere here, a
        Slack that does not answer says nothing: SlackUnavailable."""
        try:
            person = (await self._slack.get("users.info", user=user))["user"]
            place = (await self._slack.get("conversations.info", channel=channel))["channel"]
            if person.get("deleted") or place.get("is_archived"):
                return "gone"
            if place.get("is_im"):
                return "direct" if place.get("user") == user else "gone"
            shared = place.get("is_ext_shared") or place.get("is_pending_ext_shared")
            if not await self._find_member(user, channel):
                return "gone"
            return "outside" if shared or await self._slack.is_stranger(person) else "member"
        except SlackRefused as exc:
            log.info("an asker is not there any more: %s", exc.code)
            return "gone"

    async def _is_member(self, user: str, channel: str) -> bool:
        try:
            return await self._find_member(user, channel)
        except SlackError as exc:
            log.warning("conversations.members: %s", exc)
            return False

    async def _find_member(self, user: str, channel: str) -> bool:
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await self._slack.get("conversations.members", channel=channel, limit=MEMBERS_PAGE, **more)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if user in page["members"] or not cursor:
                return user in page["members"]

    async def _read_colleague(self, user: str) -> dict[str, Any]:
        """Somebody of our own company; empty for everybody else."""
        person = await self._read("users.info", "user", user=user)
        try:
            return {} if await self._slack.is_stranger(person) else person
        except SlackError as exc:
            log.warning("auth.test: %s", exc)
            return {}

    async def _read(self, method: str, key: str, **arguments: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = (await self._slack.get(method, **arguments))[key]
        except SlackError as exc:
            log.warning("%s: %s", method, exc)
            return {}
        return found


def _is_admin(person: dict[str, Any]) -> bool:
    return bool(person.get("is_admin") or person.get("is_owner"))
