"""The relay before a real model: nothing is changed on the way, everything is seen, and it can be broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from aiohttp import ClientSession

from bot.sandbox.model.relay import Relay
from bot.sandbox.model.server import FakeModel
from bot.sandbox.run import wait_connected
from tests.support.sandboxes import HERE, answered, forked_sandbox
from tests.support.waiting import until

CLIP = Path(__file__).parents[2] / "bot" / "sandbox" / "clips" / "release_note.m4a"


@pytest.fixture
async def upstream() -> AsyncIterator[FakeModel]:
    async with FakeModel() as model:
        yield model


@pytest.fixture
async def relay(upstream: FakeModel) -> AsyncIterator[Relay]:
    async with Relay(upstream.base_url) as running:
        yield running


@pytest.fixture
async def client(relay: Relay) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="sk-secret", base_url=relay.base_url, max_retries=0) as asking:
        yield asking


async def said(client: openai.AsyncOpenAI, question: str) -> str:
    chunks = await client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    )
    return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])


async def test_streams_pass_unchanged_and_are_kept_with_prompt_words_and_usage(
    client: openai.AsyncOpenAI, relay: Relay, upstream: FakeModel
) -> None:
    upstream.script("Grüße, **Ann**", chunks=("Gr", "üße, ", "**Ann**"))
    assert await said(client, "Say hello") == "Grüße, **Ann**"
    (seen,), (asked,) = relay.requests, upstream.requests
    assert (seen.prompt, seen.text, seen.usage) == (asked.prompt, asked.text, asked.usage)
    assert (seen.body, seen.outcome, seen.status) == (asked.body, "answered", 200)
    assert "sk-secret" not in repr(seen)


async def test_every_endpoint_is_read_also_in_one_piece(client: openai.AsyncOpenAI, relay: Relay) -> None:
    whole = await client.chat.completions.create(
        model="gpt-4.1", messages=[{"role": "user", "content": "2 + 3?"}]
    )
    assert relay.requests[-1].text == whole.choices[0].message.content
    item = await client.responses.create(model="gpt-4.1", input="2 + 3?")
    assert relay.requests[-1].text == item.output_text
    assert relay.requests[-1].usage
    async for _ in await client.responses.create(model="gpt-4.1", input="2 + 3?", stream=True):
        pass
    assert relay.requests[-1].text == item.output_text
    plain = await client.completions.create(model="rehearsal", prompt="Human: 2 + 3?\nAI:", stop=[" Human:"])
    assert relay.requests[-1].text == plain.choices[0].text
    transcript = await client.audio.transcriptions.create(model="gpt-transcribe", file=CLIP)
    assert relay.requests[-1].text == transcript.text
    assert relay.requests[-1].body["model"] == "gpt-transcribe"
    assert [model.id async for model in client.models.list()][:1] == ["rehearsal"]
    assert len(relay.requests) == 5, "a list of models is no request to one"


async def test_refusals_pass_as_they_are(
    client: openai.AsyncOpenAI, relay: Relay, upstream: FakeModel
) -> None:
    upstream.faults.add("rate_limit", retry_after_s=7)
    with pytest.raises(openai.RateLimitError) as refused:
        await said(client, "hello")
    assert refused.value.response.headers["retry-after"] == "7"
    assert relay.requests[-1].outcome == "refused"


async def test_who_leaves_ends_the_request_at_the_model_too(
    client: openai.AsyncOpenAI, relay: Relay, upstream: FakeModel
) -> None:
    upstream.pace.tokens_per_s = 20
    asking = asyncio.create_task(said(client, "Write 900 words about tea"))
    await until(lambda: relay.requests and relay.requests[-1].chunks_sent > 2)
    asking.cancel()
    await until(lambda: upstream.requests[-1].outcome == "disconnected")
    await until(lambda: relay.requests[-1].outcome == "disconnected")


async def test_a_real_model_can_be_broken_too(client: openai.AsyncOpenAI, relay: Relay) -> None:
    relay.faults.add("server_error")
    with pytest.raises(openai.InternalServerError):
        await said(client, "hello")
    relay.faults.add("reset", after_chunks=2)
    with pytest.raises((openai.APIError, ConnectionError, OSError)):
        await said(client, "Write 100 words about tea")
    assert relay.requests[-1].chunks_sent == 2
    relay.faults.add("eof", after_chunks=2)
    assert 0 < len(await said(client, "Write 100 words about tea")) < 40
    with pytest.raises(ValueError, match="only the rehearsal model"):
        relay.faults.add("content_filter")


async def test_a_model_that_is_not_there_is_said_so(relay: Relay, client: openai.AsyncOpenAI) -> None:
    relay.upstream = "http://127.0.0.1:1/v1"
    with pytest.raises(openai.InternalServerError):
        await said(client, "hello")
    assert relay.requests[-1].outcome == "unreachable"


async def test_the_sandbox_shows_what_is_asked_of_a_model_of_ones_own(upstream: FakeModel) -> None:
    own = HERE | {"OPENAI_BASE_URL": upstream.base_url, "PARLEY_MODEL": "gpt-4.1"}
    async with forked_sandbox(own) as running, ClientSession() as page:
        assert await wait_connected(running), "\n".join(running.bot.log)
        ts = await running.slack.say("alice", "#general", "@parley what is 6 * 7?")
        assert "42" in (await answered(running, ts))["text"]
        async with page.get(f"{running.page.url}/sandbox/about") as answer:
            about = (await answer.json())["model"]
        assert (about["kind"], about["name"], about["seen"]) == ("local", "gpt-4.1", True)
        async with page.get(f"{running.page.url}/sandbox/model_requests") as answer:
            asked = (await answer.json())["requests"]
        (request,) = [one for one in asked if "what is 6 * 7?" in one["prompt"]]
        assert request["cost_usd"] > 0
        assert len(running.model.requests) == 0, "the rehearsal model was not asked"
