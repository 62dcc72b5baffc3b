"""What the bot has written into a thread of the fake Slack."""

from __future__ import annotations

from bot.sandbox.slack.server import FakeSlack
from tests.support.workspace import is_final, text_of


def finals(slack: FakeSlack, channel: str, thread: str) -> list[str]:
    return [text_of(m) for m in slack.thread(channel, thread) if m.get("user") == slack.bot and is_final(m)]


def ours(slack: FakeSlack, channel: str, thread: str) -> int:
    return sum(m.get("user") == slack.bot for m in slack.thread(channel, thread))
