"""When a job that failed is tried again, and when never."""

from __future__ import annotations

import pytest

from bot.core.errors import Busy, SlackRefused, SlackUnavailable
from bot.jobs.failures import LONGEST_DELAY_S, OUTAGE_LASTS_S, Failure, judge_failure
from storage.jobs.inbox import Job

MOST = 4


def judge(error: Exception, *, before: int = 0, now: float = 1.0) -> Failure:
    job = Job(1, "a", "c", "m", "{}", attempts=before + 1, tries=before, crashes=0, received_at=0.0)
    return judge_failure(job, error, max_attempts=MOST, now=now, random=lambda: 0.5)


@pytest.mark.parametrize(
    ("error", "delays"),
    [(RuntimeError, [0.2, 0.4, 0.8]), (SlackUnavailable, [1.0, 3.0, 9.0]), (Busy, [1.0, 3.0, 9.0])],
)
def test_delays_grow_and_an_outage_is_given_more_time(error: type[Exception], delays: list[float]) -> None:
    assert [judge(error(), before=tries).again_in_s for tries in range(3)] == pytest.approx(delays)


def test_no_delay_is_longer_than_its_bound() -> None:
    assert judge(SlackUnavailable("away"), before=8).again_in_s == LONGEST_DELAY_S


def test_a_mistake_is_given_up_after_some_tries_an_outage_only_after_hours() -> None:
    assert judge(RuntimeError(), before=MOST - 1).again_in_s is None
    assert judge(SlackUnavailable("away"), before=MOST - 1).again_in_s
    assert judge(SlackUnavailable("away"), before=MOST - 1, now=OUTAGE_LASTS_S + 1).again_in_s is None
    assert judge(SlackRefused("is_archived")).again_in_s is None


def test_being_told_when_to_come_back_counts_as_no_failure() -> None:
    told = judge(SlackUnavailable("429", retry_after_s=10.0), before=MOST - 1)
    assert (told.counts, told.tries, told.again_in_s) == (False, MOST - 1, 10.5)
