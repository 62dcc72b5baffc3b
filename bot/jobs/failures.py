"""What becomes of a job that failed: tried again after a while, or never.

A mistake of ours passes quickly or never, so it is tried again a few times; an outage takes its time, and
what waits for its end is kept for hours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.errors import BotError
from storage.jobs.inbox import Job

# First delay and growth of retries.
MISTAKE_S = (0.2, 2.0)
OUTAGE_S = (1.0, 3.0)
LONGEST_DELAY_S = 300.0
OUTAGE_LASTS_S = 6 * 3600.0  # so long an answer that is ready is kept for a service that is away


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of a job, of which there were `tries` with this one. `again_in_s`: None where it is hopeless;
    `counts`: it is no mere wish for more time; `words`, `trace`: what the log says of it."""

    words: str
    trace: BaseException | None
    tries: int
    counts: bool
    again_in_s: float | None


def judge_failure(
    job: Job, exc: BaseException, *, max_attempts: int, now: float, random: Callable[[], float]
) -> Failure:
    """Another time, or never."""
    wanted_s = getattr(exc, "retry_after_s", None)
    tries = job.tries + (wanted_s is None)
    expected = isinstance(exc, BotError)
    away = isinstance(exc, BotError) and exc.retry  # and comes back: the job is not at fault
    patient = away and now - job.received_at < OUTAGE_LASTS_S
    again_in_s: float | None
    if (expected and not away) or (tries >= max_attempts and not patient):
        again_in_s = None
    elif wanted_s is None:
        again_in_s = _delay_s(exc, tries, random)
    else:
        again_in_s = wanted_s * (1 + random() / 10)
    words = f"{type(exc).__name__}: {exc.notice}" if isinstance(exc, BotError) else type(exc).__name__
    return Failure(words, None if expected else exc, tries, wanted_s is None, again_in_s)


def _delay_s(exc: BaseException, tries: int, random: Callable[[], float]) -> float:
    first_s, growth = OUTAGE_S if isinstance(exc, BotError) else MISTAKE_S
    return min(first_s * growth ** (tries - 1), LONGEST_DELAY_S) * (0.5 + random())
