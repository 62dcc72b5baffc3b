"""The baseline of `make bench`: the least that a Slack bot can be, as the libraries' own examples write it.

A bare AsyncApp with default clients, streaming a chat completion into chat.startStream/append/stop with the
SDK's stream helper. No storage, no memory, no retry, no filter. Prints a line when ready and runs until
killed.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def main() -> None:
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = AsyncApp(client=client, attaching_conversation_kwargs_enabled=False)
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

    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    await handler.connect_async()
    print("baseline is ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
