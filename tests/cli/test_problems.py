"""What the command line says when something is wrong: sentences for an operator, not for people in Slack."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path

import pytest

from bot.cli.main import COMMANDS, main
from bot.core import errors
from bot.core.errors import BotError, ProviderError, SetupError, SlackError
from bot.core.settings import Settings
from bot.ops.control_socket import socket_path
from bot.ops.operator_errors import explain_error
from storage.database import open_engine

FIRST_PERSON = re.compile(r"\b(I|me|my)\b|people who run")
EVERY_ERROR = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, BotError)]


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/parley.db"
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
    assert words.startswith("transcribe") or list(tmp_path.iterdir()) == [], "nothing is made"
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


def test_without_a_command_every_command_is_listed_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys)
    assert status == 2
    lines = said.splitlines()
    assert max(map(len, lines)) <= 80
    for name, (_, help) in COMMANDS.items():
        assert any(line.split(None, 1) == [name, help] for line in lines), name


def test_setup_errors_tell_every_problem() -> None:
    assert explain_error(SetupError(["one", "two"])) == ["one", "two"]
