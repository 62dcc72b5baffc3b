"""Requests to Slack's Web API: one client, one error table, no hidden retries.

Every request to Slack goes through `SlackClient`. What Slack answers becomes an error of
ours in one table; what might have been taken although no answer came is marked `maybe_taken`, so that
nobody posts twice. How often something may be sent: handlers/slack/pacing.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import orjson
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.core.addresses import PlainHttpRule
from bot.core.errors import SetupError, SlackError, SlackLimited, SlackRefused, SlackRevoked, SlackUnavailable
from bot.core.proxies import find_proxy
from bot.core.settings import Settings
from bot.ops.metrics import METRICS
from handlers.slack.pacing import POST, Pacing
from handlers.slack.web_api import DirectWebClient

log = logging.getLogger(__name__)

# Slack answers within a few seconds or not at all; a total deadline also ends a body that drips.
REQUEST_DEADLINE_S = 15.0
# More than turns at a time: waiting for one of these counts as connecting, which may take five seconds.
MAX_CONNECTIONS = 300

# ok:false codes that speak of Slack's own trouble, not of the request.
# Source: the error tables of the Web API methods, https://docs.slack.dev/reference/methods
TROUBLE = frozenset(
    {
        "internal_error",
        "fatal_error",
        "request_timeout",
        "service_unavailable",
        "streaming_state_conflict",  # a stream of ours that is just ending
    }
)
# Codes after which no request of this workspace can succeed until an operator acts.
MISSING_SCOPE = "missing_scope"  # the app was not given a permission that a method needs
REVOKED = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "app_uninstalled"}
)
# All that slack_sdk and aiohttp raise for a request.
RAISED = (SlackApiError, aiohttp.ClientError, OSError, TimeoutError, ValueError)
REVOKED_PAUSE_S = 30.0  # what is to be said waits for the operator
RATE_LIMITED = "ratelimited"
WINDOWS = "views."  # a person waits for these, and Slack for three seconds
REFUSALS = 4  # of one request for its rate, until whoever made it decides what to do
WORTH_WAITING_S = 60.0
RETRY_AFTER_DEFAULT_S = 5.0  # for a 429 whose Retry-After is missing or junk
RETRY_AFTER_MOST_S = 300.0


Request = Callable[[], Awaitable[dict[str, Any]]]


class SlackClient:
    """All requests to Slack of one workspace's bot."""

    def __init__(
        self,
        client: AsyncWebClient,
        pacing: Pacing | None = None,
        *,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_act`: asked before each request; another process may do our work by now."""
        self.client = client
        self.pacing = pacing or Pacing(0)
        self._may_act = may_act
        self.bot_user = ""  # our own user id
        self.team = ""  # the workspace of the token, once Slack was asked who we are
        self.organisation = ""  # that it belongs to, if any
        self.scopes: frozenset[str] = frozenset()  # what the token may do, as Slack last told
        self.revoked = ""  # the code, once Slack has said that the token is worthless

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """One request, JSON both ways, when it is its turn. SlackRefused (final) or SlackUnavailable (later,
        perhaps)."""
        if method == POST:
            async with self.pacing.posting(str(arguments.get("channel"))) as posting:
                answer = await self.send(method, **arguments)
                posting.message = str(answer.get("ts") or "")
                return answer
        return await self._in_turn(method, partial(self.send, method, **arguments))

    async def call_first(self, method: str, **arguments: Any) -> dict[str, Any]:
        """As `call`, before all others that wait: what was begun has to be ended."""
        return await self._in_turn(method, partial(self.send, method, **arguments), first=True)

    async def get(self, method: str, **arguments: Any) -> dict[str, Any]:
        """A read, with the arguments in the query, which every method of Slack's takes; as `call`."""
        read = partial(self.client.api_call, method, http_verb="GET", params=arguments)
        return await self._in_turn(method, partial(self._request, method, read), reading=True)

    async def send(self, method: str, **arguments: Any) -> dict[str, Any]:
        """One request at once, for whoever has asked `pacing` whether there is room."""
        return await self._request(method, partial(self.client.api_call, method, json=arguments))

    async def try_call(self, method: str, **arguments: Any) -> None:
        """One request whose failure is only logged."""
        try:
            await self.call(method, **arguments)
        except SlackError as exc:
            log.info("slack %s not done: %s", method, exc)

    async def _in_turn(
        self, method: str, request: Request, *, first: bool = False, reading: bool = False
    ) -> dict[str, Any]:
        """What Slack refused for its rate was not done: it is the next one as soon as Slack takes more."""
        for tried in range(REFUSALS):
            await self.pacing.take(method, first=first or tried > 0, reading=reading)
            try:
                return await request()
            except SlackLimited as exc:
                late = exc.pause_s > WORTH_WAITING_S or tried == REFUSALS - 1
                if late or method.startswith(WINDOWS):
                    raise
        raise AssertionError("unreachable")

    async def _request(
        self, method: str, request: Callable[[], Awaitable[AsyncSlackResponse]]
    ) -> dict[str, Any]:
        if not self._may_act():
            raise SlackUnavailable("off the list")
        try:
            response = await request()
        except RAISED as exc:
            error = error_from(exc)
            self._note_error(method, error)
            raise error from exc
        if granted := response.headers.get("x-oauth-scopes"):
            self.scopes = frozenset(scope.strip() for scope in granted.split(","))
        return response.data  # type: ignore[return-value]

    async def find_bot_user(self) -> str:
        """Our own user id; asked for where the start could not and no delivery has told it yet."""
        if not self.bot_user:
            await self._ask_who_we_are()
        return self.bot_user

    async def is_stranger(self, person: Mapping[str, Any]) -> bool:
        """Whether somebody (a user object) is of another company.

        Slack says so itself only of those with whom the app shares no channel; of others, their home tells.
        Source: docs.slack.dev, user object, is_stranger; Slack Connect, external members.
        """
        if not self.team:
            await self._ask_who_we_are()
        home, colleague = person.get("team_id"), person.get("enterprise_user") or {}
        at_home = not home or home in (self.team, self.organisation)
        if not at_home and self.organisation:
            at_home = colleague.get("enterprise_id") == self.organisation
        return bool(person.get("is_stranger")) or not at_home

    async def _ask_who_we_are(self) -> None:
        told = await self.call("auth.test")
        self.bot_user, self.team = str(told["user_id"]), str(told.get("team_id") or "")
        self.organisation = str(told.get("enterprise_id") or "")

    def learn_bot_user(self, user: str) -> None:
        """Our own user id, as a delivery names it."""
        self.bot_user = user

    def mark_revoked(self, code: str) -> None:
        """Slack says that the token is worthless: the bot is not ready until an operator acts."""
        self.revoked = code

    def _note_error(self, method: str, error: SlackError) -> None:
        code = error.code if isinstance(error, SlackRefused | SlackRevoked) else "unavailable"
        if isinstance(error, SlackLimited):
            code = RATE_LIMITED
            if method != POST:  # whose limit is the channel's
                self.pacing.rate(method).refuse(error.pause_s)
        METRICS.count("parley_slack_errors_total", code=code)
        if isinstance(error, SlackRevoked) and not self.revoked:
            self.revoked = code
            log.error("slack says %s to %s: the bot token has to be renewed", code, method)


def error_from(exc: BaseException) -> SlackError:
    """The one table from what slack_sdk and aiohttp raise to errors of ours."""
    if not isinstance(exc, SlackApiError):
        # A refused connection never reached Slack; anything later may have.
        return SlackUnavailable(
            type(exc).__name__, maybe_taken=not isinstance(exc, aiohttp.ClientConnectorError)
        )
    response = exc.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    if status == 429:
        return SlackLimited(retry_after_s=_retry_after_s(response.headers))
    body = getattr(response, "data", None)
    code = body.get("error") if isinstance(body, dict) else None
    if code == RATE_LIMITED:
        return SlackLimited(retry_after_s=_retry_after_s(response.headers))
    if code in REVOKED:
        return SlackRevoked(code, retry_after_s=REVOKED_PAUSE_S)
    if status >= 500 or not code or code in TROUBLE:
        return SlackUnavailable(f"{status} {code or 'without an error code'}", maybe_taken=True)
    needed = str(body.get("needed") or "") if isinstance(body, dict) else ""
    if code == MISSING_SCOPE:
        log.error("slack scope missing: %s", needed or "?")
    return SlackRefused(str(code), needed=needed)


def _retry_after_s(headers: Any) -> float:
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        seconds = RETRY_AFTER_DEFAULT_S
    return min(seconds, RETRY_AFTER_MOST_S) if seconds >= 0 else RETRY_AFTER_DEFAULT_S  # NaN is not, either


def missing_tokens(settings: Settings) -> list[str]:
    """Tokens and secrets that have to be set before anything can start, a sentence each."""
    needed = [("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-")]
    if not (settings.transport or settings.slack_app_token or settings.slack_signing_secret):
        either = "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)"
        return [*_wrong_tokens(needed), f"{either} is not set"]
    if settings.socket_mode:
        needed.append(("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-"))
    else:
        needed.append(("SLACK_SIGNING_SECRET", settings.slack_signing_secret, ""))
    return _wrong_tokens(needed)


def _wrong_tokens(needed: list[tuple[str, str, str]]) -> list[str]:
    """Of (setting, its value, how that has to begin)."""
    return [
        f"{name} is not set" if not value else f"{name} does not start with {prefix}: is it another token?"
        for name, value, prefix in needed
        if not value.startswith(prefix) or not value
    ]


def misleading_variables() -> list[str]:
    """Variables that would make Bolt another kind of app than the one that is set up."""
    return [
        f"{name} is set, which switches Bolt to OAuth; unset it"
        for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
        if os.environ.get(name)
    ]


def require_private_line(settings: Settings) -> None:
    """SetupError when what goes to Slack could be read on its way."""
    if problems := PlainHttpRule.of(settings).find_problems("SLACK_API_URL", settings.slack_api_url):
        raise SetupError(problems)


def _pin_requests(rule: PlainHttpRule) -> aiohttp.ClientMiddlewareType:
    """Ends a request that would leave unencrypted, and one that a redirect leads elsewhere."""

    async def pin(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if not await rule.permits(str(request.url)):
            raise aiohttp.ClientError(f"{request.url.host} would be spoken to without encryption")
        response = await send(request)
        if 300 <= response.status < 400:
            response.close()
            raise aiohttp.ClientError("Slack's API answered with a redirect")
        return response

    return pin


@asynccontextmanager
async def open_slack(settings: Settings) -> AsyncIterator[AsyncWebClient]:
    """A Web API client on one shared connection pool. SetupError where tokens would travel unencrypted.

    The SDK's own retries are off: its default repeats a post whose connection dropped after Slack had taken
    it.
    """
    require_private_line(settings)
    timeout = aiohttp.ClientTimeout(total=REQUEST_DEADLINE_S, connect=5)
    async with aiohttp.ClientSession(
        timeout=timeout,
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=60),
        json_serialize=lambda value: orjson.dumps(value).decode(),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=[_pin_requests(PlainHttpRule.of(settings))],
    ) as session:
        client = DirectWebClient(
            token=settings.slack_bot_token,
            base_url=settings.slack_api_url,
            session=session,
            retry_handlers=[],
            ssl=ssl.create_default_context() if settings.slack_api_url.startswith("https") else None,
            logger=logging.getLogger("slack_sdk.quiet"),
        )
        client.proxy = find_proxy(settings.slack_api_url)  # the SDK's own look passes over NO_PROXY
        yield client
        # Let TLS connections say goodbye before the loop ends.
        await asyncio.sleep(0)
