"""Room under Slack's limits is kept before Slack has to say no."""

from handlers.slack.pacing import POST_SPACING_S, ROOM_FOR_OTHERS, Pacing


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_streams_run_out_and_come_back_with_time() -> None:
    clock = Clock()
    pace = Pacing(20, clock)
    assert sum(pace.may_stream() for _ in range(50)) == int(20 * ROOM_FOR_OTHERS)
    clock.now += 60 / (20 * ROOM_FOR_OTHERS)
    assert pace.may_stream()
    assert not pace.may_stream()


def test_posts_in_one_channel_get_places_one_after_the_other() -> None:
    pace = Pacing(20, Clock())
    waits = [pace.wait_to_post_s("C1", f"reply {n}") for n in range(3)]
    assert waits == [0.0, POST_SPACING_S, 2 * POST_SPACING_S]
    assert pace.wait_to_post_s("C2", "another") == 0.0


def test_a_reply_keeps_its_place_until_it_is_posted() -> None:
    clock = Clock()
    pace = Pacing(20, clock)
    pace.wait_to_post_s("C1", "first")
    assert pace.wait_to_post_s("C1", "second") == POST_SPACING_S
    clock.now += POST_SPACING_S
    assert pace.wait_to_post_s("C1", "second") == 0.0
    pace.posted("second")
    assert pace.wait_to_post_s("C1", "second") == POST_SPACING_S


def test_a_refused_post_holds_everything_behind_it_in_that_channel_only() -> None:
    clock = Clock()
    pace = Pacing(20, clock)
    pace.wait_to_post_s("C1", "refused")
    pace.hold("C1", "refused", 30.0)
    assert pace.wait_to_post_s("C1", "refused") == 30.0
    assert pace.wait_to_post_s("C1", "next") == 31.0
    assert pace.wait_to_post_s("C2", "elsewhere") == 0.0


def test_without_limits_nothing_waits_unless_slack_itself_refuses() -> None:
    pace = Pacing(0, Clock())
    assert all(pace.may_stream() and pace.may_append() for _ in range(500))
    assert [pace.wait_to_post_s("C1", str(n)) for n in range(3)] == [0.0, 0.0, 0.0]
    pace.hold("C1", "0", 5.0)
    assert pace.wait_to_post_s("C1", "x") == 5.0
