"""Answers in text, streamed or whole.

Conversations take their shape in bot/provider/prompt_formats.py, parameters in bot/provider/parameters.py;
answers are read in bot/provider/stream_readers.py and become text in bot/provider/answer_text.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from bot.core.errors import (
    BudgetExceeded,
    ContextTooLong,
    ModelMissing,
    NotOffered,
    ProviderError,
    Refused,
)
from bot.core.settings import Settings
from bot.core.values import Finish, Prompt, Scope, Usage
from bot.ops.metrics import METRICS
from bot.provider.answer_stream import AnswerState
from bot.provider.answer_text import AnswerText
from bot.provider.asking import Asking, read_askings
from bot.provider.client import ModelClient
from bot.provider.echo_cutter import EchoCutter
from bot.provider.error_table import ParameterRefused, StreamError
from bot.provider.form_cutter import FormCutter
from bot.provider.gate import ProviderRequest, RetryPolicy
from bot.provider.parameters import give_room
from bot.provider.pictures import bound_tokens, leave_out_pictures, list_pictures
from bot.provider.prompt_formats import FORM_NAMES
from bot.provider.reported_usage import header_of, read_billed, read_usage
from bot.provider.stop_sequences import StopRules
from bot.provider.stream_deadline import StreamDeadline, TookTooLong
from bot.provider.stream_readers import StreamReader
from bot.provider.streamed_answer import DRAIN_S, ReadingPace, read_events
from bot.provider.strict_roles import fit_roles
from bot.text import tokens

log = logging.getLogger(__name__)

FIRST_TEXT_S = 60.0  # a reasoning model thinks before it writes
STALL_S = 20.0
MESSAGE_TOKENS = 8  # what wraps one message, at most
DOUBTFUL = 1.1  # our counts of a prompt may be short by so much
WITHOUT_PICTURES = ("/completions",)  # endpoints that take text alone
# What is left between a prompt and its answer, and the shortest answer that is worth asking for.
SPARE_TOKENS, LEAST_ROOM_TOKENS = 16, 64


@dataclass(frozen=True, slots=True)
class _Question:
    """One question for text, however many requests it takes."""

    prompt: Prompt
    scope: Scope
    model: str
    asking: Asking
    max_tokens: int
    again: Literal["", "warmer", "roomier"] = ""  # what is different when it is asked once more
    fitted: bool = False  # its answer was limited to what the model has room for
    blind: bool = False  # it is asked without its pictures

    @property
    def holds_pictures(self) -> bool:
        return bool(list_pictures(self.prompt))


class TextRequests:
    """Asks for text, in the operator's style unless another is wanted."""

    def __init__(
        self, client: ModelClient, settings: Settings, *, first_text_s: float, stall_s: float
    ) -> None:
        self._client = client
        self._model = settings.model
        self._askings = read_askings(settings)
        self.asking = self._askings[settings.style]
        self._first_text_s, self._stall_s = first_text_s, stall_s

    def generate(
        self,
        prompt: Prompt,
        scope: Scope,
        state: AnswerState,
        *,
        model: str = "",
        style: str = "",
        max_output_tokens: int | None = None,
        patient: bool = True,
    ) -> AsyncGenerator[str, None]:
        """The answer as it arrives, without reasoning and cut at stop sequences. `state` follows it.

        `patient`: a server that restarts is waited for.
        """
        asking = self._askings[style] if style else self.asking
        limit = max_output_tokens or asking.parameters.max_tokens
        question = _Question(prompt, scope, model or self._model, asking, limit)
        return self._generate(question, state, self._client.retries(patient=patient))

    async def _generate(
        self, question: _Question, state: AnswerState, retries: RetryPolicy
    ) -> AsyncGenerator[str, None]:
        """Requests until one brings text or the policy ends; an answer without any is asked for once more."""
        question = replace(question, model=self._client.pick_model(question.model))
        count = partial(_count_usage, question, state)
        answered: ProviderRequest | None = None
        while True:
            question = self._choose_endpoint(question)
            try:
                number = retries.next_number()
                bound = _bound_usage(question)
                async with self._client.gate.request(
                    question.scope,
                    question.model,
                    bound=bound,
                    number=number,
                    ticket=retries.ticket,
                    count=count,
                    fixed=question.asking is not self.asking,  # the smaller one may not know this style
                ) as request:
                    state.request = request
                    async with aclosing(self._request_text(question, request, state)) as texts:
                        async for text in texts:
                            yield text
            except ParameterRefused as refusal:
                await self._client.traits.learn_refusal(refusal)
            except (BudgetExceeded, ProviderError) as error:
                if state.parts:
                    log.warning("answer broke off: %s", error, exc_info=error.__cause__)
                    state.finish = "late" if isinstance(error.__cause__, TookTooLong) else "broken"
                    return
                if changed := await self._adapt(question, state.model, error):
                    question = changed
                    continue
                try:
                    await retries.wait_after(error)
                except (BudgetExceeded, ProviderError):
                    if question.again != "roomier":
                        raise
                    log.info("there was no more room for an answer", exc_info=True)
                    state.request = answered  # what came of the first try is what there is
                    return
            else:
                if state.unheeded and await self._ask_elsewhere(question, state):
                    continue
                if not question.holds_pictures:
                    texts_read = _texts_read(question.prompt)
                    await self._client.traits.learn_length(request.model, texts_read, request.usage)
                if state.parts or not (another := _another_try(question, state.finish)):
                    return
                question, answered = another, request

    async def _adapt(
        self, question: _Question, model: str, error: BudgetExceeded | ProviderError
    ) -> _Question | None:
        """The question in another way that this refusal leaves open; None where there is none."""
        if isinstance(error, ModelMissing) and self._client.catalogue.note_missing(question.model):
            return replace(question, model=self._client.pick_model(question.model))
        if isinstance(error, ContextTooLong):
            return await self._limit_answer(question, model, error)
        if isinstance(error, NotOffered):
            await self._client.traits.learn_missing(model, question.asking.style.path, error)
            elsewhere = self._choose_endpoint(question)
            return None if elsewhere is question else elsewhere
        if type(error) is Refused and question.holds_pictures and not question.blind:
            return replace(question, blind=True)  # one of them, or all together, may be what it does not take
        return None

    def _choose_endpoint(self, question: _Question) -> _Question:
        """The question as it is asked now: in its own style, unless this model has no such endpoint, or heeds
        no form there. Nearly every server has chats."""
        chat, traits = self._askings["chat"], self._client.traits
        path = question.asking.style.path
        fit = not traits.lacks(question.model, path) and (
            question.prompt.form is None or traits.heeds_forms(question.model, path, FORM_NAMES.get(path, ()))
        )
        fit = fit and not (path in WITHOUT_PICTURES and self._may_see(question, question.model))
        if fit or question.asking is chat or traits.lacks(question.model, chat.style.path):
            return question
        return replace(question, asking=chat)

    def _may_see(self, question: _Question, model: str) -> bool:
        """Whether there is something to see that the model is not known to refuse."""
        if not question.holds_pictures or question.blind:
            return False
        return self._client.traits.sees(model)

    async def _ask_elsewhere(self, question: _Question, state: AnswerState) -> bool:
        """After an answer that was not of the form: whether there is another endpoint to ask for it."""
        await self._client.traits.learn_no_form(state.model, question.asking.style.path)
        if self._choose_endpoint(question) is question:
            return False
        state.begin_anew()
        return True

    async def _limit_answer(self, question: _Question, model: str, error: ContextTooLong) -> _Question | None:
        """The question with an answer as long as the model has room for; None where it has none."""
        traits, texts = self._client.traits, _texts_read(question.prompt)
        if error.prompt_tokens and not question.holds_pictures:
            await traits.learn_length(model, texts, Usage(input_tokens=error.prompt_tokens), whole=True)
        sent = error.prompt_tokens or await _count_prompt(texts, model) + bound_tokens(question.prompt)
        await traits.learn_limit(model, error, sent)
        room = traits.limit_of(model) - sent - SPARE_TOKENS
        if question.fitted or not LEAST_ROOM_TOKENS <= room < question.max_tokens:
            return None
        return replace(question, max_tokens=room, fitted=True)

    async def _request_text(
        self, question: _Question, request: ProviderRequest, state: AnswerState
    ) -> AsyncGenerator[str, None]:
        """One request for text, without what is no part of an answer."""
        asking, body = question.asking, await self._build_body(question, request.model, state)
        reader = asking.style.reader()
        state.written = reader.unread
        answer: AnswerText | None = None
        form = FormCutter(question.prompt.form) if question.prompt.form else None
        state.unheeded = False
        response = self._read_response(asking.style.path, body, request, reader, question.scope)
        async with aclosing(response) as texts:
            async for text in texts:
                if answer is None:
                    answer = self._new_answer(question, request.model, reader)  # the reasoning has come
                state.written.append(text)
                shown = answer.feed(text)
                if answer.taken_back:
                    state.take_back()
                    form = form and form.anew()
                shown = form.feed(shown) if form else shown
                if shown:
                    state.parts.append(shown)
                    yield shown
                if answer.ended or (form and form.ended):
                    break  # closes the stream at once: what runs on is paid for; usage is then our own count
        answer = answer or self._new_answer(question, request.model, reader)
        rest = answer.finish(cut=reader.finish != "stop")
        if answer.taken_back:
            state.take_back()
            form = form and form.anew()
        rest = form.feed(rest) if form else rest
        if rest:
            state.parts.append(rest)
            yield rest
        if answer.hidden_start:
            self._client.traits.note_hidden_start(request.model)
        request.usage, request.tier = read_usage(reader.usage), reader.tier
        request.billed_usd = read_billed(reader.usage) or request.billed_usd
        if form and (form.whole or form.impossible):
            state.finish = "stop" if form.whole else "cut"
            state.unheeded = form.impossible and reader.finish != "filtered"
        else:
            state.finish = _conclude(answer, reader, anything=bool(state.parts))
        request.outcome = "broken" if state.finish == "broken" else "ok"
        if form and form.ended:
            request.outcome = "stopped"  # by us, before the server could say what it used

    def _new_answer(self, question: _Question, model: str, reader: StreamReader) -> AnswerText:
        """For the text of an answer that begins now. Reasoning that comes apart is in no text; a form ends
        with its last bracket, whatever is written in it."""
        hidden_start = self._client.traits.has_hidden_start(model) and not reader.reasons_apart
        rules = StopRules() if question.prompt.form else question.asking.rules
        return AnswerText(rules, hidden_start=hidden_start)

    async def _read_response(
        self,
        path: str,
        body: dict[str, Any],
        request: ProviderRequest,
        reader: StreamReader,
        scope: Scope,
    ) -> AsyncGenerator[str, None]:
        """All that the model writes to one request, uncut."""
        echo = EchoCutter(body["prompt"] if body.get("echo") else "")
        now, begun = asyncio.get_running_loop().time(), False
        deadline = StreamDeadline(stall_s=self._first_text_s, deadline=now + self._client.deadline_s)
        pace = ReadingPace()
        try:
            tags = self._client.tags.headers(scope)
            opening = partial(self._client.transport.open, path, body, headers=tags)
            response = await request.send(path, body, deadline.wait(opening))
            request.note_headers(response.headers)
            request.billed_usd = read_billed(None, header_of(response.headers))
            try:
                async for together in read_events(response, deadline, pace):
                    text, fault = reader.read_events(together)
                    if not begun and (text or reader.unread):
                        begun = True
                        request.note_first_token(asyncio.get_running_loop().time() - now)
                    text = echo.feed(text)
                    if reader.ended:
                        deadline.expect(DRAIN_S)  # the server may keep the line
                    if text:
                        if not request.answering:
                            request.answering = True
                            pace.begin()
                            deadline.expect(DRAIN_S if reader.ended else self._stall_s)
                            METRICS.observe(
                                "parley_first_text_seconds", asyncio.get_running_loop().time() - now
                            )
                        yield text
                    if fault:
                        raise fault
            except Exception as exc:
                if reader.finish is None:
                    raise
                if not (reader.ended or isinstance(exc, EOFError)):
                    log.info("the stream broke after its answer had ended", exc_info=True)
            finally:
                await response.aclose()
            if rest := echo.finish() + reader.rest():
                yield rest
        finally:
            deadline.close()

    async def _build_body(self, question: _Question, model: str, state: AnswerState) -> dict[str, Any]:
        refused = self._client.traits.refused_by(model)
        asking, prompt = question.asking, question.prompt
        shown = asking.style.path not in WITHOUT_PICTURES and self._may_see(question, model)
        state.unseen = question.holds_pictures and not shown
        if state.unseen:
            prompt = leave_out_pictures(prompt)
        parameters = asking.parameters.build(
            refused,
            max_tokens=await self._fit_output(question, model),
            warmer=question.again == "warmer",
            exact=question.prompt.form is not None,
        )
        parameters |= self._client.identifiers.parameters(
            asking.style.path, question.scope, refused=refused, given=parameters
        )
        body = {"model": model} | asking.style.build(prompt, asking.rules.anywhere) | parameters
        return self._client.traits.drop_refused(fit_roles(body, refused))

    async def _fit_output(self, question: _Question, model: str) -> int:
        """The longest answer that the model has room for, where that is known: some refuse to try more."""
        limit, wanted = self._client.traits.limit_of(model), question.max_tokens
        if not limit or _bound_usage(question).input_tokens + wanted <= limit:
            return wanted
        sent = await _count_prompt(_texts_read(question.prompt), model) + bound_tokens(question.prompt)
        room = limit - round(sent * DOUBTFUL) - SPARE_TOKENS
        return max(min(wanted, room), min(wanted, LEAST_ROOM_TOKENS))


def _another_try(question: _Question, finish: Finish | None) -> _Question | None:
    """The question as it is asked once more when no text came: for another answer, or with more room."""
    if question.again:
        return None
    if finish in ("stop", "cut"):
        return replace(question, again="warmer")
    if finish == "thinking":
        return replace(question, again="roomier", max_tokens=give_room(question.max_tokens))
    return None


def _conclude(answer: AnswerText, reader: StreamReader, *, anything: bool) -> Finish:
    """How an answer ended, by its text and by what the server says; StreamError when that is an error."""
    finish = answer.ended or reader.finish or "broken"
    if reader.finish == "broken" and not anything:
        raise StreamError("", "the answer ended in an error")
    if finish == "length" and not anything:
        return "thinking"
    if finish in ("stop", "length") and anything and answer.unclosed:
        return "thinking"
    return finish


def _texts_read(prompt: Prompt) -> list[str]:
    """All that a model reads of a prompt."""
    form = json.dumps(prompt.form) if prompt.form else ""
    messages = (message.text for message in prompt.messages)
    texts = [prompt.system, form, prompt.summary, prompt.context, prompt.about, *messages]
    return [text for text in texts if text]


def _bound_usage(question: _Question) -> Usage:
    """The most that a request can use."""
    texts = _texts_read(question.prompt)
    return Usage(
        input_tokens=sum(map(tokens.at_most, texts))
        + len(texts) * MESSAGE_TOKENS
        + bound_tokens(question.prompt),
        output_tokens=question.max_tokens * question.asking.parameters.candidates,
    )


async def _count_prompt(texts: list[str], model: str) -> int:
    read = await tokens.counted("\n".join(texts), model)
    return read + len(texts) * tokens.MESSAGE_TOKENS


async def _count_usage(question: _Question, state: AnswerState) -> Usage:
    """Our own count of a question and of as much as came of its answer, reasoning too."""
    texts = _texts_read(question.prompt)
    read = await _count_prompt(texts, state.model)
    read += 0 if state.unseen else bound_tokens(question.prompt)
    written = await tokens.counted("".join(state.written), state.model)
    return Usage(input_tokens=read, output_tokens=written, estimated=True)
