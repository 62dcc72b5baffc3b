"""The beginning of a thread is read once for a question, and again when that is a while ago."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core.values import Conversation
from bot.sandbox.slack.server import FakeSlack
from handlers.slack.client import SlackClient
from handlers.slack.threads import KEPT_S, ThreadStarts


class Hand:
    """A clock that goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_was_read_a_moment_ago_is_read_once_and_then_anew() -> None:
    async with FakeSlack(rate_limits=False) as slack:
        clock = Hand()
        starts = ThreadStarts(
            SlackClient(AsyncWebClient(slack.bot_token, base_url=slack.api_url)), clock=clock
        )
        root = await slack.say("alice", "#general", "how it began")
        before = await slack.say("bob", "#general", "@parley and you?", thread_ts=root)
        place = Conversation(slack.team, slack.channel("#general"), root)

        def count() -> int:
            return slack.counts["conversations.replies"]

        page = await starts.peek(place, before)
        assert [message["text"] for message in page["messages"]] == ["how it began"]
        assert await starts.take(place, before) == page
        assert count() == 1
        assert await starts.take(place, before) == page
        assert count() == 2
        await starts.peek(place, before)
        clock.now = KEPT_S
        await starts.take(place, before)
        assert count() == 4
