"""Turns what the SDK and the network raise into our errors: one table, read from the top.

Outside text (which may repeat part of a key) stays in the exception that `raise … from` carries; nothing of
it enters ours. The SDK is imported where an error is read, because bot/provider/transport.py loads it late.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import aiohttp

from bot.core.errors import (
    ContentFiltered,
    ContextTooLong,
    Credentials,
    ModelMissing,
    NotOffered,
    Overloaded,
    ProviderError,
    QuotaSpent,
    RateLimited,
    Refused,
    Timeout,
    Unavailable,
    Unreachable,
)
from bot.provider.failure_text import read_message
from bot.provider.model_hosts import HostForbidden
from bot.provider.rate_headers import parse_duration, seconds_until_date
from bot.provider.refused_length import TOO_LONG, read_lengths


class ParameterRefused(Exception):
    """The model does not take one optional parameter: drop it and ask again. Never leaves bot/provider."""

    def __init__(self, model: str, parameter: str) -> None:
        super().__init__(f"{model}: {parameter}")
        self.model = model
        self.parameter = parameter


class StreamError(Exception):
    """An error that arrived inside an answer: its code, and its message for the log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotAnAnswer(Exception):
    """HTTP 200, and something that no model says: a web page."""


_FILTER = r"content_filter|content_policy|moderation|safety|responsibleai"
_NO_ENDPOINT = r"\bendpoint\b|operation_?not_?supported"  # not this model, or nobody here, has it
_NO_ROUTE = r"allowed to call this route"  # LiteLLM, of a key that may not use this endpoint
_MODEL = r"\bmodels?\b|deployment"  # no model of that name, or not at that endpoint
_THERE = r"overload|capacity|busy|too many|rate.?limit"  # it is there, and has enough to do
_SPENT = r"insufficient_quota|insufficient balance|credit balance|budget_exceeded|budget has been exceeded"
_QUOTA = rf"{_SPENT}|billing|exceeded your current quota|credit"

_MISSING = (
    r"model_not_found|deploymentnotfound|no endpoints found for"
    r"|model\b.{0,200}\b(not exist|not found|retired|deprecated)"
)

# (class, pattern in code, type or message, or "" for any, ours)
Row = tuple[type[Exception], str, type[ProviderError]]


@cache
def table() -> tuple[Row, ...]:
    """Which of our errors each outside error becomes; the first row that fits is taken."""
    import httpx2
    import openai

    return (
        (openai.RateLimitError, _QUOTA, QuotaSpent),
        (openai.RateLimitError, "", RateLimited),
        (openai.AuthenticationError, _NO_ROUTE, NotOffered),
        (openai.PermissionDeniedError, _NO_ROUTE, NotOffered),
        (openai.AuthenticationError, "", Credentials),
        (openai.PermissionDeniedError, "", Credentials),
        (openai.NotFoundError, _NO_ENDPOINT, NotOffered),
        (openai.NotFoundError, _MISSING, ModelMissing),
        (openai.NotFoundError, _MODEL, Refused),
        (openai.NotFoundError, "", NotOffered),
        (openai.ConflictError, "", Overloaded),
        (openai.UnprocessableEntityError, TOO_LONG, ContextTooLong),
        (openai.UnprocessableEntityError, "", Refused),
        (openai.InternalServerError, TOO_LONG, ContextTooLong),
        (openai.InternalServerError, r"^501\b", NotOffered),
        (openai.InternalServerError, "", Overloaded),
        (openai.APITimeoutError, "", Timeout),
        (openai.APIConnectionError, "", Unavailable),
        (openai.APIResponseValidationError, "", Overloaded),
        (openai.BadRequestError, TOO_LONG, ContextTooLong),
        (openai.BadRequestError, _SPENT, QuotaSpent),
        (openai.BadRequestError, _FILTER, ContentFiltered),
        (openai.APIStatusError, r"^402\b", QuotaSpent),
        (openai.APIStatusError, r"^405\b", NotOffered),
        (openai.APIStatusError, r"^408\b", Timeout),
        (openai.APIStatusError, r"^413\b", ContextTooLong),
        (openai.APIStatusError, "", Refused),
        (openai.ContentFilterFinishReasonError, "", ContentFiltered),
        (openai.LengthFinishReasonError, "", Refused),
        (openai.APIError, "", Overloaded),
        (openai.OpenAIError, "", Refused),  # what the client itself refuses to send
        (StreamError, _QUOTA, QuotaSpent),
        (StreamError, r"rate_limit", RateLimited),
        (StreamError, TOO_LONG, ContextTooLong),
        (StreamError, _FILTER, ContentFiltered),
        (StreamError, r"unexpected endpoint", NotOffered),  # LM Studio says so with HTTP 200
        (StreamError, "", Overloaded),
        (NotAnAnswer, "", Refused),
        (TimeoutError, "", Timeout),
        (httpx2.TimeoutException, "", Timeout),
        (httpx2.HTTPError, "", Unavailable),
        (aiohttp.ClientError, "", Unavailable),
        (OSError, "", Unavailable),
        (EOFError, "", Overloaded),  # a stream that ended without saying so
        (ValueError, "", Overloaded),  # broken JSON, bytes that are no UTF-8
        (LookupError, "", Overloaded),  # JSON of another shape
        (TypeError, "", Overloaded),
        (AttributeError, "", Overloaded),
    )


def to_provider_error(exc: Exception) -> ProviderError:
    """Our error for what was raised; one of ours stays as it is. Unavailable ones carry Retry-After."""
    if isinstance(exc, ProviderError):
        return exc
    if forbidden := next((cause for cause in _causes(exc) if isinstance(cause, HostForbidden)), None):
        return Refused(str(forbidden))  # the SDK calls it a connection that failed
    description = _describe(exc)
    fits = (
        error for kind, pattern, error in table() if isinstance(exc, kind) and re.search(pattern, description)
    )
    error = next(fits, None)
    if error is None:
        raise exc  # a fault of ours, not of the API
    if issubclass(error, Unavailable):
        return _to_unavailable(exc, error)
    detail = f"{type(exc).__name__} {_code(exc)}".rstrip()
    if error is ContextTooLong:
        limit, prompt = read_lengths(getattr(exc, "body", None), read_message(exc))
        return ContextTooLong(detail, limit_tokens=limit, prompt_tokens=prompt)
    if error is NotOffered:
        return NotOffered(detail, for_model=re.search(_MODEL, description) is not None)
    return error(detail)


def _to_unavailable(exc: Exception, error: type[Unavailable]) -> Unavailable:
    """The SDK's transport calls every connection that failed a timeout: here each is what it was."""
    if cause := next(filter(_is_unreachable, _causes(exc)), None):
        return Unreachable(type(cause).__name__, restarting=True)
    if error is Timeout and any(map(_is_broken_line, _causes(exc))):
        error = Unavailable
    return error(type(exc).__name__, retry_after_s=_retry_after_s(exc), restarting=_is_alone(exc))


def _is_alone(exc: Exception) -> bool:
    """Whether a gateway, or a server that is still loading, answers for a model that is not there."""
    alone = getattr(exc, "status_code", None) in (502, 503)
    return alone and not re.search(_THERE, read_message(exc), re.IGNORECASE)


def _code(exc: Exception) -> str:
    """The API's own code; its message is not shown: it may repeat parts of a key."""
    code = getattr(exc, "code", None)
    return code if isinstance(code, str) and code.isidentifier() and len(code) < 80 else ""


def _describe(exc: Exception) -> str:
    """Status, code, type and message in one lower-case line, for the patterns of the table."""
    import openai

    if not isinstance(exc, openai.APIError | StreamError):
        return ""
    parts = (getattr(exc, name, None) for name in ("status_code", "code", "type"))
    return " ".join([*(str(part) for part in parts if part), read_message(exc)]).lower()


_REFUSES = re.compile(
    r"unsupported|not supported|does not support|unrecognized|unknown|not permitted|unexpected", re.I
)
_QUOTED = re.compile(
    r"['\"`]([a-z_]{1,40})['\"`]|(?:argument|parameter|field)s?(?: supplied)?:? ([a-z_]{1,40})"
)


def refused_parameter(exc: Exception, sent: Collection[str]) -> str:
    """The optional parameter that a 400 or 422 says is not taken, or "" when it is about anything else.

    A value that is wrong (temperature 5) is not a parameter that is not taken: it stays an error.
    """
    import openai

    if not isinstance(exc, openai.BadRequestError | openai.UnprocessableEntityError):
        return ""
    message = read_message(exc)
    if not _REFUSES.search(f"{exc.code} {message}"):
        return ""
    named = [(exc.param or "").rsplit(".", 1)[-1], *(a or b for a, b in _QUOTED.findall(message))]
    return next((name for name in named if name in sent), "")


def _retry_after_s(exc: Exception) -> float | None:
    """Seconds from retry-after-ms, else from retry-after as seconds or a date; None for none or junk."""
    import openai

    if not isinstance(exc, openai.APIStatusError):
        return None
    headers = exc.response.headers
    if (ms := headers.get("retry-after-ms", "")).replace(".", "", 1).isdecimal():
        return float(ms) / 1000
    after = headers.get("retry-after", "")
    if (seconds := parse_duration(after)) is not None or not after:
        return seconds
    if (seconds := seconds_until_date(after)) is not None:
        return seconds
    try:
        return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def read_headers(exc: Exception) -> Mapping[str, str]:
    """Those of the response that said so; none where there was none."""
    import openai

    return exc.response.headers if isinstance(exc, openai.APIStatusError) else {}


def is_end_unknown(exc: Exception) -> bool:
    """True when a request reached the API and its end was not seen: it may have been billed."""
    import openai

    if isinstance(exc, ProviderError | openai.APIStatusError | StreamError | NotAnAnswer):
        return False
    return not any(isinstance(cause, HostForbidden) or _is_unreachable(cause) for cause in _causes(exc))


def _is_unreachable(exc: BaseException) -> bool:
    """No connection was made: refused, no such host, or nobody answers there."""
    import httpx2

    return isinstance(
        exc,
        aiohttp.ClientConnectorError
        | aiohttp.ConnectionTimeoutError
        | httpx2.ConnectError
        | ConnectionRefusedError,
    )


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, innermost last."""
    cause: BaseException | None = exc
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _is_broken_line(exc: BaseException) -> bool:
    return isinstance(exc, aiohttp.ClientError) and not isinstance(exc, TimeoutError)
