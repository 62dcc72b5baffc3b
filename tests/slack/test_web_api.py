"""Requests to Slack's methods: what is sent, through which proxy, and what is made of odd answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from bot.core.errors import SlackUnavailable
from bot.core.settings import Settings
from handlers.slack.client import SlackClient, open_slack
from handlers.slack.web_api import read_answer
from tests.support.throwaway_server import throwaway_server


async def asked(slack_answers: web.Response, **how: Any) -> tuple[web.Request, bytes, Any]:
    """The request that a call makes, its body, and what came of it: an answer or an error."""
    seen = list[tuple[web.Request, bytes]]()

    async def answer(request: web.Request) -> web.Response:
        seen.append((request, await request.read()))
        return slack_answers

    async with throwaway_server(answer) as here:
        settings = Settings(slack_bot_token="xoxb-1", slack_api_url=f"{here}/api/")
        async with open_slack(settings) as client:
            try:
                came: Any = (await client.api_call("chat.postMessage", **how)).data
            except SlackApiError as exc:
                came = exc
    [(request, body)] = seen
    return request, body, came


async def test_a_method_is_given_json_and_the_token() -> None:
    request, body, came = await asked(web.json_response({"ok": True, "ts": "1.2"}), json={"text": "schön"})
    assert (request.method, request.path_qs) == ("POST", "/api/chat.postMessage")
    assert request.headers["Authorization"] == "Bearer xoxb-1"
    assert request.headers["Content-Type"] == "application/json;charset=utf-8"
    assert "slackclient" in request.headers["User-Agent"]
    assert body.decode() == '{"text":"schön"}'
    assert came == {"ok": True, "ts": "1.2"}


async def test_a_read_has_its_arguments_in_the_query() -> None:
    given = {"channel": "C1", "inclusive": True, "limit": 2, "cursor": None, "text": "a&b ü"}
    request, body, _ = await asked(web.json_response({"ok": True}), http_verb="GET", params=given)
    assert dict(request.query) == {"channel": "C1", "inclusive": "1", "limit": "2", "text": "a&b ü"}
    assert (request.method, body) == ("GET", b"")


@pytest.mark.parametrize(
    "how",
    [{"json": {"token": "xapp-1"}}, {"http_verb": "GET", "params": {"token": "xapp-1"}}],
)
async def test_a_request_with_a_token_of_its_own_is_made_with_that(how: dict[str, Any]) -> None:
    request, body, _ = await asked(web.json_response({"ok": True}), **how)
    assert request.headers["Authorization"] == "Bearer xapp-1"
    assert "xapp" not in request.path_qs + body.decode()


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"ok"',
        b"null",
        b"<html>ok</html>",
        b'{"ok": true',
        b'{"ok": false}',
        b'{"ok": true, "x": "\xff"}',
        b"[" * 5_000,
    ],
)
async def test_what_is_no_answer_may_have_been_taken(body: bytes, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    async with throwaway_server(answer) as here:
        settings = Settings(slack_bot_token="xoxb-1", slack_api_url=f"{here}/api/")
        async with open_slack(settings) as client:
            with pytest.raises(SlackUnavailable) as caught:
                await SlackClient(client).call("chat.postMessage", text="")
    assert caught.value.maybe_taken


def test_half_a_character_spoils_no_answer() -> None:
    assert read_answer(rb'{"ok": true, "text": "\ud83d"}') == {"ok": True, "text": "\ud83d"}


async def test_requests_go_through_the_proxy_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = list[str]()

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Proxy-Authorization", ""))
        return web.json_response({"ok": True})

    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret")
    monkeypatch.setenv("NETRC", str(netrc))  # whoever has one has it for other programs
    async with throwaway_server(answer) as here:
        settings = Settings(slack_bot_token="xoxb-1", slack_api_url=f"{here}/api/")
        monkeypatch.setenv("HTTP_PROXY", here.replace("//", "//us:er@"))
        for without in ("", "127.0.0.1"):
            monkeypatch.setenv("NO_PROXY", without)
            async with open_slack(settings) as client:
                await SlackClient(client).call("api.test")
    assert seen == ["Basic dXM6ZXI=", ""]
