"""The real bot between a fake Slack and a fake model API, all in this process, for scenario tests.

Real slack_bolt, slack_sdk, openai and database, over HTTP and WebSocket on free ports. What people do goes
through `slack`, what the model says through `model`; nothing of ours is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.core import settings_sources
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.reply.bodies import METADATA
from handlers.serve import Serving, serving
from handlers.slack import own_messages
from tests.support.engines import database_url
from tests.support.rows import FILE

MANIFEST = yaml.safe_load((Path(__file__).parents[2] / "manifest.yml").read_text("utf-8"))


@dataclass
class Workspace:
    """A team with Parley in it."""

    slack: FakeSlack
    model: FakeModel
    environ: Mapping[str, str]
    bot: Serving

    async def ask(
        self, text: str, *, user: str = "alice", channel: str = "#general", thread: str = ""
    ) -> str:
        """Says something; returns the id of the thread it stands in."""
        ts = await self.slack.say(user, channel, text, thread_ts=thread or None)
        return thread or ts

    def said(self, channel: str, thread: str) -> list[str]:
        """What the bot has said in a thread so far, as text."""
        return [text_of(m) for m in self.replies(channel, thread)]

    def replies(self, channel: str, thread: str) -> list[dict[str, Any]]:
        return [m for m in self.slack.thread(channel, thread) if m.get("user") == self.slack.bot]

    async def answer(self, channel: str, thread: str, *, count: int = 1, timeout_s: float = 60.0) -> str:
        """The bot's count-th reply in a thread, once it is final."""

        def final() -> str | None:
            done = [m for m in self.replies(channel, thread) if is_final(m)]
            return text_of(done[count - 1]) if len(done) >= count else None

        return await self.slack.until(final, timeout_s)

    async def quiet(self, timeout_s: float = 60.0) -> None:
        """Waits until the bot has what Slack had to deliver, and nothing is being worked on or waiting."""
        await self.slack.until(lambda: all(delivery.over for delivery in self.slack.deliveries), timeout_s)
        await self.slack.until(lambda: self.bot.services.inbox.idle, timeout_s)

    async def press_as_it_stood(self, user: str, channel: str, message: dict[str, Any], action: str) -> None:
        """Presses a button of a message that was seen before, whatever has become of the button since."""
        ws = self.slack.workspace
        stored = ws.channels[self.slack.channel(channel)].messages[message["ts"]]
        stored["blocks"] = message["blocks"]
        await self.slack.press(user, channel, message["ts"], action)

    def calls(self, method: str) -> list[dict[str, Any]]:
        return [r.arguments for r in self.slack.requests if r.method == method]


def is_final(message: dict[str, Any]) -> bool:
    return (message.get("metadata") or {}).get("event_type") == METADATA


def text_of(message: dict[str, Any]) -> str:
    """What a person reads: the text of the blocks where there are any, else of the message."""
    parts = [b["text"] for b in message.get("blocks") or () if b.get("type") == "markdown"]
    return "\n".join(parts) or message.get("markdown_text") or message.get("text") or ""


@asynccontextmanager
async def workspace(
    tmp_path: Path,
    *,
    slack: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    **environ: str,
) -> AsyncIterator[Workspace]:
    """A running workspace; `environ` sets settings by their environment names."""
    async with (
        FakeSlack(**{"manifest": MANIFEST, "rate_limits": False, **(slack or {})}) as fake_slack,
        FakeModel(**(model or {})) as fake_model,
        started(fake_slack, fake_model, tmp_path, **environ) as team,
    ):
        yield team


@asynccontextmanager
async def started(
    slack: FakeSlack, model: FakeModel, tmp_path: Path, **environ: str
) -> AsyncIterator[Workspace]:
    """The bot alone, started on servers that outlive it."""
    values = environment(slack, model, tmp_path) | environ
    own_messages.HISTORY_LAG_S = slack.history_lag_s + 1.0  # no test need wait for longer than its Slack lags
    async with serving(settings_sources.load(values), asyncio.Event()) as bot:
        if not bot.settings.socket_mode:
            slack.events_url = f"{bot.url}/slack/events"
        yield Workspace(slack, model, values, bot)


def environment(slack: FakeSlack, model: FakeModel, tmp_path: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "OPENAI_API_KEY": "sk-test",
        "PARLEY_MODEL": "gpt-4.1-mini",
        "OPENAI_BASE_URL": model.base_url,
        "PARLEY_MODEL_PARALLEL": "256",  # it stands for a service, though it is on this machine
        "PARLEY_DATABASE": database_url(tmp_path / FILE),
        "PARLEY_OPS_PORT": "0",
        "PARLEY_STREAMS_PER_MINUTE": "0",
        "PORT": "0",
    }
