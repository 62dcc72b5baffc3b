"""Settings: from the environment, else from a file, else the default; every problem in one readable line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import settings as config
from bot.core.errors import SetupError
from bot.core.settings import Settings

NAMES = [env for env, *_ in config.table()]


def problems(**environ: str) -> list[str]:
    with pytest.raises(SetupError) as raised:
        config.load(environ)
    return raised.value.problems


def test_without_anything_each_setting_has_its_default() -> None:
    assert config.load({}) == Settings()


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    file.write_text('PARLEY_MODEL = "from-the-file"\nPORT = 4000\n', "utf-8")
    settings = config.load({"PARLEY_CONFIG": str(file), "PORT": "5000"})
    assert (settings.model, settings.port, settings.style) == ("from-the-file", 5000, "chat")


def test_an_empty_variable_is_as_if_it_were_not_set() -> None:
    assert config.load({"PORT": "", "PARLEY_MODEL": ""}) == Settings()


def test_all_problems_are_told_at_once() -> None:
    found = problems(PORT="abc", PARLEY_STYLE="poem", PARLEY_TEMPERATURE="3", SLACK_API_URL="slack.com")
    assert [line.partition(":")[0] for line in found] == [
        "SLACK_API_URL",
        "PORT",
        "PARLEY_STYLE",
        "PARLEY_TEMPERATURE",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "99999"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("PARLEY_PARALLEL_TURNS", "0"),
        ("PARLEY_MAX_TOKENS", "0"),
        ("PARLEY_PRESENCE_PENALTY", "-2.5"),
        ("PARLEY_CACHE_LIFE_S", "nan"),
        ("PARLEY_CACHE_LIFE_S", "-1"),
        ("OPENAI_BASE_URL", "localhost:11434"),
        ("OPENAI_BASE_URL", "https://"),
        ("SLACK_API_URL", "https://[bad"),
        ("PARLEY_TRANSPORT", "pigeon"),
        ("PARLEY_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_is_named_by_its_setting(name: str, value: str) -> None:
    (line,) = problems(**{name: value})
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("PORT = [", "cannot read"),
        ("PROT = 1", "unknown setting PROT"),
        (None, "cannot read"),
        ("\0", "cannot"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, content: str | None, word: str
) -> None:
    file = tmp_path / "parley.toml"
    if content is not None:
        file.write_text(content, "utf-8")
    (line,) = problems(PARLEY_CONFIG=str(file))
    assert word in line
    assert "\n" not in line


@given(st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(codec="utf-8"), max_size=20)))
def test_no_value_whatever_ends_in_anything_but_settings_or_lines(environ: dict[str, str]) -> None:
    found: list[str] = []
    try:
        config.load(environ)
    except SetupError as exc:
        found = exc.problems
    assert all(line.split(":")[0] in NAMES for line in found)


def test_the_transport_follows_the_app_token_unless_told_otherwise() -> None:
    assert not config.load({}).socket_mode
    assert config.load({"SLACK_APP_TOKEN": "xapp-1"}).socket_mode
    assert not config.load({"SLACK_APP_TOKEN": "xapp-1", "PARLEY_TRANSPORT": "http"}).socket_mode
    assert config.load({"PARLEY_TRANSPORT": "socket"}).socket_mode


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://slack.com/api/", ""),
        ("https://slack.com/api", ""),
        ("http://127.0.0.1:8080/api/", "127.0.0.1"),
        ("https://slack.example.com/api/", "slack.example.com"),
    ],
)
def test_files_and_sockets_are_pinned_to_the_host_of_the_web_api(url: str, host: str) -> None:
    assert config.load({"SLACK_API_URL": url}).slack_host == host
