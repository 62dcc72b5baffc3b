"""A small app that uses every surface the page draws; the page's tests run it in place of the real bot.

`python -m tests.page_bot`, with the environment the sandbox gives to its bot. It answers in a stream whose
words come from the model, and does on request what its keyword says.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from openai import AsyncOpenAI
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

app = AsyncApp(
    token=os.environ["SLACK_BOT_TOKEN"],
    client=AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
    ignoring_self_events_enabled=True,
)
model = AsyncOpenAI()

FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "Good answer"}, "value": "good"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad answer"}, "value": "bad"},
        }
    ],
}
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": {"type": "plain_text", "text": "Settings"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [
        {
            "type": "input",
            "block_id": "purpose",
            "label": {"type": "plain_text", "text": "What is this channel for?"},
            "element": {"type": "plain_text_input", "action_id": "purpose", "multiline": True},
        },
        {
            "type": "input",
            "block_id": "mode",
            "label": {"type": "plain_text", "text": "Off-topic questions are"},
            "element": {
                "type": "static_select",
                "action_id": "mode",
                "options": [
                    {"text": {"type": "plain_text", "text": "refused"}, "value": "refuse"},
                    {"text": {"type": "plain_text", "text": "answered"}, "value": "answer"},
                ],
            },
        },
    ],
}


async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
    """Streams the model's answer to one message into its thread, with a status and a session around it."""
    channel, root = event["channel"], event.get("thread_ts") or event["ts"]
    await client.agents_sessions_setStatus(channel_id=channel, thread_ts=root, status="processing")
    await client.assistant_threads_setStatus(channel_id=channel, thread_ts=root, status="is thinking…")
    question = event.get("text") or f"a clip called {event['files'][0]['name']}"
    chunks = await model.chat.completions.create(
        model="gpt-6-luna", messages=[{"role": "user", "content": question}], stream=True
    )
    stream = await client.chat_stream(
        channel=channel,
        thread_ts=root,
        recipient_team_id="T0SANDBOX1",
        recipient_user_id=event["user"],
        buffer_size=24,
    )
    try:
        async for chunk in chunks:
            if chunk.choices and chunk.choices[0].delta.content:
                await stream.append(markdown_text=chunk.choices[0].delta.content)
        await stream.stop(blocks=[FEEDBACK], session_status="active")
    except SlackApiError as refused:
        if refused.response["error"] != "stopped_by_user":
            raise
        await client.chat_stopStream(channel=channel, ts=str(stream.ts), session_status="active")
    await chunks.close()


@app.event("app_mention")
async def mentioned(event: dict[str, Any], client: AsyncWebClient) -> None:
    await answer(event, client)


@app.event("message")
async def written(event: dict[str, Any], client: AsyncWebClient) -> None:
    if event.get("channel_type") == "im" and event.get("subtype") in (None, "file_share"):
        await answer(event, client)


@app.event("agent_session_stopped")
async def stop(event: dict[str, Any]) -> None:
    """Nothing to do: the next append is refused, and that ends the answer."""


@app.command("/parley")
async def command(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
    if body["text"] == "settings":
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)
    else:
        await ack(f"This month: *$0.42* in this channel. You asked for `{body['text'] or 'help'}`.")


@app.view("form")
async def saved(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
    values = body["view"]["state"]["values"]
    purpose = values["purpose"]["purpose"]["value"]
    if len(purpose) < 10:
        await ack(response_action="errors", errors={"purpose": "Say it in a few more words."})
        return
    await ack()
    await client.chat_postEphemeral(
        channel="C0GENERAL1",
        user=body["user"]["id"],
        text=f"Saved: {purpose} ({values['mode']['mode']['selected_option']['value']})",
    )


@app.action("feedback")
async def feedback(ack: Any) -> None:
    await ack()


@app.shortcut("forget_thread")
async def forget(ack: Any, respond: Any) -> None:
    await ack()
    await respond("This thread is forgotten.")


@app.event("app_home_opened")
async def home(event: dict[str, Any], client: AsyncWebClient) -> None:
    if event["tab"] == "messages":
        prompts = [{"title": "What can you do?", "message": "What can you do?"}]
        await client.assistant_threads_setSuggestedPrompts(channel_id=event["channel"], prompts=prompts)
        return
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "You asked *3* times this month."}}
    header = {"type": "header", "text": {"type": "plain_text", "text": "Your Parley"}}
    await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [header, section]})


async def main() -> None:
    handler: Any = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    await handler.start_async()


if __name__ == "__main__":
    asyncio.run(main())
