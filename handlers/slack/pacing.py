"""Keeps requests under Slack's rate limits: each method's own per minute, and posts per channel.

Who has to send something waits here for its turn, in order; what can be left out (a status, a step of a
stream) is sent only where there is room to spare. One Pacing serves one workspace. What other processes on
the same database send counts as well (bot/limits): of each method a process uses what it holds, and in a
channel they post by turns.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from bot.core.errors import SlackLimited
from bot.core.waits import NOBODYS, find_question
from bot.limits.sharing import Limits, NoOthers
from handlers.slack.post_line import UNANSWERED, PostLine
from handlers.slack.rates import Rate

# Requests per minute, method and workspace. Source: https://docs.slack.dev/apis/web-api/rate-limits
TIER_2, TIER_3, TIER_4 = 20, 50, 100
# Source: the methods' own pages, https://docs.slack.dev/reference/methods. Methods that are not listed are
# held to Tier 3. agents.sessions.setStatus is in no published table: as chat.update.
TIERS = {
    "chat.appendStream": TIER_4,  # of the other two: the setting
    "chat.postEphemeral": TIER_4,
    "conversations.list": TIER_2,
    "conversations.members": TIER_4,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "files.info": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "assistant.threads.setTitle": TIER_4,
    "assistant.threads.setSuggestedPrompts": TIER_4,
    "reactions.remove": TIER_2,
}
START_STREAM, APPEND_STREAM, STOP_STREAM = "chat.startStream", "chat.appendStream", "chat.stopStream"
# About one a second and channel; "several hundred messages per minute" in a workspace, which is found out.
# Source: https://docs.slack.dev/reference/methods/chat.postMessage and the page above.
POST = "chat.postMessage"
POST_SPACING_S = 1.0
# Status lines are limited as posts are, in each channel; this few in all of them need no counting by channel.
LINE, LINE_SPAN_S = "assistant.threads.setStatus", 1.2
UNPACED = frozenset({"auth.test", "chat.getPermalink", "apps.connections.open"})
READS = ("conversations.replies", "conversations.history")
# Whoever asked so recently waits for the answer, and gets it before those who asked long ago.
FRESH_S = 20.0
EXPECTED_S = 10.0  # after so long an answer that was begun is streamed, or will not be
ROOM = 0.9  # of each limit we plan for; the rest is for other users of the token
LOW = 1 / 3  # of a limit: from here on it is used with care
WINDOW_S = 60.5  # a request may arrive a little later than it was sent


@dataclass(slots=True)
class Posting:
    """One message on its way. `began_at`: when it left; `message`: Slack's id of it, once it is known."""

    began_at: float
    message: str = ""


def name_workspace(token: str) -> str:
    """What a workspace is called among limits that processes share: Slack counts by app and workspace, as
    tokens are given. Known before Slack has told whose the token is."""
    return hashlib.sha256(token.encode()).hexdigest()[:12]


class Pacing:
    """What may be sent now, per method and channel.

    `streams_per_minute` 0: nothing is limited but by Slack's own refusals.
    """

    def __init__(
        self,
        streams_per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        limits: Limits | None = None,
        workspace: str = "",
    ) -> None:
        """`workspace`: what its limits are called among those that processes share."""
        self._clock = clock
        self._limits: Limits = limits or NoOthers()
        self._workspace = workspace
        self._streams_per_minute = streams_per_minute
        self._rates: dict[str, Rate] = {}
        self._expected: deque[float] = deque()  # when answers were begun that will be streamed
        self._posts = PostLine(
            Rate(None, WINDOW_S, clock, self._limits.hurry),
            POST_SPACING_S if streams_per_minute else 0.0,
            clock,
        )
        self._limits.add(self._name(POST), self._posts)

    def rate(self, method: str) -> Rate:
        """How often a method may be called."""
        if method not in self._rates:
            most = self._find_most(method)
            span_s = LINE_SPAN_S if method == LINE else WINDOW_S
            rate = self._rates[method] = Rate(most, span_s, self._clock, self._limits.hurry)
            if most is not None:
                self._limits.add(self._name(method), rate)
            # A process that died a moment ago may have used them; of several, the others would know.
            if method in READS and not self._limits.are_shared:
                for _ in range((most or 0) // 2):
                    rate.note_taken()
        return self._rates[method]

    def _name(self, limited: str) -> str:
        return f"{self._workspace} {limited}"

    def _find_most(self, method: str) -> int | None:
        if not self._streams_per_minute or method in UNPACED:
            return None
        if method == LINE:
            return 1
        of_streams = method in (START_STREAM, STOP_STREAM)
        per_minute = self._streams_per_minute if of_streams else TIERS.get(method, TIER_3)
        return max(int(per_minute * ROOM), 1)

    @property
    def streams_run_low(self) -> bool:
        """Whether what is left of this minute's streams is for answers that take long."""
        return self._runs_low(START_STREAM) or self._runs_low(STOP_STREAM)

    @property
    def appends_run_low(self) -> bool:
        return self._runs_low(APPEND_STREAM)

    def _runs_low(self, method: str) -> bool:
        most = self._find_most(method)
        return most is not None and self.rate(method).free < LOW * most

    async def take(self, method: str, *, first: bool = False, reading: bool = False) -> None:
        """Waits until a method may be called. `first`: before all others.

        `reading`: whatever is asked for cannot go on without. It gives its place in the queue to others
        meanwhile, and goes before what was asked long ago.
        """
        rate = self.rate(method)
        if rate.try_take():
            return
        question = find_question() if reading else NOBODYS
        fresh = question.asked_at is None or time.time() - question.asked_at < FRESH_S
        with question.aside():
            await rate.take(first=first, fresh=fresh)

    def expect_stream(self) -> bool:
        """Whether one more answer that is begun now will be streamed; those that begin together share what
        is left."""
        now = self._clock()
        while self._expected and now - self._expected[0] > EXPECTED_S:
            self._expected.popleft()
        most = self._find_most(START_STREAM)
        if most is None:
            return True
        left = min(self.rate(START_STREAM).free, self.rate(STOP_STREAM).free) - len(self._expected)
        if left < LOW * most:
            return False
        self._expected.append(now)
        return True

    def try_stream(self) -> bool:
        """Takes a stream and sets its end aside, if there is room for both."""
        if self.rate(STOP_STREAM).free < 1 or not self.rate(START_STREAM).try_take():
            return False
        self.rate(STOP_STREAM).keep()
        return True

    def leave_now(self, posting: Posting) -> None:
        """What was done before it could be sent is no part of its way."""
        posting.began_at = self._clock()

    @asynccontextmanager
    async def posting(
        self,
        channel: str,
        *,
        fresh: bool = True,
        again: bool = False,
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> AsyncIterator[Posting]:
        """Around one message to a channel, once it is its turn; it is told what Slack answered.

        `again`: Slack refused it before. `waiting` is entered for as long as it is not its turn.
        """
        if again or not self._posts.try_begin(channel):
            with waiting():
                await self._posts.begin(channel, fresh=fresh, again=again)
        posting = Posting(self._clock())
        refused_for_s: float | None = None
        try:
            await self._wait_for_others(channel, posting, waiting)
            yield posting
        except SlackLimited as exc:
            refused_for_s = exc.pause_s
            raise
        finally:
            free_in_s = self._posts.end(
                channel, posting.began_at, message=posting.message, refused_for_s=refused_for_s
            )
            place, refused = self._name(channel), refused_for_s is not None
            self._limits.end_turn(place, in_s=free_in_s, refused=refused)

    async def _wait_for_others(
        self, channel: str, posting: Posting, waiting: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Until no other process posts there."""
        if not self._streams_per_minute:
            return
        place, hold_s = self._name(channel), UNANSWERED * POST_SPACING_S
        while (wait_s := await self._limits.take_turn(place, hold_s=hold_s)) > 0:
            self._posts.put_off(channel, wait_s)
            with waiting():
                await asyncio.sleep(wait_s)
        self.leave_now(posting)
