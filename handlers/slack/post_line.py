"""Posts on their way: one after the other in a channel, and not too many in all channels together.

Of those who wait the fresh ones go first, because somebody waits for them; while they keep coming, every
fourth is one that waits longer. What the limits are is in handlers/slack/pacing.py.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bot.limits.division import Allotment, Claim
from bot.limits.sharing import Limit
from handlers.slack.rates import Rate

OTHERS_EVERY = 4
STRETCH, SHRINK, LONGEST_STRETCH = 1.25, 0.98, 4.0  # of a distance: with each refusal, each answer, at most
LATE_CLOCK_S = 0.005  # what a busy process adds to a time
# The fastest way to Slack is that of the last minutes: after some slow ones the next may be fast again.
WAYS_S, MINUTES_KEPT = 60.0, 5
SURE_AFTER = 10  # so many ways; the first ones are slow, because connections are made
REFUSED_AGAIN_S = 60.0  # within this time, a refusal in a channel is no accident
STEP_S = 0.01  # between any two posts, so that few are on their way when the workspace has enough of them
UNANSWERED = 2.0  # so many distances later the next one goes although the one before has no answer
CHANNELS_KEPT = 1000
SPREAD, SPREAD_S = 3, 3.0  # refused in so many channels within this time, it is the workspace that is full
CHANNELS_PAUSE_S = 1.0  # what Slack says of a channel that has enough; of a workspace it may say more
FAR_APART = 1.5  # so many distances after the post before it, it is not the channel that refuses
HUNDRED = 100  # posts a minute every workspace takes. Source: "several hundred", see handlers/slack/pacing.py
CATCH_UP_S = 1.0  # a backlog goes evenly, once it is known how much the workspace takes


@dataclass(slots=True)
class WaitingPost:
    """`number`: the order in which they came."""

    number: int
    turn: asyncio.Future[None]


@dataclass(slots=True)
class ChannelPosts:
    """When the next post may go to a channel, and who waits for that."""

    apart_s: float
    next_at: float = 0.0
    began_at: float = 0.0  # the last one
    refused_at: float = -1e9
    taken_at: float = -1e9  # the last one that came to Slack
    under_way: int = 0
    fresh: deque[WaitingPost] = field(default_factory=deque)
    others: deque[WaitingPost] = field(default_factory=deque)


class PostLine:
    """Each channel takes a post when Slack has had the one before for `apart_s`; all together take `rate`.

    When a post arrived is read from its id, which is a time of Slack's; the post that was fastest there says
    what that time is here. A second refusal stretches the distance in a channel, and it shrinks again with
    what is taken. Refusals in several channels at once that are not these channels' own are the workspace's,
    and tell how much it takes.
    """

    def __init__(self, rate: Rate, apart_s: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._apart_s = apart_s
        self._clock = clock
        self._channels: dict[str, ChannelPosts] = {}
        # From our clock at the start to Slack's, the best of each minute.
        self._ways: deque[float] = deque(maxlen=MINUTES_KEPT)
        self._ways_known, self._ways_since = 0, -math.inf
        self._count = 0
        self._fresh_in_a_row = 0
        self._next_at = 0.0  # in any channel
        self._next_other_at = 0.0  # one that waits longer
        self._refused: dict[str, float] = {}  # by channel: when, a moment ago
        self._timer: asyncio.TimerHandle | None = None

    def is_free(self, channel: str) -> bool:
        """Whether a post would go at once."""
        there = self._channels.get(channel)
        room = self._clock() >= self._next_at and self._rate.free >= 1
        return room and (there is None or self._is_quiet(there))

    def try_begin(self, channel: str) -> bool:
        """Begins at once if there is room and nobody waits for it."""
        if not self.is_free(channel):
            return False
        self._begin(self._find(channel))
        return True

    async def begin(self, channel: str, *, fresh: bool, again: bool = False) -> None:
        """Waits for its turn, which has to be ended. `again`: refused before, so it is the next one there."""
        there, self._count = self._find(channel), self._count + 1
        waiting = WaitingPost(self._count, asyncio.get_running_loop().create_future())
        queue = there.fresh if fresh or again else there.others
        if again:
            queue.appendleft(waiting)
        else:
            queue.append(waiting)
        self._let_through()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting in queue:
                queue.remove(waiting)
            raise

    def end(
        self, channel: str, began_at: float, *, message: str = "", refused_for_s: float | None = None
    ) -> float:
        """What began then was answered, and is that message; or refused, for so long. Seconds until the next
        one may go there."""
        now, there = self._clock(), self._find(channel)
        there.under_way = max(there.under_way - 1, 0)
        if refused_for_s is None:
            there.apart_s = max(self._apart_s, SHRINK * there.apart_s)
            arrived_at = self._find_arrival(began_at, now, message)
            there.taken_at = max(there.taken_at, arrived_at)
            if began_at >= there.began_at:
                there.next_at = arrived_at + there.apart_s + LATE_CLOCK_S if self._apart_s else 0.0
        else:
            if now - there.refused_at < REFUSED_AGAIN_S:
                there.apart_s = min(STRETCH * there.apart_s, LONGEST_STRETCH * self._apart_s)
            there.refused_at = now
            there.next_at = now + refused_for_s
            far_apart = began_at - there.taken_at > FAR_APART * there.apart_s and not there.under_way
            if far_apart or refused_for_s > CHANNELS_PAUSE_S:
                self._note_refusal(channel, now, refused_for_s)
        self._let_through()
        return max(there.next_at - now, 0.0)

    def put_off(self, channel: str, seconds: float) -> None:
        """Another process has its turn there; what has begun begins only then."""
        there = self._find(channel)
        there.next_at = max(there.next_at, self._clock() + seconds + UNANSWERED * there.apart_s)

    @property
    def limit(self) -> Limit:
        """Of posts in all channels together."""
        return self._rate.limit

    def claim(self) -> Claim:
        waiting = sum(len(posts.fresh) + len(posts.others) for posts in self._waiting_channels())
        claim = self._rate.claim()
        return replace(claim, wants=max(claim.wants, waiting))

    def allot(self, part: Allotment) -> None:
        self._rate.allot(part)
        self._let_through()

    def have_all(self) -> None:
        self._rate.have_all()
        self._let_through()

    def _find_arrival(self, began_at: float, answered_at: float, message: str) -> float:
        """When a post came to Slack, or a little later, on our clock."""
        try:
            way = float(message) - began_at
        except ValueError:
            return answered_at
        if answered_at - self._ways_since > WAYS_S:
            self._ways_since = answered_at
            self._ways.append(way)
        self._ways[-1] = min(self._ways[-1], way)
        self._ways_known += 1
        if self._ways_known < SURE_AFTER:
            return answered_at
        return min(max(float(message) - min(self._ways), began_at), answered_at)

    def _note_refusal(self, channel: str, now: float, refused_for_s: float) -> None:
        self._refused = {id: at for id, at in self._refused.items() if now - at < SPREAD_S} | {channel: now}
        if len(self._refused) >= SPREAD and self._rate.taken_by_all >= HUNDRED:
            self._refused.clear()
            self._rate.learn()
            self._rate.refuse(refused_for_s)

    def _find(self, channel: str) -> ChannelPosts:
        if channel not in self._channels:
            if len(self._channels) >= CHANNELS_KEPT:
                self._channels = {id: at for id, at in self._channels.items() if not self._is_quiet(at)}
            self._channels[channel] = ChannelPosts(self._apart_s)
        return self._channels[channel]

    def _is_quiet(self, there: ChannelPosts) -> bool:
        return not (there.fresh or there.others) and there.next_at <= self._clock()

    def _begin(self, there: ChannelPosts) -> None:
        now = self._clock()
        there.began_at = now
        there.under_way += 1
        there.next_at = now + UNANSWERED * there.apart_s
        self._next_at = now + STEP_S if there.apart_s else 0.0
        self._rate.note_taken()

    def _let_through(self) -> None:
        """Lets through whoever may go now, and comes back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while (chosen := self._choose()) is not None:
            there, fresh = chosen
            waiting = self._take_next(there, fresh=fresh)
            if not waiting.turn.done():
                self._begin(there)
                waiting.turn.set_result(None)
        soonest_s = min(map(self._wait_s, self._waiting_channels()), default=math.inf)
        if soonest_s < math.inf:
            self._timer = asyncio.get_running_loop().call_later(max(soonest_s, 0.001), self._let_through)

    def _wait_s(self, there: ChannelPosts) -> float:
        """Until one of those who wait for a channel may go."""
        next_at = self._next_at if there.fresh else max(self._next_at, self._next_other_at)
        return max(there.next_at - self._clock(), next_at - self._clock(), self._rate.wait_s())

    def _waiting_channels(self) -> Iterator[ChannelPosts]:
        return (posts for posts in self._channels.values() if posts.fresh or posts.others)

    def _choose(self) -> tuple[ChannelPosts, bool] | None:
        """The channel that may take a post and has the one whose turn it is; whether that is a fresh one."""
        now = self._clock()
        if now < self._next_at or self._rate.wait_s() > 0:
            return None
        ready = [posts for posts in self._waiting_channels() if posts.next_at <= now]
        fresh = [posts for posts in ready if posts.fresh]
        others = [posts for posts in ready if posts.others] if now >= self._next_other_at else []
        if fresh and (not others or self._fresh_in_a_row < OTHERS_EVERY - 1):
            return min(fresh, key=lambda posts: posts.fresh[0].number), True
        if others:
            return min(others, key=lambda posts: posts.others[0].number), False
        return None

    def _take_next(self, there: ChannelPosts, *, fresh: bool) -> WaitingPost:
        if fresh:
            self._fresh_in_a_row += 1
            return there.fresh.popleft()
        self._fresh_in_a_row = 0
        late_at = max(self._next_other_at, self._clock() - CATCH_UP_S)
        self._next_other_at = late_at + self._rate.span_s / self._rate.most
        return there.others.popleft()
