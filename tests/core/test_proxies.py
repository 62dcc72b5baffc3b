"""Which proxy the environment names for an address."""

from __future__ import annotations

import pytest

from bot.core.proxies import find_proxy

PROXY = "http://proxy.example:3128"
SLACK = "https://slack.com/api/"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, SLACK, None),
        ({"HTTPS_PROXY": PROXY}, SLACK, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, SLACK, PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, SLACK, PROXY),
        ({"HTTPS_PROXY": ""}, SLACK, None),
        ({"HTTP_PROXY": PROXY}, SLACK, None),
        ({"HTTP_PROXY": PROXY}, "http://10.0.0.7:8080/v1", PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "slack.com"}, SLACK, None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".example.org, .slack.com"}, "https://files.slack.com/x", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "lack.com"}, SLACK, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, SLACK, None),
        ({"HTTP_PROXY": PROXY, "NO_PROXY": "localhost:8080"}, "http://localhost:8080/v1", None),
        ({"HTTP_PROXY": PROXY, "NO_PROXY": "localhost:8080"}, "http://localhost:9090/v1", PROXY),
        ({"HTTP_PROXY": PROXY, "NO_PROXY": "::1"}, "http://[::1]:8080/v1", None),
    ],
)
def test_the_environment_names_the_proxy_of_a_host(
    environ: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(url) == proxy


def test_a_proxy_for_everything_counts_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert find_proxy(SLACK) is None
    assert find_proxy(SLACK, any_scheme=True) == PROXY
    monkeypatch.setenv("NO_PROXY", "slack.com")
    assert find_proxy(SLACK, any_scheme=True) is None
