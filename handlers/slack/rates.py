"""How often one method of Slack's may be called, and in what order those go who have to wait for it.

Nobody polls and nobody is woken in vain: whoever waits is let through when there is room, one at a time. What
the limits are is in handlers/slack/pacing.py; for posts, which are limited in each channel as well, there is
handlers/slack/post_line.py. Of a limit that other processes share, a process may use what it holds
(bot/limits).
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from bot.limits.division import Allotment, Claim
from bot.limits.sharing import Limit

EASED_EVERY_S = 60.0  # without a refusal, a limit that was lowered is raised again, by so much
EASED_BY = 1.25
GUESS_EASED_BY = 1.05  # where nothing is published, each raise finds the limit by being refused
LEARNED = 0.95  # of what was taken until it was refused
RECENT_S = 5.0  # what was taken since then is likely to be wanted again
OTHERS_EVERY = 4  # while fresh ones keep coming, every so many-th is one that waits longer


class Waiters:
    """Those who wait: the first ones before the fresh ones, these before all others, who get their share."""

    def __init__(self) -> None:
        self._first, self._fresh, self._others = (deque[asyncio.Future[None]]() for _ in range(3))
        self._fresh_in_a_row = 0

    def __len__(self) -> int:
        return len(self._first) + len(self._fresh) + len(self._others)

    def add(self, turn: asyncio.Future[None], *, first: bool, fresh: bool) -> None:
        (self._first if first else self._fresh if fresh else self._others).append(turn)

    def remove(self, turn: asyncio.Future[None]) -> None:
        for line in (self._first, self._fresh, self._others):
            if turn in line:
                line.remove(turn)

    def take(self) -> asyncio.Future[None]:
        """Whose turn it is, gone from the line."""
        if self._first:
            return self._first.popleft()
        if self._fresh and (not self._others or self._fresh_in_a_row < OTHERS_EVERY - 1):
            self._fresh_in_a_row += 1
            return self._fresh.popleft()
        self._fresh_in_a_row = 0
        return self._others.popleft()


class Rate:
    """At most `most` within any `span_s`; without a limit where None is published.

    What Slack refuses all the same lowers that for a while.
    """

    def __init__(
        self,
        most: int | None,
        span_s: float,
        clock: Callable[[], float],
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        """`hurry`: called when other processes hold what is wanted here."""
        self._published = self._most = math.inf if most is None else most
        self._held = math.inf
        self._taken_by_others = 0.0
        self._turned_away = 0  # since the last division, because others hold the rest
        self._learned_at = -1e9
        self._hurry = hurry
        self.span_s = span_s
        self._clock = clock
        self._taken: deque[float] = deque()  # when, within the span
        self._kept = 0  # set aside for what has to follow
        self._closed_until = self._refused_until = 0.0
        self._refused_at = -1e9
        self._eased_at = clock()
        self._waiting = Waiters()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def most(self) -> float:
        """What is known of the limit: infinite, where nothing is."""
        return self._most

    @property
    def taken(self) -> int:
        """How many were taken within the span."""
        self._forget_old()
        return len(self._taken)

    @property
    def taken_by_all(self) -> float:
        """The same of all processes, as far as it is known."""
        return self.taken + self._taken_by_others

    @property
    def free(self) -> float:
        """How many may go at once."""
        now = self._forget_old()
        most = min(self._most, self._held)
        return 0 if now < self._closed_until else max(most - len(self._taken) - self._kept, 0)

    def try_take(self, *, spare: int = 0) -> bool:
        """Takes one if as many as `spare` are left then, and nobody waits for it."""
        if self._waiting or self.free <= spare:
            self._note_short()
            return False
        self.note_taken()
        return True

    async def take(self, *, first: bool = False, fresh: bool = True) -> None:
        """Waits for its turn; `first`: before all others. A cancelled wait leaves no trace."""
        if self.try_take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.add(turn, first=first, fresh=fresh)
        self._let_through()
        try:
            await turn
        except asyncio.CancelledError:
            self._waiting.remove(turn)
            raise

    def keep(self) -> None:
        """Sets one aside for something that has to follow; `release` it just before that takes it."""
        self._kept += 1

    def release(self) -> None:
        self._kept -= 1
        asyncio.get_running_loop().call_soon(self._let_through)

    def refuse(self, retry_after_s: float) -> None:
        """Slack said no. Once is what was used before we counted; twice within two spans is a lower limit."""
        now = self._forget_old()
        if now >= self._closed_until:
            if now - self._refused_at < 2 * self.span_s and self._published < math.inf:
                self.learn()
            self._refused_at = self._eased_at = now
        self._refused_until = now + retry_after_s
        self._closed_until = max(self._closed_until, self._refused_until)
        self._let_through()

    def learn(self) -> None:
        """What was taken within the last span was a little more than the limit."""
        self._most = max(1, int(LEARNED * min(self._most, len(self._taken) + self._taken_by_others)))
        self._learned_at = self._clock()

    @property
    def limit(self) -> Limit:
        """What all processes share."""
        return Limit(0.0 if self._most == math.inf else self._most, whole=True, lasts_s=self.span_s)

    def claim(self) -> Claim:
        """What this process uses of it, and wants."""
        now = self._forget_old()
        recent = sum(now - at < RECENT_S for at in self._taken)
        wants = max(len(self._waiting), self._turned_away, recent)
        self._turned_away = 0
        news = {"refused_s": self._refused_until - now} if now < self._refused_until else {}
        if now - self._learned_at < RECENT_S:
            news["most"] = self._most
        held = 0.0 if self._held == math.inf else self._held
        return Claim(len(self._taken) + self._kept, wants, held, news=news)

    def allot(self, part: Allotment) -> None:
        """It may use this much; what the others learned of the limit holds here, too."""
        now = self._forget_old()
        self._held = part.held if self._most < math.inf else math.inf
        self._taken_by_others = part.used_by_others
        self._closed_until = max([self._closed_until, *(now + told for told in part.hear("refused_s"))])
        if told := part.hear("most"):
            self._most, self._eased_at = min(self._most, *told), now
        self._let_through()

    def have_all(self) -> None:
        """Nobody else uses it."""
        self._held, self._taken_by_others = math.inf, 0.0
        self._let_through()

    def _note_short(self) -> None:
        if self._held < self._most:
            self._turned_away += 1
            if self.taken_by_all + self._kept < self._most:
                self._hurry()

    def _ease(self, now: float) -> None:
        by = EASED_BY if self._published < math.inf else GUESS_EASED_BY
        while self._most < self._published and now - self._eased_at >= EASED_EVERY_S:
            self._eased_at += EASED_EVERY_S
            self._most = min(self._published, int(by * self._most) + 1)

    def _forget_old(self) -> float:
        now = self._clock()
        self._ease(now)
        while self._taken and now - self._taken[0] >= self.span_s:
            self._taken.popleft()
        return now

    def wait_s(self) -> float:
        """Seconds until one more may go."""
        now = self._forget_old()
        if now < self._closed_until:
            return self._closed_until - now
        over = len(self._taken) + self._kept - min(self._most, self._held)
        if over < 0:
            return 0.0
        if over >= len(self._taken):  # all of it is set aside: the first to come back lets somebody through
            return math.inf
        return max(self._taken[int(over)] + self.span_s - now, 1e-3)

    def note_taken(self) -> None:
        """One goes now."""
        self._taken.append(self._clock())

    def _let_through(self) -> None:
        """Lets through whoever may go now, and comes back when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            wait_s = self.wait_s()
            if wait_s > 0:
                self._note_short()
                if wait_s < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(wait_s, self._let_through)
                return
            turn = self._waiting.take()
            if not turn.done():
                self.note_taken()
                turn.set_result(None)
