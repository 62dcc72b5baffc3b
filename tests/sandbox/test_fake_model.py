"""The fake model API is strict, honest about usage, and breaks exactly as it is told to.

Asked through the real SDK wherever the SDK can ask it; raw HTTP only for what the SDK would hide.
"""

from __future__ import annotations

import asyncio
import base64
import io
import math
import typing
import wave
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from openai.types import completion_create_params, embedding_create_params, image_generate_params
from openai.types.audio import transcription_create_params, translation_create_params
from openai.types.chat import completion_create_params as chat_params
from openai.types.decision_create_params import DecisionCreateParams
from openai.types.moderation_create_params import ModerationCreateParams
from openai.types.responses import response_create_params

from bot.sandbox.model.faults import KINDS, ModelFaults
from bot.sandbox.model.rules import PARAMETERS
from bot.sandbox.model.server import FakeModel
from bot.sandbox.model.usage import PromptCache, split_pieces
from bot.sandbox.rehearsal import recordings
from bot.sandbox.rehearsal.question import RehearsedAnswer
from bot.sandbox.rehearsal.words import vector

HI: list[Any] = [{"role": "user", "content": "hi"}]


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    async with FakeModel() as running:
        yield running


@pytest.fixture
async def client(model: FakeModel) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=model.base_url, api_key="sk-test", max_retries=0, timeout=5) as asking:
        yield asking


async def chat(client: AsyncOpenAI, name: str = "gpt-6-luna", **more: Any) -> Any:
    return await client.chat.completions.create(model=name, messages=HI, **more)


async def streamed(client: AsyncOpenAI, **more: Any) -> tuple[str, str | None, Any]:
    """Text, finish reason and usage of a streamed chat answer."""
    text, finish, usage = "", None, None
    async for event in await chat(client, stream=True, stream_options={"include_usage": True}, **more):
        usage = event.usage or usage
        for choice in event.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return text, finish, usage


# What may be asked -----------------------------------------------------------------------------------


SDK_TYPES: dict[str, tuple[Any, ...]] = {
    "completions": (completion_create_params.CompletionCreateParamsStreaming,),
    "chat/completions": (chat_params.CompletionCreateParamsStreaming,),
    "responses": (response_create_params.ResponseCreateParamsStreaming,),
    "embeddings": (embedding_create_params.EmbeddingCreateParams,),
    "audio/transcriptions": (transcription_create_params.TranscriptionCreateParamsStreaming,),
    "audio/translations": (translation_create_params.TranslationCreateParams,),
    "images/generations": (image_generate_params.ImageGenerateParamsStreaming,),
    "decisions": (DecisionCreateParams,),
    "moderations": (ModerationCreateParams,),
}


@pytest.mark.parametrize("endpoint", PARAMETERS)
def test_it_takes_exactly_the_parameters_the_sdk_knows(endpoint: str) -> None:
    known = {name for kind in SDK_TYPES[endpoint] for name in typing.get_type_hints(kind)}
    assert PARAMETERS[endpoint] == known


async def test_unknown_parameters_are_refused_by_name(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await chat(client, extra_body={"colour": "blue"})
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", "colour")


@pytest.mark.parametrize(
    "given", [{"stop": ["\n"]}, {"presence_penalty": 0.6}, {"logit_bias": {"1": 1}}, {"max_tokens": 9}]
)
async def test_reasoning_models_refuse_the_sampling_parameters(
    client: AsyncOpenAI, given: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await chat(client, **given)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", next(iter(given)))
    assert (await chat(client, "gpt-4.1-mini", **given)).choices


async def test_reasoning_models_take_only_temperature_one_unless_they_do_not_reason(
    client: AsyncOpenAI,
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await chat(client, temperature=0.9)
    assert (refused.value.code, refused.value.param) == ("unsupported_value", "temperature")
    assert await chat(client, temperature=1)
    assert await chat(client, temperature=0.9, reasoning_effort="none")


@pytest.mark.parametrize("given", [{"stop": ["x"]}, {"presence_penalty": 1}, {"seed": 1}, {"max_tokens": 50}])
async def test_responses_know_no_stop_no_penalties_no_seed(
    client: AsyncOpenAI, given: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="gpt-4.1", input="hi", extra_body=given)
    assert (refused.value.code, refused.value.param) == ("unknown_parameter", next(iter(given)))


async def test_more_than_four_stops_and_values_out_of_range_are_refused(client: AsyncOpenAI) -> None:
    for wrong, code in (
        ({"stop": list("abcde")}, "array_above_max_length"),
        ({"temperature": 2.1}, "number_out_of_range"),
        ({"n": 0}, "number_out_of_range"),
        ({"safety_identifier": "x" * 65}, "string_above_max_length"),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            await chat(client, "gpt-4o", **wrong)
        assert refused.value.code == code


async def test_models_are_known_by_name_and_only_where_they_live(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        await chat(client, "clever-9")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        await client.completions.create(model="gpt-6-luna", prompt="hi")
    assert {m.shutdown_date async for m in client.models.list()} == {None}


async def test_models_say_when_they_end_where_that_is_wanted() -> None:
    async with FakeModel(dated=True) as model:
        client = AsyncOpenAI(base_url=model.base_url, api_key="sk-1")
        listed = {m.id: m.shutdown_date async for m in client.models.list()}
        await client.close()
    assert listed["whisper-1"] == "2027-02-26" and listed["gpt-6-luna"] is None


async def test_a_request_without_key_is_refused_and_a_wrong_key_is_echoed_in_part() -> None:
    async with FakeModel(api_key="sk-right") as model, aiohttp.ClientSession() as web:
        async with web.post(f"{model.base_url}/chat/completions", json={}) as answer:
            assert answer.status == 401
        headers = {"Authorization": "Bearer sk-wrong-key-1234"}
        async with web.post(f"{model.base_url}/chat/completions", json={}, headers=headers) as answer:
            assert (await answer.json())["error"]["message"].count("1234") == 1
        assert "Authorization" not in model.requests[-1].headers


async def test_a_prompt_beyond_the_context_is_refused_with_its_own_code(
    client: AsyncOpenAI, model: FakeModel
) -> None:
    model.context_tokens = 100
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "word " * 100}]
        )
    assert refused.value.code == "context_length_exceeded"


# What is answered ------------------------------------------------------------------------------------


async def test_a_streamed_answer_is_the_whole_one_and_usage_comes_last_without_choices(
    client: AsyncOpenAI, model: FakeModel
) -> None:
    model.script("It is *done*, Ærlig talt: 🌊 ok.", times=0)
    whole = await chat(client)
    text, finish, usage = await streamed(client)
    assert text == whole.choices[0].message.content == "It is *done*, Ærlig talt: 🌊 ok."
    assert finish == "stop"
    assert usage.completion_tokens == whole.usage.completion_tokens == len(split_pieces(text))
    events = [event async for event in await chat(client, stream=True)]
    assert all(event.usage is None and event.choices for event in events)


async def test_responses_stream_ends_with_the_completed_response(
    client: AsyncOpenAI, model: FakeModel
) -> None:
    model.script("Good morning to you.")
    events = [e async for e in await client.responses.create(model="gpt-6-luna", input="hi", stream=True)]
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    assert (
        "".join(e.delta for e in events if e.type == "response.output_text.delta") == "Good morning to you."
    )
    last = events[-1]
    assert last.type == "response.completed" and last.response.output_text == "Good morning to you."
    assert last.response.usage and last.response.usage.output_tokens == len(
        split_pieces("Good morning to you.")
    )
    assert [e.sequence_number for e in events] == list(range(len(events)))


async def test_a_base_model_runs_on_past_the_stops_unless_they_are_sent(client: AsyncOpenAI) -> None:
    asked: dict[str, Any] = {
        "model": "rehearsal",
        "prompt": "Human: My name is Ada.\n AI:",
        "max_tokens": 500,
    }
    ran_on = (await client.completions.create(**asked)).choices[0]
    stopped = (await client.completions.create(**asked, stop=[" Human:"])).choices[0]
    assert " Human:" in ran_on.text and ran_on.text.startswith(stopped.text)
    assert " Human:" not in stopped.text and stopped.finish_reason == "stop"


async def test_completions_end_at_sixteen_tokens_unless_told(client: AsyncOpenAI) -> None:
    answer = await client.completions.create(model="rehearsal", prompt="Human: tell me everything\nAI:")
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 16


async def test_candidates_beyond_n_are_billed_and_not_shown(client: AsyncOpenAI, model: FakeModel) -> None:
    model.script("one two three", times=0)
    asked: dict[str, Any] = {"model": "davinci-002", "prompt": "count", "echo": True, "logprobs": 2}
    answer = await client.completions.create(**asked, n=2, best_of=3)
    assert [c.text for c in answer.choices] == ["countone two three"] * 2
    assert answer.usage and answer.usage.completion_tokens == 3 * len(split_pieces("countone two three"))
    assert answer.choices[0].logprobs and answer.choices[0].logprobs.tokens == split_pieces(
        "countone two three"
    )


async def test_scripts_match_run_out_and_chunk_as_told(client: AsyncOpenAI, model: FakeModel) -> None:
    model.script("for cats", match="cat", times=1)
    model.script(RehearsedAnswer("abcdef", chunks=("ab", "cdef")), times=1)
    parts = [e.choices[0].delta.content async for e in await chat(client, stream=True)]
    assert parts == ["", "ab", "cdef", None]
    assert "for cats" not in (await chat(client)).choices[0].message.content


async def test_tokens_come_at_the_pace_that_was_set(client: AsyncOpenAI, model: FakeModel) -> None:
    model.pace.first_token_s, model.pace.tokens_per_s = 0.1, 100
    model.script(" one" * 30)
    clock = asyncio.get_running_loop().time
    start, times = clock(), []
    async for _ in await chat(client, stream=True):
        times.append(clock() - start)
    assert times[0] >= 0.1
    assert times[-1] >= 0.35  # after 29 gaps of 10 ms, late or not


async def test_an_asker_who_leaves_is_noticed(client: AsyncOpenAI, model: FakeModel) -> None:
    model.pace.tokens_per_s = 20
    model.script("word " * 200)
    stream = await chat(client, stream=True)
    async for _ in stream:
        break
    await stream.close()
    for _ in range(100):
        if model.requests[-1].ended_at:
            break
        await asyncio.sleep(0.02)
    assert model.requests[-1].outcome == "disconnected"
    assert model.counters["outcome:disconnected"] == 1
    assert 0 < model.requests[-1].chunks_sent < 100


# Usage -----------------------------------------------------------------------------------------------


async def test_cached_tokens_are_the_prefix_that_was_really_sent_before(client: AsyncOpenAI) -> None:
    start: list[Any] = [{"role": "system", "content": "The rules of the house. " * 400}]

    async def cached(messages: list[Any], key: str) -> int:
        asked = await client.chat.completions.create(
            model="gpt-6-luna", messages=messages, prompt_cache_key=key
        )
        assert asked.usage and asked.usage.prompt_tokens_details
        return asked.usage.prompt_tokens_details.cached_tokens or 0

    assert await cached(start + HI, "a") == 0
    again = await cached([*start, *HI, {"role": "assistant", "content": "yes"}, *HI], "a")
    assert again % 128 == 0 and 2200 < again <= 2500
    assert await cached(start + HI, "b") == 0
    assert await cached([{"role": "system", "content": "Other rules. " * 800}, *HI], "a") == 0


@given(st.text(min_size=1, max_size=20), st.integers(2048, 9000))
def test_the_cache_claims_the_common_prefix_in_steps_and_never_more(words: str, cut: int) -> None:
    text = (words.replace("\0", "") + ".") * 9000
    cache = PromptCache()
    cache.look_up("m", "", text)
    read = cache.look_up("m", "", text[:cut] + "\0" + text[cut:]).read
    common = math.ceil(len(text[:cut].encode()) / 4)
    assert read == (common - common % 128 if common >= 1024 else 0)


def test_the_cache_forgets_after_half_an_hour() -> None:
    now = [0.0]
    cache = PromptCache(clock=lambda: now[0])
    cache.look_up("m", "", "word " * 2000)
    now[0] = 1700
    assert cache.look_up("m", "", "word " * 2000).read > 0
    now[0] = 3600
    assert cache.look_up("m", "", "word " * 2000).read == 0


async def test_every_answer_carries_the_rate_limit_and_a_spent_one_is_refused() -> None:
    async with FakeModel(requests_per_minute=2) as model:
        client = AsyncOpenAI(base_url=model.base_url, api_key="k", max_retries=0)
        first = await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=HI)
        assert first.headers["x-ratelimit-limit-requests"] == "2"
        assert first.headers["x-ratelimit-remaining-requests"] == "1"
        await chat(client)
        with pytest.raises(openai.RateLimitError) as refused:
            await chat(client)
        assert 20 <= int(refused.value.response.headers["retry-after"]) <= 30
        await client.close()


# Faults ----------------------------------------------------------------------------------------------

STATUS = {
    "rate_limit": openai.RateLimitError,
    "quota": openai.RateLimitError,
    "credentials": openai.AuthenticationError,
    "server_error": openai.InternalServerError,
    "overloaded": openai.InternalServerError,
    "context_length": openai.BadRequestError,
    "content_policy": openai.BadRequestError,
    "unsupported": openai.BadRequestError,
    "drop": openai.APIConnectionError,
}


@pytest.mark.parametrize("kind", STATUS)
async def test_faults_instead_of_an_answer(client: AsyncOpenAI, model: FakeModel, kind: str) -> None:
    model.faults.add(kind, value="stop", retry_after_s=1.5)
    with pytest.raises(STATUS[kind]):
        await chat(client)
    assert model.requests[-1].outcome == kind
    assert (await chat(client)).choices  # the fault was for one request


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("reset", openai.APIConnectionError),
        ("error_event", openai.APIError),
        ("bad_json", ValueError),
        ("bad_utf8", UnicodeDecodeError),
    ],
)
async def test_faults_in_mid_answer_come_after_the_first_words(
    client: AsyncOpenAI, model: FakeModel, kind: str, raised: type[Exception]
) -> None:
    model.script("one two three four five six")
    model.faults.add(kind, after_chunks=2)
    model.pace.tokens_per_s = 200
    got = []
    with pytest.raises(raised):
        async for event in await chat(client, stream=True):
            got += [choice.delta.content for choice in event.choices]
    assert got == ["", "one", " two"]


async def test_a_stream_that_just_ends_has_no_finish_reason(client: AsyncOpenAI, model: FakeModel) -> None:
    model.faults.add("eof")
    _, finish, usage = await streamed(client)
    assert (finish, usage) == (None, None)


async def test_a_stall_keeps_the_line_open(client: AsyncOpenAI, model: FakeModel) -> None:
    model.faults.add("stall", after_chunks=1)
    stream = await chat(client, stream=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            async for _ in stream:
                pass
    await stream.close()


async def test_answers_that_are_cut_or_empty_say_so_as_the_real_api_does(
    client: AsyncOpenAI, model: FakeModel
) -> None:
    for kind in ("length", "content_filter"):
        model.faults.add(kind)
        assert (await streamed(client))[1] == kind
    model.faults.add("empty")
    assert (await streamed(client))[:2] == ("", "stop")
    model.faults.add("empty_choices")
    assert (await chat(client)).choices == []
    model.faults.add("no_usage")
    assert (await streamed(client))[2] is None
    model.faults.add("usage", value={"completion_tokens": 10**12})
    assert (await streamed(client))[2].completion_tokens == 10**12
    model.faults.add("other_model", value="gpt-other")
    assert (await chat(client)).model == "gpt-other"
    model.faults.add("html")
    assert isinstance(await chat(client), str)


def test_faults_wait_repeat_and_end() -> None:
    now = [0.0]
    faults = ModelFaults(clock=lambda: now[0])
    faults.add("server_error", after=1, times=2)
    assert [bool(faults.take("responses")) for _ in range(4)] == [False, True, True, False]
    faults.add("rate_limit", for_s=60, endpoint="responses")
    assert not faults.take("embeddings")
    assert [bool(faults.take("responses")) for _ in range(3)] == [True] * 3
    now[0] = 61
    assert not faults.take("responses")
    with pytest.raises(ValueError, match="unknown fault"):
        faults.add("gremlins")


async def test_faults_scripts_and_records_are_reachable_over_http(
    client: AsyncOpenAI, model: FakeModel
) -> None:
    place = model.base_url.replace("/v1", "/sandbox/api/model")
    async with aiohttp.ClientSession() as web:
        async with web.post(f"{place}/faults", json={"kind": "server_error"}) as answer:
            listed = await answer.json()
            assert listed["faults"][0]["kind"] == "server_error" and set(listed["kinds"]) == set(KINDS)
        async with web.post(f"{place}/faults", json={"kind": "nonsense"}) as answer:
            assert answer.status == 400
        with pytest.raises(openai.InternalServerError):
            await chat(client)
        await web.post(f"{place}/script", json={"text": "from afar", "chunks": ["from ", "afar"]})
        assert (await streamed(client))[0] == "from afar"
        async with web.get(f"{place}/requests?after=1") as answer:
            (request,) = (await answer.json())["requests"]
            assert request["text"] == "from afar" and "hi" in request["prompt"]
        await web.post(f"{place}/reset")
        assert not model.requests


# Vectors, verdicts, sound, pictures --------------------------------------------------------------------


def cosine(one: list[float], two: list[float]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True))


async def test_similar_texts_have_near_vectors_in_either_encoding(client: AsyncOpenAI) -> None:
    texts = ["How do I export an invoice?", "export of invoices, how?", "the cat sleeps on the sofa"]
    packed = await client.embeddings.create(model="text-embedding-3-small", input=texts)
    plain = await client.embeddings.create(
        model="text-embedding-3-small", input=texts, encoding_format="float", dimensions=1536
    )
    one, two, three = (row.embedding for row in packed.data)
    assert len(one) == 1536 and cosine(one, one) == pytest.approx(1, abs=1e-3)
    assert cosine(one, two) > 0.5 > 0.2 > cosine(one, three)
    assert plain.data[1].embedding == pytest.approx(two, abs=1e-6)
    assert packed.usage.prompt_tokens == sum(-(-len(text) // 4) for text in texts)


@given(st.text(max_size=200))
def test_every_text_has_a_unit_vector(text: str) -> None:
    assert sum(value * value for value in vector(text, 64)) == pytest.approx(1)


async def test_decisions_tell_related_from_unrelated(client: AsyncOpenAI) -> None:
    about: Any = [{"type": "predicate", "name": "on", "instructions": "It is about invoices and payments."}]
    probabilities = []
    for text in ("Where do I pay my invoice?", "Tell me a joke about ducks"):
        decision = await client.decisions.create(model="gpt-6-luna", input=text, questions=about)
        answer = decision.answers[0]
        assert answer.type == "predicate" and answer.name == "on"
        probabilities.append(answer.probability)
    assert probabilities[0] > 0.8 and probabilities[1] < 0.2


async def test_decisions_answer_choices_and_scores_in_order(client: AsyncOpenAI) -> None:
    questions: Any = [
        {
            "type": "choice",
            "instructions": "team",
            "choices": [{"value": "billing invoice"}, {"value": "sports"}],
        },
        {"type": "score", "instructions": "urgency", "levels": [{"label": "low"}, {"label": "high"}]},
    ]
    decision = await client.decisions.create(
        model="gpt-6-luna", input="my invoice is wrong", questions=questions
    )
    first, second = decision.answers
    assert first.type == "choice" and first.choice == "billing invoice"
    assert second.type == "score" and 0 <= second.score <= 1


async def test_bundled_clips_are_heard_truthfully_in_every_format(client: AsyncOpenAI) -> None:
    for clip in recordings.load_clips():
        file = (clip["file"], (recordings.CLIPS / clip["file"]).read_bytes(), clip["mime"])
        transcript = await client.audio.transcriptions.create(model="gpt-transcribe", file=file)
        assert (
            transcript.text == clip["text"]
            and transcript.languages
            and transcript.languages[0].code == clip["language"]
        )
        assert transcript.usage and transcript.usage.type == "duration"
        assert transcript.usage.seconds == math.ceil(clip["duration_ms"] / 1000)
        with pytest.warns(
            DeprecationWarning, match="deprecated"
        ):  # the whole endpoint shuts down on 2027-02-26
            english = await client.audio.translations.create(model="whisper-1", file=file)
        assert english.text == clip["english"]
        rows: Any = await client.audio.transcriptions.create(
            model="whisper-1", file=file, response_format="srt"
        )
        assert rows.startswith("1\n00:00:00,000 --> ")


async def test_a_clip_is_known_again_after_it_was_reencoded() -> None:
    import av

    clip = recordings.load_clips()[1]
    written = io.BytesIO()
    with (
        av.open(str(recordings.CLIPS / clip["file"]), "r") as source,
        av.open(written, "w", format="mp3") as target,
    ):
        stream = target.add_stream("mp3", rate=16_000)
        assert isinstance(stream, av.AudioStream)
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=16_000)
        for frame in source.decode(audio=0):
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    assert recordings.recognise_speech(written.getvalue()).text == clip["text"]


def tone(seconds: float, loud: int = 8000) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        count = int(seconds * 16_000)
        wobble = (int(loud * math.sin(i / 9) * math.sin(i / 4000)) for i in range(count))
        file.writeframes(b"".join(value.to_bytes(2, "little", signed=True) for value in wobble))
    return written.getvalue()


async def test_it_says_openly_what_it_cannot_hear_and_hears_silence_as_nothing(client: AsyncOpenAI) -> None:
    for recording, expected in ((tone(2.5), "cannot hear"), (tone(2.5, loud=0), "")):
        file = ("clip.wav", recording)
        transcript = await client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file)
        assert expected in transcript.text and (expected or transcript.text == "")
        assert transcript.usage and transcript.usage.type == "tokens"
        assert (
            transcript.usage.input_token_details and transcript.usage.input_token_details.audio_tokens == 25
        )


async def test_recordings_it_would_not_take_are_refused(client: AsyncOpenAI, model: FakeModel) -> None:
    model.recognise = lambda recording: recordings.RecognisedSpeech("long", "en", "long", 1500)

    async def refused(data: bytes, name: str = "gpt-4o-transcribe", **more: Any) -> int:
        with pytest.raises(openai.APIStatusError) as error:
            await client.audio.transcriptions.create(model=name, file=("a.wav", data), **more)
        return error.value.status_code

    assert await refused(tone(1)) == 400  # longer than this model takes
    assert await refused(tone(1), "gpt-4o-transcribe", response_format="srt") == 400
    assert await refused(b"<!DOCTYPE html>login") == 400
    assert await refused(b"RIFF" + bytes(25 * 1024 * 1024)) == 413
    model.recognise = recordings.recognise_speech
    assert await refused(tone(0.05)) == 400


async def test_pictures_are_png_of_the_size_asked_for(client: AsyncOpenAI) -> None:
    drawn = await client.images.generate(
        model="gpt-image-2.5-flare", prompt="a lake", size="512x256", quality="low"
    )
    assert drawn.data and drawn.usage
    png = base64.b64decode(drawn.data[0].b64_json or "")
    assert png.startswith(b"\x89PNG") and png[16:24] == (512).to_bytes(4, "big") + (256).to_bytes(4, "big")
    assert drawn.usage.output_tokens == 272 * 512 * 256 // 1024**2
    with pytest.raises(openai.BadRequestError):
        await client.images.generate(model="gpt-image-2", prompt="x", size="100x1024")
    with pytest.raises(openai.BadRequestError):
        await client.images.generate(model="gpt-image-2", prompt="x", response_format="url")


async def test_moderation_flags_what_is_meant_to_be_flagged(client: AsyncOpenAI) -> None:
    result = (await client.moderations.create(input=["good morning", "I will kill you"])).results
    assert [row.flagged for row in result] == [False, True]
