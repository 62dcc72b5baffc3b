"""Words go only to the hosts that the operator names: told at the start, and held to by every request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.core.errors import Refused, SetupError
from bot.core.settings import Settings
from bot.provider.model_hosts import ModelHosts
from bot.provider.transport import Transport, list_models
from bot.setup_problems import find_problems
from tests.support.model_api import SCOPE, open_bench
from tests.support.throwaway_server import throwaway_server


def told(**settings: Any) -> list[str]:
    return [line for line in find_problems(Settings(openai_api_key="k", **settings)) if "HOSTS" in line]


def test_a_model_outside_of_the_named_hosts_is_told_before_the_start() -> None:
    assert told(model_hosts="eu.api.openai.com") == [
        "OPENAI_BASE_URL: api.openai.com is none of the hosts in PARLEY_MODEL_HOSTS"
    ]
    assert told(model_hosts="*.eu.example.com", openai_base_url="https://us.example.com/v1")
    assert told(model_hosts="*.eu.example.com", openai_base_url="https://a.eu.example.com/v1") == []
    assert told(model_hosts="eu.api.openai.com", openai_base_url="https://eu.api.openai.com/v1") == []


def test_plain_http_to_slack_or_a_model_is_told_before_the_start() -> None:
    assert told() == []
    assert told(slack_api_url="http://8.8.8.8/api/")[0].startswith("SLACK_API_URL: 8.8.8.8 would be")
    assert told(openai_base_url="http://8.8.8.8/v1")[0].startswith("OPENAI_BASE_URL: 8.8.8.8 would be")
    assert told(openai_base_url="http://8.8.8.8/v1", plain_http_hosts="8.8.8.8") == []


async def test_the_same_rule_holds_for_an_address_that_another_setting_names() -> None:
    hosts = ModelHosts.of(Settings(model_hosts="eu.example.com"))
    assert hosts.find_problems("PARLEY_OTHER", "https://us.example.com/v1") == [
        "PARLEY_OTHER: us.example.com is none of the hosts in PARLEY_MODEL_HOSTS"
    ]
    assert ModelHosts.of(Settings()).find_problems("PARLEY_OTHER", "http://8.8.8.8/v1")
    assert hosts.find_problems("PARLEY_OTHER", "https://eu.example.com/v1") == []


@pytest.mark.parametrize(
    "settings",
    [
        {"model_hosts": "eu.api.openai.com"},
        {"openai_base_url": "http://8.8.8.8/v1"},
        {"model_hosts": "https://x"},
    ],
)
async def test_no_line_to_a_model_is_opened_where_words_must_not_go(settings: dict[str, str]) -> None:
    given = Settings(openai_api_key="k", **settings)
    with pytest.raises(SetupError):
        Transport(given)
    with pytest.raises(SetupError):
        await list_models(given)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("kind", ["text", "vectors", "recording"])
async def test_no_redirect_leads_words_to_another_host(tmp_path: Path, status: int, kind: str) -> None:
    seen = list[str]()

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(await request.text())
        return web.json_response({"data": [], "text": "x"})

    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": f"{other}/v1/x"})

    async with throwaway_server(elsewhere) as there, throwaway_server(redirect) as here:
        other = there.replace("127.0.0.1", "localhost")
        given = {"openai_base_url": f"{here}/v1", "model_hosts": "127.0.0.1"}
        async with open_bench(tmp_path, unseen=1, **given) as bench:
            with pytest.raises(Refused, match="localhost is none of the hosts"):
                if kind == "text":
                    await bench.ask("a secret")
                elif kind == "vectors":
                    await bench.provider.embed(["a secret"], SCOPE, model="m")
                else:
                    await bench.provider.transcribe("a.wav", b"a secret", SCOPE, model="m", seconds=1.0)
            assert seen == []
            assert bench.slept == [], "nobody tries that again"


async def test_a_redirect_to_plain_http_out_of_the_house_is_not_followed(tmp_path: Path) -> None:
    async def redirect(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "http://8.8.8.8/v1/x"})

    async with (
        throwaway_server(redirect) as here,
        open_bench(tmp_path, unseen=1, openai_base_url=f"{here}/v1") as bench,
    ):
        with pytest.raises(Refused, match=r"8\.8\.8\.8 would be spoken to without encryption"):
            await bench.ask("a secret")
