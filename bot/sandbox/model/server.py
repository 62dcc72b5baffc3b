"""Serves a fake model API over HTTP: strict like the real one, scriptable, and honest about usage.

Here one request is followed from its first byte to its last. What may be asked is in rules.py, what is
answered in ../rehearsal and text.py, how it looks in frames.py, what goes wrong in faults.py and
fault_frames.py, and everything that is not text in media.py.

    async with FakeModel() as model:            # a free port on 127.0.0.1
        model.base_url                          # "http://127.0.0.1:40123/v1"
        model.script("Hello!", match="hi")      # next answer to a prompt that contains "hi"
        model.faults.add("rate_limit", retry_after_s=2)
        model.requests[-1].body                 # what was asked, newest last

Also a process of its own, controlled over HTTP (controls.py):
`python -m bot.sandbox.model.server --port 9100 --first-token-s 0.2 --tokens-per-s 50`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from bot.sandbox.model import frames, media
from bot.sandbox.model import text as model_text
from bot.sandbox.model.controls import FaultRoutes, ScriptRoutes
from bot.sandbox.model.dialects import OPENAI, Dialect
from bot.sandbox.model.exchange import BODY_LIMIT_BYTES, TEXT, ApiRequest, Exchange
from bot.sandbox.model.fault_frames import (
    apply_before_answer,
    break_stream,
    make_empty_answer,
    refuse_for_rate,
    refuse_key,
    reset_connection,
    spoil_body,
)
from bot.sandbox.model.faults import ModelFault, ModelFaults
from bot.sandbox.model.organisation import Organisation, count_usage
from bot.sandbox.model.pace import PacedStream, find_transport, frame_chunk
from bot.sandbox.model.pictures import count_picture_tokens, take_pictures
from bot.sandbox.model.rules import CARDS, PARAMETERS, ModelCard, ModelRefusal, check_request
from bot.sandbox.model.text import AnswerPace, Match, Script
from bot.sandbox.model.usage import MinuteLimit, PromptCache, count_prompt_tokens, split_pieces
from bot.sandbox.rehearsal import answers as rehearsal
from bot.sandbox.rehearsal import obedient, recordings
from bot.sandbox.rehearsal.question import RehearsedAnswer, TextRequest, read_text_request

_ID = {"completions": "cmpl-", "chat/completions": "chatcmpl-", "responses": "resp_"}
_SECRET = ("authorization", "api-key")


class FakeModel:
    """The server. `answer`, `recognise`, `pace` and `context_tokens` may be changed while it runs."""

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        answer: Callable[[TextRequest], RehearsedAnswer] = rehearsal.answer,
        recognise: Callable[[bytes], recordings.RecognisedSpeech] = recordings.recognise_speech,
        first_token_s: float = 0.0,
        tokens_per_s: float = 0.0,
        api_key: str = "",  # "" takes any key, but there must be one
        dialect: Dialect = OPENAI,  # whose words and habits it has
        context_tokens: int = 0,  # overrides every model's context, to meet its end sooner
        requests_per_minute: int = 10_000_000,
        tokens_per_minute: int = 10_000_000_000,
        bills: str = "",  # what it says in a header, as LiteLLM does, that each answer cost; "": nothing
        keep: int = 500,  # requests remembered
        dated: bool = False,  # tells when models end, as the cards have it; else none does
    ) -> None:
        self.host, self.port = host, port
        self.answer, self.recognise = answer, recognise
        self.pace = AnswerPace(first_token_s, tokens_per_s)
        self.api_key = api_key
        self.dialect = dialect
        self.context_tokens = context_tokens
        self.bills = bills
        self.faults = ModelFaults()
        self.dated = dated
        self.ends: dict[str, str] = {}  # models whose end is another day than the card says; "" without one
        self.requests: deque[ApiRequest] = deque(maxlen=keep)
        self.counters: Counter[str] = Counter()
        self._cache = PromptCache()
        self._buckets = {
            "requests": MinuteLimit(requests_per_minute),
            "tokens": MinuteLimit(tokens_per_minute),
        }
        self._scripts: list[Script] = []
        self._numbers = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self._held: socket.socket | None = None  # the address while nobody serves there

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def start(self) -> None:
        """Serves, at the same address again where it was stopped before."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/v1/models/{model:.+}", self._model)
        app.router.add_post("/v1/{endpoint:.+}", self._post)
        FaultRoutes(self).add_to(app)
        ScriptRoutes(self).add_to(app)
        Organisation(self.requests).add_to(app)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._let_go()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """From now on connections are refused; nobody else gets the address meanwhile."""
        await self._end()
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind((self.host, self.port))

    async def _end(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def script(
        self,
        text: str | RehearsedAnswer,
        *,
        match: Match = "",
        endpoint: str = "",
        times: int = 1,
        **how: Any,
    ) -> None:
        """Answer `text` to the next `times` requests (0: all) whose prompt contains or satisfies `match`.

        `how` are fields of RehearsedAnswer: finish, chunks, first_token_s, tokens_per_s, usage and others.
        """
        given = text if isinstance(text, RehearsedAnswer) else RehearsedAnswer(text, **how)
        self._scripts.append(Script(given, match, endpoint, times))

    def reset(self) -> None:
        """Forget scripts, faults, requests, counters and the prompt cache."""
        for memory in (self._scripts, self.faults, self.requests, self.counters, self._cache):
            memory.clear()

    # One request ------------------------------------------------------------------------------------

    async def _post(self, http: web.Request) -> web.StreamResponse:
        endpoint = http.match_info["endpoint"]
        headers = {str(name): value for name, value in http.headers.items() if name.lower() not in _SECRET}
        record = ApiRequest(next(self._numbers), time.time(), endpoint, {}, headers)
        self.requests.append(record)
        self.counters["requests"] += 1
        self.counters[f"requests:{endpoint}"] += 1
        try:
            response = await self._answer(http, record)
        except ModelRefusal as refusal:
            record.status, record.outcome = refusal.status, record.outcome or "refused"
            content = orjson.dumps({"error": refusal.error})
            headers = self._headers(record, "application/json") | refusal.headers
            return web.Response(body=content, status=refusal.status, headers=headers)
        except asyncio.CancelledError:  # how aiohttp says that the client is gone
            record.outcome = record.outcome or "disconnected"
            raise
        except ConnectionError:
            record.outcome = record.outcome or "disconnected"
            return web.Response()  # goes nowhere: the line is closed
        finally:
            record.ended_at = time.time()
            self.counters[f"outcome:{record.outcome or 'answered'}"] += 1
        record.outcome = record.outcome or "answered"
        return response

    async def _answer(self, http: web.Request, record: ApiRequest) -> web.StreamResponse:
        self._authenticate(http)
        if record.endpoint not in PARAMETERS:
            raise ModelRefusal(404, f"Invalid URL (POST /v1/{record.endpoint})", code=None)
        record.body = await self._body(http, record.endpoint)
        fault = self.faults.take(record.endpoint, str(record.body.get("model", "")))
        if fault:
            record.outcome = fault.kind
            await apply_before_answer(http, fault)
        self.dialect.check_endpoint(record.endpoint)
        understood = self.dialect.understand(record.endpoint, record.body)
        known = {name: value for name, value in understood.items() if name in PARAMETERS[record.endpoint]}
        card = check_request(record.endpoint, known if self.dialect.lenient else understood)
        exchange = Exchange(http, record, card, fault)
        if record.endpoint in TEXT:
            return await self._answer_with_text(exchange)
        sent, record.usage, record.text = await media.answer_request(
            record.endpoint, record.body, card, self.recognise
        )
        record.counted = count_usage(record.endpoint, record.body, record.usage or {})
        return self._send(exchange, *sent)

    def _authenticate(self, http: web.Request) -> None:
        given = http.headers.get("Authorization", "").removeprefix("Bearer ") or http.headers.get(
            "api-key", ""
        )
        if not given:
            raise ModelRefusal(401, "You didn't provide an API key.", code=None)
        if self.api_key and given != self.api_key:
            raise refuse_key(given)

    async def _body(self, http: web.Request, endpoint: str) -> dict[str, Any]:
        if endpoint.startswith("audio/"):
            return await media.read_form(http)
        try:
            body = orjson.loads(await http.read())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise ModelRefusal(400, "We could not parse the JSON body of your request.", code=None)
        return body

    # Text -------------------------------------------------------------------------------------------

    async def _answer_with_text(self, exchange: Exchange) -> web.StreamResponse:
        record = exchange.record
        body = self.dialect.understand(record.endpoint, record.body)
        pictures = take_pictures(record.endpoint, body, exchange.card, lenient=self.dialect.lenient)
        request = read_text_request(record.endpoint, body, pictures)
        record.prompt = request.prompt
        tokens = count_prompt_tokens(record.prompt) + count_picture_tokens(pictures)
        self.dialect.check_context(record.endpoint, body, exchange.card, tokens, self.context_tokens)
        self._check_limits(tokens)
        count = model_text.count_candidates(body)
        answers = [self._make_candidate(replace(request, choice=at), exchange.fault) for at in range(count)]
        record.text, record.unsaid = answers[0].text, answers[0].unsaid
        record.usage = self._usage(exchange, tokens, answers)
        shape = self._shape(exchange)
        shown = answers[: body.get("n") or 1]
        if shown[0].body:
            return await self._play(exchange, shown[0])
        if body.get("stream"):
            return await self._stream(exchange, shape.stream(shown, record.usage), shown[0])
        first_s, gap_s = self.pace.delays_s(shown[0], exchange.fault)
        await asyncio.sleep(first_s + gap_s * len(split_pieces(record.text)))
        return self._send(exchange, shape.whole(shown, record.usage), "application/json")

    def _make_candidate(self, request: TextRequest, fault: ModelFault | None) -> RehearsedAnswer:
        given = self._take_scripted(request)
        if given and self.dialect.heeds_form(request.body) and not given.text.lstrip().startswith("{"):
            given = None  # nothing but JSON can be said
        return model_text.finish_answer(given or self.answer(request), request, fault)

    def _take_scripted(self, request: TextRequest) -> RehearsedAnswer | None:
        script = next((script for script in self._scripts if script.fits(request)), None)
        if script is None:
            return None
        script.times -= 1
        if script.times == 0:
            self._scripts.remove(script)
        return script.answer

    def _check_limits(self, tokens: int) -> None:
        for kind, amount in (("requests", 1), ("tokens", tokens)):
            wait_s = self._buckets[kind].take(amount)
            if wait_s:
                raise refuse_for_rate(wait_s, f"Rate limit reached for {kind} per min.")

    def _usage(
        self, exchange: Exchange, tokens: int, answers: list[RehearsedAnswer]
    ) -> dict[str, Any] | None:
        """What was used, counted for the counters, and as it is told to the asker."""
        record, fault = exchange.record, exchange.fault
        key = str(record.body.get("prompt_cache_key") or "")
        cached = self._cache.look_up(record.model, key, record.prompt)
        output = sum(len(split_pieces(answer.text)) for answer in answers)
        self.counters.update(input_tokens=tokens, cached_tokens=cached.read, output_tokens=output)
        written = cached.written if exchange.card.cache_writes else None
        usage = frames.make_usage(record.endpoint, tokens, cached.read, written, output)
        record.counted = count_usage(record.endpoint, record.body, usage)
        if exchange.fault_kind == "no_usage":
            return None
        return usage | (answers[0].usage or (fault.value if fault and fault.kind == "usage" else {}))

    def _shape(self, exchange: Exchange) -> frames.Shape:
        record, fault = exchange.record, exchange.fault
        name = str(fault.value) if fault and fault.kind == "other_model" else record.model
        id = f"{_ID[record.endpoint]}{record.number:012d}"
        return frames.Shape(record.endpoint, id, name, int(record.at), record.body)

    async def _stream(
        self, exchange: Exchange, stream: frames.StreamFrames, answer: RehearsedAnswer
    ) -> web.StreamResponse:
        http, record, fault = exchange.http, exchange.record, exchange.fault
        if exchange.fault_kind in ("html", "empty_choices"):
            return self._send(exchange, b"", "text/event-stream")
        response = web.StreamResponse(headers=self._headers(record, "text/event-stream"))
        response.enable_chunked_encoding()
        await response.prepare(http)
        record.status = 200
        line = find_transport(http)
        deltas, closing = break_stream(stream, fault, record.endpoint)
        opening = b"".join(stream.opening)
        if record.endpoint == "responses":  # says at once that it has begun
            line.write(frame_chunk(opening))
            opening = b""
        first_s, gap_s = self.pace.delays_s(answer, fault)
        record.first_token_at = time.time() + first_s
        playing = PacedStream(line, [opening + b"".join(deltas[:1]), *deltas[1:]], gap_s, first_s)
        try:
            await playing.play()
        finally:
            record.chunks_sent = playing.sent
        if fault and fault.kind in ("reset", "stall"):
            await asyncio.sleep((fault.delay_s or 3600) if fault.kind == "stall" else 0)
            reset_connection(http)
        elif closing:
            line.write(frame_chunk(b"".join(closing)))
        return response

    async def _play(self, exchange: Exchange, answer: RehearsedAnswer) -> web.StreamResponse:
        """A body that is sent as it was given, each piece by itself."""
        response = web.StreamResponse(headers=self._headers(exchange.record, "text/event-stream"))
        response.enable_chunked_encoding()
        await response.prepare(exchange.http)
        exchange.record.status = 200
        line = find_transport(exchange.http)
        first_s, gap_s = self.pace.delays_s(answer, exchange.fault)
        await asyncio.sleep(first_s)
        for piece in answer.body:
            line.write(frame_chunk(piece))
            await asyncio.sleep(gap_s)
            exchange.record.chunks_sent += 1
        return response

    def _send(self, exchange: Exchange, body: bytes, content_type: str) -> web.Response:
        """A whole body, spoiled when the fault says so."""
        record = exchange.record
        if exchange.fault_kind == "empty_choices":
            streamed = bool(record.body.get("stream"))
            body, content_type = make_empty_answer(record.endpoint, record.model, streamed)
        body, content_type = spoil_body(exchange.http, exchange.fault_kind, body, content_type)
        record.status = 200
        return web.Response(body=body, headers=self._headers(record, content_type))

    def _headers(self, record: ApiRequest, content_type: str) -> dict[str, str]:
        headers = {"Content-Type": content_type, "x-request-id": f"req_{record.number:012d}"}
        if self.bills:
            headers["x-litellm-response-cost"] = self.bills
        for kind, bucket in self._buckets.items():
            headers |= bucket.headers(kind)
        return headers

    # Models -----------------------------------------------------------------------------------------

    async def _models(self, http: web.Request) -> web.Response:
        self.counters["requests:models"] += 1
        return web.json_response({"object": "list", "data": [self._describe(card) for card in CARDS]})

    async def _model(self, http: web.Request) -> web.Response:
        for card in CARDS:
            if card.prefix == http.match_info["model"]:
                return web.json_response(self._describe(card))
        error = {
            "message": "The model does not exist.",
            "type": "invalid_request_error",
            "code": "model_not_found",
        }
        return web.json_response({"error": error | {"param": "model"}}, status=404)

    def _describe(self, card: ModelCard) -> dict[str, Any]:
        content = {"id": card.prefix, "object": "model", "created": 1_700_000_000, "owned_by": "rehearsal"}
        ends = self.ends.get(card.prefix, card.shutdown_date if self.dated else None)
        return content | {"shutdown_date": ends or None}


async def serve(port: int, **given: Any) -> None:
    """Run the fake model until cancelled; prints one line with its address when ready."""
    async with FakeModel(port, **given) as model:
        print(f"fake model at {model.base_url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    options = argparse.ArgumentParser(description="A fake model API on this machine.")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--first-token-s", type=float, default=0.0)
    options.add_argument("--tokens-per-s", type=float, default=0.0)
    options.add_argument("--obedient", action="store_true", help="obey every order that is read: ⟦say this⟧")
    given = options.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        pace = {"first_token_s": given.first_token_s, "tokens_per_s": given.tokens_per_s}
        answer = obedient.answer if given.obedient else rehearsal.answer
        asyncio.run(serve(given.port, answer=answer, **pace))


if __name__ == "__main__":
    main()
