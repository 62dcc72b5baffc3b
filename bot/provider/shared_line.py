"""What several processes share of what one server takes of one model per minute.

Each has its own line and its own part of the server's tokens and requests: as much as it uses, or, where not
all can have what they want, as much as there are channels waiting in it. A channel that waits in several
processes counts for a part in each of them. What one learns of the server's limit it tells the others.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from bot.limits.division import Allotment, Claim
from bot.limits.sharing import Limit
from bot.provider.counting import MEANINGS
from bot.provider.model_line import ModelLine
from bot.provider.rate_headers import ReportedRate
from bot.provider.waiting_line import PEOPLE

MINUTE_S = 60.0
LEAST = 0.01  # of all: so that a first request is never without any
IDLE = 0.02  # what somebody wants who uses nothing
MORE = 1.25  # than was used: what comes next may be a little more
KEPT = 0.8  # of what was used before, with each look
MOST_PARTIES = 64
NEWS_S = 5.0
GUESSES = MEANINGS[""]


class SharedLine:
    """A line of requests as bot/limits sees it."""

    def __init__(self, line: ModelLine, clock: Callable[[], float]) -> None:
        self._line = line
        self._clock = clock
        self._looked_at = clock()
        self._passed = (0.0, 0)
        self._passed_by_others = 0.0
        self._use = 0.0  # of all that the server takes
        self._guessed_at, self._guess, self._heard = -1e9, 0.0, 0.0

    @property
    def limit(self) -> Limit:
        """Parts of one whole; nothing is divided before it is known what the server takes."""
        line = self._line
        return Limit(1.0 if line.tokens.in_all or line.requests.in_all else 0.0)

    def claim(self) -> Claim:
        line = self._line
        self._note_use()
        wants = 1.0 if line.is_short else min(MORE * self._use + IDLE, 1.0)
        line.is_short = line.is_short and len(line) > 0
        channels = {waiter.ask.path[1] for waiter in line.waiting if waiter.ask.path[0] == PEOPLE}
        parties = sorted(zlib.crc32(channel.encode()) for channel in channels)[:MOST_PARTIES]
        return Claim(0.0, wants, line.tokens.part, tuple(parties), self._news())

    def allot(self, part: Allotment) -> None:
        line, now = self._line, self._clock()
        self._hear(part, now)
        if self.limit.total:
            share = max(part.held, LEAST)
            line.tokens.have_part(share, now)
            line.requests.have_part(share, now)
        line.waiting.weigh_channels(lambda channel: part.weights.get(zlib.crc32(channel.encode()), 1.0))
        line.pump()

    def have_all(self) -> None:
        now = self._clock()
        self._line.tokens.have_part(1.0, now)
        self._line.requests.have_part(1.0, now)
        self._line.waiting.weigh_channels(lambda channel: 1.0)
        self._line.pump()

    def _note_use(self) -> None:
        """Of tokens or requests, whichever is nearer to its limit."""
        line, now = self._line, self._clock()
        (tokens, requests), passed_s = self._passed, now - self._looked_at
        if passed_s <= 0:
            return
        self._passed, self._looked_at = (line.passed_tokens, line.passed_requests), now
        used = max(
            _share_of(line.passed_tokens - tokens, line.tokens.in_all, passed_s),
            _share_of(line.passed_requests - requests, line.requests.in_all, passed_s),
        )
        kept = KEPT**passed_s
        self._use = kept * self._use + (1 - kept) * used

    def _news(self) -> dict[str, float]:
        """What was learned of the server, and is worth telling."""
        line, now = self._line, self._clock()
        known: dict[str, float] = {f"{name} sent": total for name, total in line.counting.totals.items()}
        known |= {"passed": line.passed_tokens}
        if line.counting.is_sure:
            known["counted"] = 1 + GUESSES.index(line.counting.counted)
        known |= {"tokens": line.tokens.in_all, "requests": line.requests.in_all, "refused_s": line.refused_s}
        guess = line.guess.per_minute
        if guess != self._heard and (guess < self._guess or not self._guess):
            self._guessed_at = now
        self._guess = guess
        if guess and now - self._guessed_at < NEWS_S:
            known |= {"guess": guess, "refused_level": line.guess.refused_level}
        return {name: value for name, value in known.items() if value}

    def _hear(self, part: Allotment, now: float) -> None:
        line = self._line
        totals = {name: sum(part.hear(f"{name} sent")) for name in line.counting.totals}
        counted = [GUESSES[int(told) - 1] for told in part.hear("counted")]
        line.counting.hear(totals, counted[0] if counted else None)
        passed = sum(part.hear("passed"))
        if passed > self._passed_by_others:  # and nobody has gone
            line.guess.note_taken(passed - self._passed_by_others, now)
        self._passed_by_others = passed
        for told in part.hear("refused_s"):
            line.freeze(told)
        for bucket, name in ((line.tokens, "tokens"), (line.requests, "requests")):
            if not bucket.in_all and (known := part.hear(name)):
                bucket.heed(ReportedRate(min(known)), now)
        guesses = zip(part.hear("guess"), part.hear("refused_level"), strict=True)
        for guess, refused_level in guesses:
            if guess != self._heard:
                self._heard = self._guess = guess
                line.guess.hear(guess, refused_level, now)
                line.tokens.heed(ReportedRate(guess), now)


def _share_of(used: float, per_minute: float, seconds: float) -> float:
    return used * MINUTE_S / (per_minute * seconds) if per_minute else 0.0
