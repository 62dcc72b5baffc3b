"""Who is who in this workspace, as Slack says at the moment somebody asks.

Rights are never remembered: whether a person is an admin, and which channels they are in, is asked each time
they decide something. Names are, for a while, because they decide nothing.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.core.errors import SlackError, SlackRefused
from bot.costs.viewer import Viewer
from handlers.slack.client import MISSING_SCOPE, SlackClient

T = TypeVar("T")

log = logging.getLogger(__name__)

PAGE_LIMIT = 999  # Source: conversations.list and users.conversations take less than 1,000
PLACES = "public_channel,private_channel,mpim"
NAMES_LIFE_S = 3600.0
# So many people are looked up for one report at most; users.info allows 100 a minute (Tier 4).
PEOPLE_AT_ONCE = 60
PARALLEL = 8
NO_NAME = "without a name"
GROUP_MESSAGE = "group message"  # what several people's direct messages are called
NEVER = ("", -math.inf)


@dataclass(frozen=True, slots=True)
class AllBut:
    """Every channel except these: what is not known to be public is private."""

    public: frozenset[str]

    def __contains__(self, channel: object) -> bool:
        return channel not in self.public


class Directory:
    """People and channels of one workspace."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack
        self._names: dict[str, tuple[str, float]] = {}  # id → name ("": not told) and when it was read
        self._zones: dict[str, str] = {}
        self._purposes: dict[str, str] = {}

    async def find_viewer(
        self, team: str, user: str, *, named: frozenset[str] = frozenset(), here: str = ""
    ) -> Viewer:
        """What this person is and may know now. `named`: channels an admin made them an owner of; `here`:
        where they ask, which they can read.

        Where the app lacks a permission the person is taken for less than they may be, and `lacks` says so.
        """
        lacks = set[str]()
        person, mine, direct = await asyncio.gather(
            allowed(self._read_person(user), {}, lacks),
            self._list_channels(team, user, lacks),
            allowed(self.open_direct(user), "", lacks),
        )
        if direct:
            self._names[direct] = ("direct messages", time.monotonic())
        # Guests and people of other companies know only the channels they are in.
        guest = not person or person.get("is_restricted") or await self._slack.is_stranger(person)
        public = frozenset() if guest else await allowed(self._list_public(team), frozenset(), lacks)
        created = {place["id"] for place in mine if place.get("creator") == user}
        return Viewer(
            user,
            admin=bool(person.get("is_admin") or person.get("is_owner")) and not guest,
            owns=frozenset(created | named),
            private=AllBut(public),
            member_of=frozenset([direct, here, *(place["id"] for place in mine)]) - {""},
            lacks=tuple(sorted(lacks)),
        )

    async def find_names(self, ids: Iterable[str]) -> dict[str, str]:
        """What Slack shows for those ids of people and channels; ids it does not tell stay out."""
        wanted = {id for id in ids if id}
        fresh = time.monotonic() - NAMES_LIFE_S
        unknown = [id for id in wanted if id[0] in "UWB" and self._names.get(id, NEVER)[1] < fresh]
        gate = asyncio.Semaphore(PARALLEL)
        await asyncio.gather(*(self._look_up_name(id, gate) for id in unknown[:PEOPLE_AT_ONCE]))
        return {id: self.known_name(id) for id in wanted if self.known_name(id)}

    def known_name(self, id: str) -> str:
        """What a person or a channel was called when it was last looked at; "" when that is not known."""
        return self._names.get(id, NEVER)[0]

    async def find_zone(self, user: str) -> tzinfo | None:
        """The time zone that a person lives in, as their profile says."""
        await self.find_names([user])
        try:
            return ZoneInfo(self._zones[user])
        except (KeyError, ZoneInfoNotFoundError, ValueError, OSError):
            return None

    async def find_channel(self, channel: str) -> tuple[str, str]:
        """A channel's name ("#general") and what its members wrote that it is for; "" where Slack does not
        tell."""
        known, read_at = self._names.get(channel, NEVER)
        if read_at < time.monotonic() - NAMES_LIFE_S:
            self._names[channel] = (known, time.monotonic())  # not asked about again soon
            try:
                place = (await self._slack.get("conversations.info", channel=channel))["channel"]
            except SlackError as exc:
                log.info("a channel is not told about: %s", exc)
            else:
                self._note_channel(place)
        return self.known_name(channel), self._purposes.get(channel, "")

    async def open_direct(self, user: str) -> str:
        """The conversation between this person and the app."""
        opened = await self._slack.call("conversations.open", users=user)
        return str(opened["channel"]["id"])

    def _note_channel(self, place: dict[str, Any]) -> None:
        self._names[place["id"]] = (_name_channel(place), time.monotonic())
        self._purposes[place["id"]] = str((place.get("purpose") or {}).get("value") or "")

    async def _read_person(self, user: str) -> dict[str, Any]:
        person: dict[str, Any] = (await self._slack.get("users.info", user=user))["user"]
        self._names[user] = (_name_person(person), time.monotonic())
        self._zones[user] = str(person.get("tz") or "")
        return person

    async def _read_bot(self, bot: str) -> None:
        """What an app without a user is called, a workflow for example."""
        found: dict[str, Any] = (await self._slack.get("bots.info", bot=bot))["bot"]
        self._names[bot] = (str(found.get("name") or ""), time.monotonic())

    async def _look_up_name(self, user: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                await (self._read_bot(user) if user.startswith("B") else self._read_person(user))
            except SlackError:
                self._names[user] = ("", time.monotonic())  # the id is shown, and not asked about again soon

    async def _list_channels(self, team: str, user: str, lacks: set[str]) -> list[dict[str, Any]]:
        """The channels that both this person and the app are in, of every kind that the app may ask for."""
        missing = set[str]()
        every = await allowed(self._list_kind(team, user, PLACES), [], missing)
        if not missing:
            return every
        kinds = (allowed(self._list_kind(team, user, kind), [], lacks) for kind in PLACES.split(","))
        return [place for found in await asyncio.gather(*kinds) for place in found]

    async def _list_kind(self, team: str, user: str, kinds: str) -> list[dict[str, Any]]:
        return [
            place async for place in self._read_pages("users.conversations", team, user=user, types=kinds)
        ]

    async def _list_public(self, team: str) -> frozenset[str]:
        return frozenset([place["id"] async for place in self._read_pages("conversations.list", team)])

    async def _read_pages(self, method: str, team: str, **arguments: Any) -> AsyncIterator[dict[str, Any]]:
        """Slack wants to know the workspace where the app is installed for a whole organisation."""
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = await self._slack.get(method, team_id=team, limit=PAGE_LIMIT, **arguments, **more)
            for place in page["channels"]:
                self._note_channel(place)
                yield place
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


async def allowed(asked: Awaitable[T], otherwise: T, lacks: set[str]) -> T:
    """What Slack answers, or something else where the app lacks the permission to ask, which is noted."""
    try:
        return await asked
    except SlackRefused as exc:
        if exc.code != MISSING_SCOPE:
            raise
        lacks.add(exc.needed or "a permission")
        return otherwise


def _name_person(person: dict[str, Any]) -> str:
    profile = person.get("profile") or {}
    return profile.get("display_name") or person.get("real_name") or person.get("name") or NO_NAME


def _name_channel(place: dict[str, Any]) -> str:
    return GROUP_MESSAGE if place.get("is_mpim") else f"#{place.get('name') or NO_NAME}"
