"""What an earlier attempt left of a reply in Slack, where a process died or an answer of Slack's was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from bot.core.errors import SlackRefused, SlackUnavailable
from bot.core.values import Incoming
from handlers.slack.client import SlackClient
from handlers.slack.own_messages import THREAD_GONE, find_own, list_own, read_id, wait_for_readers

ORPHANS = 1000  # numbers of parts from here on are those of orphans
# Codes that say: nothing can be read or written there any more.
UNREACHABLE = frozenset(
    {
        THREAD_GONE,
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "cannot_reply_to_message",
    }
)


class ReplyTraces:
    """Looks for one reply, in the thread of its question. `waiting` is entered while nothing else is done."""

    def __init__(
        self,
        slack: SlackClient,
        incoming: Incoming,
        reply_id: str,
        *,
        uncertain: bool,
        waiting: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._slack = slack
        self._incoming = incoming
        self._reply_id = reply_id
        self._waiting = waiting
        self._since = time.monotonic()
        self.uncertain = uncertain  # something may stand there that we do not know of

    def note(self, *, uncertain: bool) -> None:
        """What an attempt of our own leaves."""
        self.uncertain, self._since = uncertain, time.monotonic()

    async def find(self, parts: int = 1) -> dict[int, str]:
        """Ids by part, orphaned streams after them; nothing where there can be nothing.

        Slack may not show yet what was posted a moment ago: less than all `parts` is looked for once more.
        """
        if not self.uncertain:
            return {}
        found = await self.look()
        if found is not None and found.keys() >= set(range(parts)):
            return found
        with self._waiting():
            await wait_for_readers(self._since)
        found = await self.look()
        if found is None:
            raise SlackRefused(THREAD_GONE)
        return found

    async def look(self) -> dict[int, str] | None:
        """None where Slack knows no such thread. SlackUnavailable while it does not let us look."""
        found: dict[int, str] = {}
        place = self._incoming.conversation
        mine = find_own(self._slack, place.channel, place.thread, after=self._incoming.message)
        try:
            async for message in mine:
                self._sort(message, found)
        except SlackRefused as exc:
            if exc.code == THREAD_GONE:
                return None
            if exc.code in UNREACHABLE:
                raise
            raise SlackUnavailable(f"the thread cannot be looked at: {exc.code}") from exc
        return found

    async def find_in(self, direct: str) -> dict[int, str]:
        """Ids, by part, of what was written to the asker directly."""
        if not self.uncertain:
            return {}
        there = await list_own(self._slack, direct, self._reply_id, after=float(self._incoming.message))
        return {
            message["metadata"]["event_payload"]["part"]: message["ts"]
            for message in there
            if read_id(message) == self._reply_id
        }

    def _sort(self, message: dict[str, Any], found: dict[int, str]) -> None:
        """An orphan is a message of ours after the question that no reply claims. There can be none of
        another turn: one turn at a time runs in a thread, and each finished one has its metadata, as
        cards and notes have theirs."""
        metadata = message.get("metadata") or {}
        if read_id(message) == self._reply_id:
            found[int(metadata["event_payload"].get("part", 0))] = message["ts"]
        elif not metadata.get("event_type") and not message.get("files"):
            found[ORPHANS + len(found)] = message["ts"]
