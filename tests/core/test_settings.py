"""Settings: from the environment, else from a file, else the default; every problem in one readable line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli.settings import example, quote
from bot.core import settings_sources as config
from bot.core.errors import SetupError
from bot.core.settings import Settings, table

NAMES = [row.env for row in table()]


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


# The file of the environment


def test_the_file_env_goes_after_the_environment_and_before_the_toml_file(tmp_path: Path) -> None:
    toml, env = tmp_path / "parley.toml", tmp_path / ".env"
    toml.write_text('PARLEY_MODEL = "toml"\nPARLEY_STYLE = "responses"\nPORT = 1\n', "utf-8")
    env.write_text("# ours\nexport PARLEY_MODEL=file\nPORT='2'\nOTHER=x\n", "utf-8")
    settings = config.load({"PARLEY_CONFIG": str(toml), "PORT": "3"}, env_file=env)
    assert (settings.model, settings.style, settings.port) == ("file", "responses", 3)
    assert config.load({}, env_file=tmp_path / "none").model == Settings().model


@pytest.mark.parametrize("line", ["PARLEY_MODEL='open", "what is this"])
def test_a_line_that_sets_nothing_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    env = tmp_path / ".env"
    env.write_text(f"PORT=1\n{line}\n", "utf-8")
    with pytest.raises(SetupError) as raised:
        config.load({}, env_file=env)
    assert raised.value.problems == [f"{env}: line 2 is not NAME=value"]


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError) as raised:
        config.load({}, env_file=env)
    assert raised.value.problems[0].startswith(f"{env}: cannot be read")
    assert config.find_unknown({}, env_file=env) == []


def test_the_example_says_the_same_to_a_shell_and_to_parley(tmp_path: Path) -> None:
    everything = [line.removeprefix("# ") for line in example().splitlines()]
    lines = [line for line in everything if line.partition("=")[0] in NAMES]
    assert len(lines) == len(NAMES)
    env = tmp_path / ".env"
    env.write_text("\n".join(lines) + "\n", "utf-8")
    show = "".join(f'printf "%s\\0" "${name}"; ' for name in NAMES)
    ran = subprocess.run(["sh", "-euc", f". {env}; {show}"], capture_output=True, check=True, env={})
    sourced = dict(zip(NAMES, ran.stdout.decode().split("\0"), strict=False))
    assert ran.stderr == b""
    assert config.load(sourced) == config.load({}, env_file=env) == Settings()


@settings(max_examples=30)  # each starts a shell
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30))
def test_a_quoted_value_is_one_word_to_a_shell(value: str) -> None:
    ran = subprocess.run(["sh", "-c", f'X={quote(value)}; printf %s "$X"'], capture_output=True, check=True)
    assert ran.stdout.decode() == value


# Names that are no settings


def test_a_name_that_is_no_setting_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("PARLEY_KEEP_MESSAGE_DAYS=7\nSOMETHING=1\n", "utf-8")
    environ = {"PARLEY_MODLE": "x", "PARLEY_COLOUR": "red", "parley_style": "chat", "HOME": "/"}
    assert config.find_unknown(environ, env_file=env) == [
        "PARLEY_COLOUR is no setting",
        "PARLEY_KEEP_MESSAGE_DAYS is no setting; is PARLEY_KEEP_MESSAGES_DAYS meant?",
        "PARLEY_MODLE is no setting; is PARLEY_MODEL meant?",
        "parley_style is no setting; is PARLEY_STYLE meant?",
    ]


def test_what_a_cluster_sets_for_a_service_called_parley_is_not_told() -> None:
    theirs = {
        "PARLEY_SERVICE_HOST": "10.0.0.1",
        "PARLEY_PORT": "tcp://10.0.0.1:3000",
        "PARLEY_PORT_3000_TCP": "x",
    }
    assert config.find_unknown(theirs) == []
    assert config.find_unknown({"PARLEY_PORT": "3000"}) != []


def test_settings_made_by_hand_do_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "4711")
    assert Settings().port == 3000


def test_secrets_are_not_in_what_settings_look_like() -> None:
    assert "xoxb-1" not in repr(Settings(slack_bot_token="xoxb-1"))
