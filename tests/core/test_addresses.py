"""Where plain http may be spoken, and which hosts an operator's list means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.addresses import HostList, PlainHttpRule, read_host
from bot.core.errors import SetupError
from bot.core.settings import Settings

PRIVATE = [
    "127.0.0.1", "127.1", "127.0.0.1:11434", "2130706433", "0x7f000001", "0177.0.0.1", "10.1.2.3",
    "172.16.0.1", "172.31.255.255", "192.168.0.9", "[::1]", "[::ffff:10.0.0.1]", "[fd00::1]",
    "localhost", "LOCALHOST", "localhost.", "api.localhost", "ollama", "vllm:8000", "gpu.local",
    "gpu.internal", "gpu.lan", "gpu.home.arpa", "model.team.svc", "host.docker.internal",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "134744072", "0x08080808", "010.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1",
    "11.0.0.1", "169.254.169.254", "0.0.0.0", "[2001:4860:4860::8888]", "[::ffff:8.8.8.8]",
    "[fe80::1]", "127.0.0.1.evil.invalid", "localhost.evil.invalid", "local.evil.invalid",
    "api.openai.invalid", "localhost@evil.invalid", "10.0.0.1@8.8.8.8", "localhost%2eevil.invalid",
]  # fmt: skip
NOBODY = PlainHttpRule(HostList(()))


@pytest.mark.parametrize("host", PRIVATE)
def test_plain_http_is_spoken_on_this_machine_and_in_private_networks(host: str) -> None:
    assert NOBODY.find_problems("OPENAI_BASE_URL", f"http://{host}/v1") == []


@pytest.mark.parametrize("host", PUBLIC)
def test_plain_http_to_anywhere_else_is_told_with_the_setting_and_what_to_do(host: str) -> None:
    [problem] = NOBODY.find_problems("OPENAI_BASE_URL", f"http://{host}/v1")
    assert problem.startswith("OPENAI_BASE_URL: ")
    assert "PARLEY_PLAIN_HTTP_HOSTS" in problem


@pytest.mark.parametrize("host", PUBLIC)
def test_with_tls_every_host_will_do(host: str) -> None:
    assert NOBODY.find_problems("OPENAI_BASE_URL", f"https://{host}/v1") == []


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "134744072", "[2001:db8::1]", "[::ffff:8.8.8.8]", "169.254.169.254"]
)
async def test_a_request_goes_by_the_address_that_a_host_stands_for(host: str) -> None:
    for scheme in ("http", "ws"):
        assert not await NOBODY.permits(f"{scheme}://{host}/v1")
        assert await NOBODY.permits(f"{scheme}s://{host}/v1")


async def test_a_name_is_looked_up_before_each_request() -> None:
    assert await NOBODY.permits("http://localhost/v1")
    with pytest.raises(OSError, match=r"."):
        await NOBODY.permits("http://nobody.internal.invalid/v1")


async def test_a_setting_names_hosts_that_may_be_spoken_to_without_tls() -> None:
    rule = PlainHttpRule.of(Settings(plain_http_hosts="models.example.com, 8.8.8.8:8000"))
    for url, allowed in (
        ("http://models.example.com/v1", True),
        ("http://MODELS.example.com.:8000/v1", True),
        ("http://8.8.8.8:8000/v1", True),
        ("http://8.8.8.8/v1", False),
        ("http://a.models.example.com/v1", False),
    ):
        assert (rule.find_problems("SLACK_API_URL", url) == []) is allowed, url
    assert await rule.permits("http://models.example.com/v1")


@pytest.mark.parametrize(
    ("hosts", "url", "held"),
    [
        ("eu.api.openai.com", "https://eu.api.openai.com/v1", True),
        ("eu.api.openai.com", "https://EU.api.OpenAI.com./v1", True),
        ("eu.api.openai.com", "https://eu.api.openai.com:8443/v1", True),
        ("eu.api.openai.com", "https://api.openai.com/v1", False),
        ("eu.api.openai.com", "https://eu.api.openai.com.evil.example/v1", False),
        ("eu.api.openai.com", "https://eu.api.openai.com@evil.example/v1", False),
        ("eu.api.openai.com", "https://evil.example/eu.api.openai.com", False),
        ("eu.api.openai.com", "https://evil.example#@eu.api.openai.com/", False),
        ("*.eu.example.com", "https://a.eu.example.com/v1", True),
        ("*.eu.example.com", "https://a.b.eu.example.com/v1", True),
        ("*.eu.example.com", "https://eu.example.com/v1", False),
        ("*.eu.example.com", "https://evileu.example.com/v1", False),
        ("*.eu.example.com, us.example.com", "https://us.example.com/v1", True),
        ("host.example:8000", "http://host.example:8000/v1", True),
        ("host.example:8000", "http://host.example:8001/v1", False),
        ("host.example:443", "https://host.example/v1", True),
        ("bücher.example", "https://xn--bcher-kva.example/v1", True),
        ("127.0.0.1", "http://127.1:11434/v1", True),
        ("[::1]", "http://[0:0:0:0:0:0:0:1]:11434/v1", True),
        ("[::1]:11434", "http://[::1]:11434/v1", True),
        ("::1", "http://[::1]/v1", True),
        ("10.0.0.1", "not an address", False),
        ("10.0.0.1", "http://[::1/v1", False),
    ],
)
def test_a_list_of_hosts_means_those_hosts(hosts: str, url: str, held: bool) -> None:
    assert HostList.read("PARLEY_MODEL_HOSTS", hosts).holds(url) is held


@pytest.mark.parametrize(
    "entry",
    ["https://api.example.com", "*", "*.", "*example.com", "a.*.example", "a b", "host:port", "host:0",
     "host:99999", "a..b", "api.example.com/v1", "-a.example", "me@host"],
)  # fmt: skip
def test_what_is_no_host_is_told(entry: str) -> None:
    with pytest.raises(SetupError) as told:
        HostList.read("PARLEY_MODEL_HOSTS", f"good.example, {entry}")
    [problem] = told.value.problems
    assert problem.startswith("PARLEY_MODEL_HOSTS: ")
    assert repr(entry) in problem


def test_a_list_that_names_no_host_is_not_taken_for_none() -> None:
    assert not HostList.read("PARLEY_MODEL_HOSTS", " ")
    with pytest.raises(SetupError):
        HostList.read("PARLEY_MODEL_HOSTS", " , ")


@given(st.text(max_size=40))
def test_any_text_is_some_host_or_none(text: str) -> None:
    assert isinstance(read_host(f"http://{text}/"), str)
    assert not HostList.read("X", "good.example").holds(f"https://x{text}")
