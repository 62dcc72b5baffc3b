"""The baseline of `make bench`: the least that a Slack bot can be, as the libraries' own examples write it.

A bare AsyncApp with default clients, streaming a chat completion into chat.startStream/append/stop with the
SDK's stream helper. No storage, no memory, no retry, no filter. Prints a line when ready and runs until
killed. PARLEY_TRANSPORT=http: Bolt's own web application instead of Socket Mode. `--tuned`: all requests to
Slack over one session, and the proxy of the environment looked up once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import aiohttp
from aiohttp import web
from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web import async_base_client
from slack_sdk.web.async_client import AsyncWebClient


def web_client(*, tuned: bool) -> AsyncWebClient:
    how: dict[str, Any] = {"token": os.environ["SLACK_BOT_TOKEN"], "base_url": os.environ["SLACK_API_URL"]}
    if tuned:
        async_base_client.load_http_proxy_from_env = lambda _logger: None  # type: ignore[attr-defined]
        connector = aiohttp.TCPConnector(limit=0)
        how |= {"session": aiohttp.ClientSession(connector=connector), "trust_env_in_session": False}
    return AsyncWebClient(**how)


async def listen(app: AsyncApp) -> str:
    """Takes events; where, when that is a web address."""
    if os.environ.get("PARLEY_TRANSPORT") != "http":
        await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).connect_async()
        return ""
    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def main() -> None:
    client = web_client(tuned="--tuned" in sys.argv)
    app = AsyncApp(
        client=client,
        signing_secret=os.environ["SLACK_SIGNING_SECRET"],
        attaching_conversation_kwargs_enabled=False,
    )
    model = AsyncOpenAI()

    @app.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient, context: Any) -> None:
        thread = event.get("thread_ts") or event["ts"]
        stream = await client.chat_stream(
            channel=event["channel"],
            thread_ts=thread,
            recipient_team_id=context.team_id,
            recipient_user_id=event["user"],
        )
        completion = await model.chat.completions.create(
            model=os.environ["PARLEY_MODEL"],
            messages=[{"role": "user", "content": event["text"]}],
            stream=True,
        )
        async for chunk in completion:
            if chunk.choices and chunk.choices[0].delta.content:
                await stream.append(markdown_text=chunk.choices[0].delta.content)
        await stream.stop()

    @app.event("message")
    async def ignore() -> None:
        """Without this Bolt answers 404 to the other event of each mention."""

    print(f"baseline is ready {await listen(app)}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
