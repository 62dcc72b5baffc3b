"""Two Socket Mode connections, so that none is missed while Slack refreshes the other.

The SDK's client closes its old connection before it opens the new one; Slack delivers to any connection
that is open, so the second carries everything meanwhile. The WebSocket's host is pinned before anything is
sent to it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.addresses import PlainHttpRule
from bot.core.errors import SetupError, SlackRefused, SlackRevoked
from bot.core.settings import Settings
from handlers.slack.client import RAISED, error_from
from handlers.slack.deliveries import Deliveries

log = logging.getLogger(__name__)

CONNECTIONS = 2
PING_INTERVAL_S = 10.0
ADDRESS_LIFE_S = 5.0  # an address is good for one connection, and Slack takes it for seconds only
CONNECT_S = 5.0  # what the start waits for the connections


class SlackHostClient(SocketModeClient):
    """The SDK's client, connecting to Slack's own socket hosts only."""

    _address: str | None = None
    _issued_at = 0.0

    def __init__(self, host: str, plain_http: PlainHttpRule, **given: Any) -> None:
        """`host`: the one host allowed instead of Slack's, or ""; `plain_http`: where TLS may be missing."""
        self._host = host
        self._plain_http = plain_http
        super().__init__(**given)

    @property  # type: ignore[override]
    def wss_uri(self) -> str | None:
        """The SDK's client would try an address that does not work for ever; None makes it ask anew."""
        return self._address if time.monotonic() - self._issued_at < ADDRESS_LIFE_S else None

    @wss_uri.setter
    def wss_uri(self, address: str | None) -> None:
        self._address, self._issued_at = address, time.monotonic()

    async def issue_new_wss_url(self) -> str:
        return await require_slack_socket(await super().issue_new_wss_url(), self._host, self._plain_http)


async def require_slack_socket(url: str, host: str, plain_http: PlainHttpRule) -> str:
    """The address of a socket; SetupError when it leads somewhere else than to Slack, or could be read on
    the way."""
    if not may_connect(url, host):
        raise SetupError([f"apps.connections.open named a foreign host: {urlsplit(url).hostname}"])
    if not await plain_http.permits(url):
        raise SetupError(
            [f"apps.connections.open named a socket without encryption: {urlsplit(url).hostname}"]
        )
    return url


def may_connect(url: str, host: str) -> bool:
    """wss to a host under slack.com; or, when SLACK_API_URL names another host, to exactly that one."""
    parts = urlsplit(url)
    if parts.username or parts.password or not parts.hostname:
        return False
    if host:
        return parts.hostname == host
    return parts.scheme == "wss" and parts.hostname.endswith(".slack.com") and parts.port in (None, 443)


async def first_address(web_client: AsyncWebClient, app_token: str) -> str | None:
    """Where to connect; asked for here, because the SDK's client would repeat a refused token for ever.

    None while Slack is away: the client goes on asking. SetupError when Slack refuses the token.
    """
    try:
        answer = await web_client.apps_connections_open(app_token=app_token)
    except RAISED as exc:
        error = error_from(exc)
        if isinstance(error, SlackRefused | SlackRevoked):
            raise SetupError([f"SLACK_APP_TOKEN: slack says {error.code}"]) from exc
        log.warning("no socket yet, slack does not answer: %s", error)
        return None
    return str(answer["url"])


class SocketConnections:
    """The connections, and whether any of them stands."""

    def __init__(self, clients: list[SlackHostClient]) -> None:
        self._clients = clients

    async def connected(self) -> bool:
        return any([await client.is_connected() for client in self._clients])


@asynccontextmanager
async def open_sockets(
    deliveries: Deliveries, web_client: AsyncWebClient, settings: Settings
) -> AsyncIterator[SocketConnections]:
    """Connects, has every envelope answered, and stops receiving on exit.

    SetupError when Slack refuses the token. While Slack is away, connecting goes on beside the rest.
    """
    host, app_token, plain_http = settings.slack_host, settings.slack_app_token, PlainHttpRule.of(settings)
    clients: list[SlackHostClient] = []
    connecting: list[asyncio.Task[None]] = []
    try:
        for _ in range(CONNECTIONS):
            client = SlackHostClient(
                host,
                plain_http,
                app_token=app_token,
                web_client=web_client,
                ping_interval=PING_INTERVAL_S,
                logger=logging.getLogger("slack_sdk.socket"),
            )
            client.socket_mode_request_listeners.append(deliveries.answer_socket)
            clients.append(client)
            if address := await first_address(web_client, app_token):
                client.wss_uri = await require_slack_socket(address, host, plain_http)
        connecting = [asyncio.create_task(client.connect()) for client in clients]  # type: ignore[no-untyped-call]
        await asyncio.wait(connecting, timeout=CONNECT_S)
        yield SocketConnections(clients)
    finally:
        for task in connecting:
            task.cancel()
        for client in clients:
            await client.close()  # type: ignore[no-untyped-call]
