"""What is looked for in a thread that Slack may show late."""

from __future__ import annotations

import pytest

from bot.core.errors import SlackRefused
from handlers.slack import own_messages
from handlers.slack.own_messages import THREAD_GONE, look_twice


@pytest.mark.parametrize("first", [None, SlackRefused(THREAD_GONE)])
async def test_what_slack_does_not_show_yet_is_looked_for_again(
    first: SlackRefused | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_messages, "HISTORY_LAG_S", 0.01)
    answers = [first, "found"]

    async def look() -> str | None:
        match answers.pop(0):
            case SlackRefused() as exc:
                raise exc
            case answer:
                return answer

    assert await look_twice(look) == "found"


async def test_another_refusal_is_final() -> None:
    async def look() -> None:
        raise SlackRefused("channel_not_found")

    with pytest.raises(SlackRefused):
        await look_twice(look)
