"""Which of our conversations something in Slack belongs to.

A thread is one, and so is the whole of a direct conversation, where the operator wants that. What is said
there still stands in threads.
"""

from __future__ import annotations

from typing import Any

from bot.core.settings import Settings
from bot.core.values import Conversation
from handlers.slack.payloads import team_of

DIRECT = "D"  # what the ids of direct conversations begin with


def find_place(settings: Settings, team: str, channel: str, thread: str) -> Conversation:
    """The conversation in which a thread stands."""
    whole = settings.direct == "one" and channel.startswith(DIRECT)
    return Conversation(team, channel, thread, whole=whole)


def find_chosen_place(settings: Settings, body: dict[str, Any]) -> Conversation:
    """The conversation of the message whose button was pressed, or whose menu was opened."""
    message = body["message"]
    thread = message.get("thread_ts") or message["ts"]
    return find_place(settings, team_of(body), body["channel"]["id"], thread)
