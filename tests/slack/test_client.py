"""Where requests to Slack may go: nowhere without encryption out of the house, and nowhere they are led."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.core.addresses import PlainHttpRule
from bot.core.errors import SetupError, SlackUnavailable
from bot.core.settings import Settings
from handlers.slack.client import SlackClient, open_slack
from handlers.slack.socket import require_slack_socket
from tests.support.throwaway_server import throwaway_server


async def test_no_token_travels_without_encryption_out_of_the_house() -> None:
    given = Settings(slack_bot_token="xoxb-1", slack_api_url="http://8.8.8.8/api/")
    with pytest.raises(SetupError, match="SLACK_API_URL"):
        async with open_slack(given):
            raise AssertionError


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_of_slacks_api_is_followed(status: int) -> None:
    seen = list[str]()

    async def redirect(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with throwaway_server(redirect) as here:
        given = Settings(slack_bot_token="xoxb-1", slack_api_url=f"{here}/api/")
        async with open_slack(given) as client:
            with pytest.raises(SlackUnavailable):
                await SlackClient(client).call("chat.postMessage", text="a secret")
    assert seen == ["/api/chat.postMessage"]


async def test_a_socket_without_encryption_leads_into_private_networks_only() -> None:
    rule = PlainHttpRule.of(Settings())
    for url in ("ws://127.0.0.1:9000/link/", "wss://8.8.8.8/link/"):
        assert await require_slack_socket(url, url.split("/")[2].split(":")[0], rule) == url
    with pytest.raises(SetupError, match="without encryption"):
        await require_slack_socket("ws://8.8.8.8/link/", "8.8.8.8", rule)
