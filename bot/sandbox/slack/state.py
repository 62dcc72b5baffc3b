"""Holds a workspace as Slack keeps it: people, channels, messages with threads, files, views, sessions.

No HTTP, no tokens, no rules about who may do what: those stand in the files that use it. Messages are plain
dicts in Slack's own shape; beside them lives only what Slack does not show. Everything that a person could
see change is announced through `publish`, everything the app could be told through `emit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.text import link_names

Message = dict[str, Any]
APP = "A0PARLEY01"


@dataclass(slots=True)
class Person:
    id: str
    name: str
    real_name: str
    team: str
    admin: bool = False
    stranger: bool = False  # of another company, seen through a shared channel
    guest: bool = False  # sees only the channels they are in
    deactivated: bool = False  # has left the company
    bot: bool = False
    bot_id: str = ""
    app_id: str = ""

    def profile(self) -> dict[str, Any]:
        """As messages of people from elsewhere carry it."""
        return {
            "avatar_hash": "0" * 12,
            "image_72": "",
            "first_name": self.real_name.split()[0],
            "real_name": self.real_name,
            "display_name": self.name,
            "team": self.team,
            "name": self.name,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
        }


@dataclass(slots=True)
class SlackChannel:
    """A conversation. kind: channel, group (private), im or mpim."""

    id: str
    name: str
    kind: str
    members: dict[str, None]  # in order of joining
    created: int = 0
    topic: str = ""
    purpose: str = ""
    shared_with: str = ""  # the other company's team
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)  # by ts, oldest first
    replies: dict[str, list[str]] = field(default_factory=dict)  # root ts → reply ts


@dataclass(slots=True)
class SlackFile:
    """`about` is what Slack shows of it, `content` what its host serves, `shares` its messages by channel."""

    about: dict[str, Any]
    content: bytes
    thumbnail: bytes = b""  # a PNG: what Slack makes of a picture that browsers cannot show
    shares: dict[str, list[str]] = field(default_factory=dict)
    for_app: bool = False  # given to the app in a modal; shared nowhere


@dataclass(slots=True)
class SlackStream:
    """A message that is still being written. `cards` are its task cards by id, in order of arrival."""

    channel: str
    ts: str
    thread: str
    started_at: float
    chars: int = 0
    parts: list[dict[str, Any]] = field(default_factory=list)  # blocks so far, in order
    stopped_by_user: bool = False


@dataclass(slots=True)
class Status:
    text: str
    loading_messages: list[str]
    at: float


@dataclass(slots=True)
class Trigger:
    user: str
    at: float
    used: bool = False


class Ids:
    """Ids in Slack's alphabet, counted per prefix: the same acts give the same ids."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def new(self, prefix: str, width: int = 8) -> str:
        n = self._next.get(prefix, 0) + 1
        self._next[prefix] = n
        return f"{prefix}{n:0{width}d}"


class Workspace:
    """One team. `number` makes its ids differ from those of other teams."""

    def __init__(self, number: int, name: str, bot_name: str, clock: Callable[[], float], ids: Ids) -> None:
        self.number, self.name, self.clock, self.ids = number, name, clock, ids
        self.team = f"T0SANDBOX{number}"
        self.domain = name.lower().replace(" ", "-")
        self.partner = f"T0PARTNER{number}"
        self.organisation = f"E0SANDBOX{number}"
        self.org_wide = False  # the app is installed for the whole organisation, not for this workspace
        self.bot_id = f"B0PARLEY0{number}"
        self.bot_name = bot_name
        self.bot_token = f"xoxb-sandbox-{number}-bot"
        self.revoked = False
        self.home_tab = True
        self.host = ""  # base address of uploads and files
        self.bare_mentions = False  # an app_mention tells the text alone
        self.distributed = False  # a distributed app reads 15 messages a minute
        self.history_lag_s = 0.0  # so old a message is when it can be read back
        self.scopes: frozenset[str] = frozenset()
        self.subscriptions: frozenset[str] = frozenset()
        self.people: dict[str, Person] = {}
        self.channels: dict[str, SlackChannel] = {}
        self.files: dict[str, SlackFile] = {}
        self.streams: dict[tuple[str, str], SlackStream] = {}
        self.statuses: dict[tuple[str, str], Status] = {}
        self.sessions: dict[tuple[str, str], dict[str, Any]] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.prompts: dict[tuple[str, str], dict[str, Any]] = {}
        self.apps: dict[str, str] = {}  # names of apps without a user that posted, by their bot's id
        self.contexts: dict[str, dict[str, Any]] = {}  # what a person is looking at
        self.ephemerals: list[dict[str, Any]] = []  # each with its "addressee"
        self.views: dict[str, dict[str, Any]] = {}
        self.modals: dict[str, list[str]] = {}  # a person's stack of views, the lowest first
        self.homes: dict[str, str] = {}
        self.triggers: dict[str, Trigger] = {}
        self._last_us = 0
        self._direct: dict[str, str] = {}
        self.emit: Callable[[str, dict[str, Any]], None] = lambda _subscription, _event: None
        self.publish: Callable[[dict[str, Any]], None] = lambda _frame: None
        self._add_people_and_channels()

    def _add_people_and_channels(self) -> None:
        n = self.number
        self.bot = f"U0PARLEY0{n}"
        for person in (
            Person(f"U0ALICE00{n}", "alice", "Alice Admin", self.team, admin=True),
            Person(f"U0BOB0000{n}", "bob", "Bob Builder", self.team),
            Person(f"U0CAROL00{n}", "carol", "Carol Counter", self.team),
            Person(f"U0DANA000{n}", "dana", "Dana Guest", self.partner, stranger=True),
            Person(
                self.bot,
                self.bot_name,
                self.bot_name.title(),
                self.team,
                bot=True,
                bot_id=self.bot_id,
                app_id=APP,
            ),
            # Another app's bot, which writes when it is told to, as people do.
            Person(
                f"U0ZAPBOT0{n}",
                "zapbot",
                "Zap Bot",
                self.team,
                bot=True,
                bot_id=f"B0ZAPBOT0{n}",
                app_id="A0ZAPBOT01",
            ),
        ):
            self.people[person.id] = person
        alice, bob, carol, dana, bot, zap = self.people
        self.add_channel(
            f"C0GENERAL{n}", "general", alice, bob, carol, bot, zap, purpose="Talk to the whole team"
        )
        self.add_channel(
            f"C0SUPPORT{n}", "support", alice, bob, carol, bot, purpose="Customer questions only"
        )
        self.add_channel(f"C0FINANCE{n}", "finance", alice, carol, bot, purpose="Money")
        self.add_channel(f"C0LEADS00{n}", "leads", alice, bob, bot, kind="group", purpose="Private")
        shared = self.add_channel(f"C0SHARED0{n}", "partners", alice, bob, dana, bot)
        shared.shared_with = self.partner
        for user in (alice, bob, carol, dana):
            self.direct(user)
        self.direct(dana).shared_with = self.partner

    def add_channel(
        self, id: str, name: str, *members: str, kind: str = "channel", purpose: str = ""
    ) -> SlackChannel:
        created = int(self.clock())
        channel = SlackChannel(id, name, kind, dict.fromkeys(members), created, purpose=purpose)
        self.channels[id] = channel
        return channel

    def direct(self, user: str) -> SlackChannel:
        """The direct messages between this person and the app."""
        if user not in self._direct:
            id = "D" + user[1:]
            self._direct[user] = id
            self.add_channel(id, "", user, self.bot, kind="im")
        return self.channels[self._direct[user]]

    # -- time and names

    def ts(self) -> str:
        """A message's id: the time in microseconds, never twice the same."""
        self._last_us = max(int(self.clock() * 1_000_000), self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def names(self) -> dict[str, str]:
        return {person.name: person.id for person in self.people.values()}

    def channel_names(self) -> dict[str, str]:
        return {channel.name: channel.id for channel in self.channels.values() if channel.name}

    def find_person(self, user: str) -> Person | None:
        """By id or name."""
        return self.people.get(user) or self.people.get(self.names().get(user.removeprefix("@"), ""))

    def find_channel(self, channel: str, user: str) -> SlackChannel | None:
        """By id or name, as this person says it; the app's name means their direct messages."""
        person = self.find_person(user)
        if person and channel in (f"@{self.bot_name}", self.bot):
            return self.direct(person.id)
        id = self.channel_names().get(channel.removeprefix("#"), "")
        return self.channels.get(channel) or self.channels.get(id)

    def link_names(self, text: str) -> str:
        """What a person typed, with the names that are known here."""
        return link_names(text, self.names(), self.channel_names())

    # -- messages

    def put(self, channel: SlackChannel, message: Message) -> Message:
        """Store a new message under its ts and count it into its thread."""
        ts = message["ts"]
        channel.messages[ts] = message
        root = channel.messages.get(message.get("thread_ts", ""))
        if root is not None and root is not message:
            replies = channel.replies.setdefault(root["ts"], [])
            replies.append(ts)
            self._update_counts(root, replies, message.get("user", ""))
        self.publish({"type": "message", "channel": channel.id, "message": message})
        return message

    @staticmethod
    def _update_counts(root: Message, replies: list[str], user: str = "") -> None:
        """Bring the thread figures of a root message up to date."""
        users = root.get("reply_users", [])
        if user and user not in users:
            users = [*users, user]
        root.update(
            thread_ts=root["ts"],
            reply_count=len(replies),
            reply_users_count=len(users),
            latest_reply=replies[-1] if replies else "",
            reply_users=users,
            is_locked=False,
            subscribed=True,
        )

    def publish_change(self, channel: SlackChannel, message: Message) -> None:
        self.publish({"type": "message", "channel": channel.id, "message": message})

    def remove(self, channel: SlackChannel, ts: str) -> bool:
        """Delete a message; a root with replies stays as a tombstone, then False."""
        message = channel.messages[ts]
        self.streams.pop((channel.id, ts), None)
        if channel.replies.get(ts):
            keep = {k: v for k, v in message.items() if k.startswith(("reply_", "thread_", "latest_"))}
            message.clear()
            message.update(
                type="message", subtype="tombstone", text="This message was deleted.", user="USLACKBOT",
                hidden=True, ts=ts, **keep,
            )  # fmt: skip
            self.publish_change(channel, message)
            return False
        del channel.messages[ts]
        root = message.get("thread_ts")
        if root in channel.messages and root != ts:
            channel.replies[root].remove(ts)
            self._update_counts(channel.messages[root], channel.replies[root])
        self.publish({"type": "message_deleted", "channel": channel.id, "ts": ts})
        return True

    def thread(self, channel: SlackChannel, root: str) -> Iterator[Message]:
        """The root and its replies, oldest first."""
        if root in channel.messages:
            yield channel.messages[root]
        for ts in channel.replies.get(root, ()):
            yield channel.messages[ts]

    def is_readable(self, ts: str) -> bool:
        """Whether conversations.history and .replies show it yet."""
        return not self.history_lag_s or float(ts) <= self.clock() - self.history_lag_s

    # -- what passes by itself

    def expire(self, status_life_s: float, stream_life_s: float) -> None:
        """End statuses and streams that are too old by the workspace's clock."""
        now = self.clock()
        for key in [k for k, s in self.statuses.items() if now - s.at >= status_life_s]:
            self.set_status(*key, "", [])
        for stream in [s for s in self.streams.values() if now - s.started_at >= stream_life_s]:
            self.end_stream(stream)

    def set_status(self, channel: str, thread: str, text: str, loading_messages: list[str]) -> None:
        if text:
            self.statuses[channel, thread] = Status(text, loading_messages, self.clock())
        elif not self.statuses.pop((channel, thread), None):
            return
        self.publish(
            {"type": "status", "channel": channel, "thread_ts": thread, "status": text,
             "loading_messages": loading_messages}
        )  # fmt: skip

    def end_stream(self, stream: SlackStream) -> None:
        """The message stays as it is; nothing can be appended any more."""
        self.close_stream(stream)
        channel = self.channels[stream.channel]
        self.publish_change(channel, channel.messages[stream.ts])

    def close_stream(self, stream: SlackStream) -> None:
        """As `end_stream`, by somebody who announces the message."""
        self.streams.pop((stream.channel, stream.ts), None)
        self.channels[stream.channel].messages[stream.ts].pop("streaming", None)
