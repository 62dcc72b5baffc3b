"""What the command line says when something is wrong: sentences for an operator, not for people in Slack."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import VERSION
from bot.cli.main import COMMANDS, main
from bot.core import errors, settings
from bot.core.errors import BotError, ProviderError, SetupError, SlackError
from bot.core.settings import Settings
from bot.ops.control_socket import socket_path
from bot.ops.operator_errors import explain_error
from storage.database import open_engine
from tests.support.engines import database_url

FIRST_PERSON = re.compile(r"\b(I|me|my)\b|people who run")
EVERY_ERROR = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, BotError)]


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = database_url(tmp_path / "parley.db")
    monkeypatch.setenv("PARLEY_DATABASE", url)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return url


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit status and what was said of the problem."""
    status = main(list(words))
    shown = capsys.readouterr()
    assert not shown.out
    return status, shown.err


def made(kind: type[BotError]) -> BotError:
    """An error of that kind with every argument that it asks for."""
    if kind.__init__ is BotError.__init__:
        return kind("detail")
    values = {"problems": ["PORT: 'x' is not a number"], "attempts": 3, "retry_after_s": 1.0}
    return kind(**{name: values.get(name, "detail") for name in [*inspect.signature(kind).parameters]})


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_every_error_is_a_sentence_for_an_operator(kind: type[BotError]) -> None:
    error = made(kind)
    for line in explain_error(error):
        assert line.strip() and not FIRST_PERSON.search(line), line
        assert line != error.notice


@pytest.mark.parametrize(
    "kind", [kind for kind in EVERY_ERROR if issubclass(kind, ProviderError | SlackError)]
)
def test_errors_from_outside_say_which_service_it_was(kind: type[BotError]) -> None:
    if kind is not SlackError:
        assert re.search(r"Slack|model", explain_error(made(kind))[0])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("audit", 2, "there is none yet; `parley serve` makes it"),
        ("inbox list", 2, "there is none yet; `parley serve` makes it"),
        ("inbox replay 3", 2, "there is none yet; `parley serve` makes it"),
        ("inbox discard 3", 2, "there is none yet; `parley serve` makes it"),
        ("guard train T1:C1", 2, "there is none yet; `parley serve` makes it"),
        ("retention --apply", 2, "there is none yet; `parley serve` makes it"),
        ("forget U1 --team T1", 2, "there is none yet; `parley serve` makes it"),
        ("estimate", 2, "parley: name a text, a recording"),
        ("estimate nofile", 2, "parley: nofile cannot be read: name a text"),
        ("reconcile nofile", 2, "parley: nofile cannot be read: name a usage export"),
        ("guard show here", 2, "parley: here: not of the form TEAM:CHANNEL"),
        ("transcribe nofile.wav", 1, "parley: nofile.wav: there is no such file"),
        ("serve", 2, "parley: SLACK_BOT_TOKEN is not set"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str, status: int, message: str
) -> None:
    found, said = run(capsys, *words.split())
    assert found == status
    assert message in said
    assert list(tmp_path.iterdir()) == [], "nothing is made"
    assert "Traceback" not in said
    assert not FIRST_PERSON.search(said)


def test_a_job_that_is_not_there_is_told(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    async def make() -> None:
        async with open_engine(database):
            pass

    asyncio.run(make())
    assert run(capsys, "inbox", "replay", "3") == (1, "parley: no parked job 3\n")


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "abc", "8765.0", "٨٠"])
def test_the_sandbox_refuses_what_is_no_port(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    for words in (["sandbox", f"--port={port}"], ["sandbox"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
        assert f"{port!r} is not a port, from 1 to 65535" in capsys.readouterr().err
        monkeypatch.setenv("PARLEY_SANDBOX_PORT", port)


def test_what_an_option_cannot_be_is_told_with_what_it_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["usage", "--by", "colour"])
    assert "'colour' is none of day, channel, person, model, kind" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["reconcile", "--first", "monday"])
    assert "'monday' is not a day like 2026-10-01" in capsys.readouterr().err


def test_a_database_in_use_is_told_by_its_path(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hold() -> None:
        async with open_engine(database):
            status = await asyncio.to_thread(main, ["inbox", "replay", "3"])
            assert status == 2

    asyncio.run(hold())
    assert capsys.readouterr().err == (
        f"parley: database {tmp_path}/parley.db: in use by another Parley process\n"
    )


def test_a_running_bot_that_fails_is_told(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def serve() -> None:
        socket = socket_path(Settings(database=database))
        async with await asyncio.start_unix_server(answer, str(socket)):
            assert await asyncio.to_thread(main, ["inbox", "replay", "3"]) == 1

    asyncio.run(serve())
    assert capsys.readouterr().err.startswith("parley: the running bot could not do it: 500")


def test_a_wrong_setting_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "abc")
    assert run(capsys, "usage") == (2, "parley: PORT: 'abc' is not a number\n")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "backup", str(tmp_path / "nowhere" / "copy.db"))
    assert status == 2
    assert said.startswith("parley: ")


# Every setting that can be wrong, with a value that is. What is missing here takes any text.
WRONG = {
    "SLACK_BOT_TOKEN": "xapp-1",
    "SLACK_APP_TOKEN": "xoxb-1",
    "PARLEY_FALLBACKS": "http://127.0.0.1:9/v1",
    "PARLEY_FALLBACK_KEYS": "no-pair",
    "PARLEY_LENGTH": "endless",
    "PARLEY_MODEL_PARAMETERS": "{",
    "PARLEY_STOP": "{}",
    "PARLEY_PRICES": "/nowhere/prices.toml",
    "PARLEY_POLICIES": "/nowhere/policies.toml",
    "PARLEY_TIME_ZONE": "Mars/Base",
    "PARLEY_CONTEXT": "names,shoes",
    "PARLEY_DISCLOSURE": "x" * 301,
    "PARLEY_DATABASE": "mysql://localhost/parley",
}
ANY_TEXT = {
    "SLACK_SIGNING_SECRET",
    "PARLEY_HOST",
    "PARLEY_OPS_HOST",
    "OPENAI_API_KEY",
    "PARLEY_PERSONA",
    "PARLEY_WRITING",
    "PARLEY_TOP_INSTRUCTION",
    "PARLEY_SPEECH_LANGUAGES",
    "PARLEY_SPEECH_VOCABULARY",
    "PARLEY_FREE_MODELS",
    "PARLEY_TAG_KEY",
    "PARLEY_PRIVACY_CONTACT",
    "PARLEY_EMBEDDINGS",
    "PARLEY_LINK_HOSTS",
}
RIGHT = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "OPENAI_API_KEY": "sk-1",
    "SLACK_API_URL": "http://127.0.0.1:9/api/",
}


def wrong_values() -> Iterator[tuple[str, str]]:
    for row in settings.table():
        if row.env in WRONG:
            yield row.env, WRONG[row.env]
        elif (
            row.env not in ANY_TEXT and not row.env.endswith("_MODEL") and row.env != "PARLEY_ALLOWED_MODELS"
        ):
            yield row.env, "…"


@pytest.mark.parametrize(
    ("name", "value"), [pair for pair in wrong_values() if pair[1]], ids=lambda one: one[:30]
)
def test_each_setting_that_is_wrong_is_named_by_both_start_and_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, value: str
) -> None:
    for right in RIGHT:
        monkeypatch.setenv(right, RIGHT[right])
    with socket.socket() as taken:  # a setting that is not found wrong ends the start all the same
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("PARLEY_OPS_PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv(name, value)
        assert main(["serve"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"parley: {name}: ") or said[0].startswith(f"parley: {name} "), said
    assert list(tmp_path.iterdir()) == []
    assert main(["check"]) in (1, 2)
    checked = capsys.readouterr()
    told = {line.partition(": ")[2] for line in (checked.out + checked.err).splitlines()}
    assert said[0].removeprefix("parley: ") in told
    assert "Traceback" not in checked.err


def test_what_is_missing_is_told_at_once_with_either_way_to_slack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    expected = [
        "SLACK_BOT_TOKEN is not set",
        "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) is not set",
        "OPENAI_API_KEY is not set, nor OPENAI_BASE_URL for a model server that wants no key",
    ]
    assert run(capsys, "serve") == (2, "".join(f"parley: {line}\n" for line in expected))
    main(["check"])
    assert capsys.readouterr().out.splitlines()[:3] == [f"wrong: {line}" for line in expected]


def test_a_name_that_is_no_setting_is_told_by_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_MODLE", "gpt-6-sol")
    assert "parley: PARLEY_MODLE is no setting; is PARLEY_MODEL meant?\n" in run(capsys, "audit")[1]


def test_the_settings_of_a_folder_are_read_without_a_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("PARLEY_ENV_FILE")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("PARLEY_STYLE=poem\n", "utf-8")
    assert run(capsys, "serve")[1].startswith("parley: PARLEY_STYLE: 'poem' is not one of")


def test_what_cannot_be_written_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["settings"]) == 1
    assert capsys.readouterr().err == "parley: [Errno 28] No space left on device\n"


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"parley {VERSION}\n"


@pytest.mark.parametrize(
    "words",
    [
        "inbox list",
        "usage",
        "audit",
        "retention",
        "forget U1",
        "guard show T1:C1",
        "reconcile x",
        "backup y",
        "health",
    ],
)
def test_a_command_that_reads_makes_no_database(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: str
) -> None:
    assert main(words.split()) != 0
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in capsys.readouterr().err


def test_without_a_command_every_command_is_listed_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys)
    assert status == 2
    lines = said.splitlines()
    assert max(map(len, lines)) <= 80
    for name, (_, help) in COMMANDS.items():
        assert any(line.split(None, 1) == [name, help] for line in lines), name


def test_setup_errors_tell_every_problem() -> None:
    assert explain_error(SetupError(["one", "two"])) == ["one", "two"]
