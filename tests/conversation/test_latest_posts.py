"""What is known of a post without asking the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.conversation.latest_posts import KEPT, LatestPosts
from bot.core.ids import message_key
from bot.core.values import Conversation, File, Incoming


def post(message: str) -> Incoming:
    key = message_key("T", "C", message)
    return Incoming(
        key, Conversation("T", "C", "1"), "U", message, "words", datetime(2026, 11, 29, tzinfo=UTC)
    )


def test_the_other_event_of_a_post_is_known_unless_it_tells_more_of_it() -> None:
    latest = LatestPosts()
    latest.add(post("1"))
    assert latest.holds(post("1"))
    assert not latest.holds(
        replace(post("1"), files=(File("F1", "voice.m4a", "audio/mp4", 1, "https://files.slack.com/1"),))
    )
    assert not latest.holds(post("2"))


def test_posts_of_long_ago_are_looked_up_again() -> None:
    latest = LatestPosts()
    for number in range(KEPT + 1):
        latest.add(post(str(number)))
    assert not latest.holds(post("0"))
    assert latest.holds(post("1"))
