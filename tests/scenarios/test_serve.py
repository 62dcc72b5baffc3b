"""The program as an operator meets it: real processes, their lines, their signals, their exit status."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.cli import main, settings
from bot.core.settings import Settings
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.check import reach
from handlers.routes import SCOPES
from handlers.slack.socket import may_connect
from tests.support.engines import database_url
from tests.support.forked import PIPE, Process, start_module
from tests.support.promises import kept_in
from tests.support.rows import rows
from tests.support.waiting import until
from tests.support.workspace import MANIFEST, environment, is_final, text_of

PARLEY = str(Path(sys.executable).with_name("parley"))
PYTHON_M_BOT = (sys.executable, "-m", "bot")
BOT = "bot"
HERE = {"PATH": os.environ["PATH"]}
SECRETS = ("xoxb-1234567890-secret", "xapp-1-secret-abcdef", "signing-secret-0123", "sk-secret-0123456789")


@dataclass
class Town:
    """A fake Slack and a fake model that outlive the bots started on them."""

    slack: FakeSlack
    model: FakeModel
    environ: dict[str, str]

    async def run(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """A command from start to end: exit status, what it printed, what it complained of."""
        return await run(*words, **self.environ | environ)

    def finals(self, thread: str) -> list[str]:
        said = self.slack.thread("#general", thread)
        return [text_of(m) for m in said if m.get("user") == self.slack.bot and is_final(m)]

    async def answered(self, threads: Iterable[str], timeout_s: float = 60) -> None:
        await self.slack.until(lambda: all(self.finals(thread) for thread in threads), timeout_s)


@dataclass
class Served:
    """`parley serve`, ready."""

    process: Process
    line: str  # what it printed when it was ready
    errors: Path

    def _url(self, after: str) -> str:
        return self.line.partition(after)[2].split(",")[0].split()[0]

    @property
    def ops(self) -> str:
        return self._url("health on ")

    @property
    def events(self) -> str:
        return self._url("ready: ") + "/slack/events"

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.ops + path) as answer:
            return answer.status, await answer.text()

    async def metrics_with(self, line: str, tries: int = 100) -> str:
        """The metrics, once a line is among them."""
        for _ in range(tries):
            status, metrics = await self.get("/metrics")
            assert status == 200
            if line in metrics.splitlines():
                return metrics
            await asyncio.sleep(0.05)
        raise AssertionError(f"no {line!r} in {metrics}")

    async def end(self) -> int:
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 40)


async def begin(words: Sequence[str], **how: Any) -> Process:
    """A command as an operator types it; (BOT, …) starts from a process that has imported everything."""
    if words[0] == BOT:
        return await start_module(BOT, *words[1:], **how)
    return await asyncio.create_subprocess_exec(*words, **how)


async def run(*words: str, **environ: str) -> tuple[int, str, str]:
    process = await begin(words, env=HERE | environ, stdout=PIPE, stderr=PIPE)
    try:
        out, errors = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()  # else the event loop waits for it for ever
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


@asynccontextmanager
async def town(tmp_path: Path, **slack: Any) -> AsyncIterator[Town]:
    given = {
        "manifest": MANIFEST,
        "rate_limits": False,
        "ack_deadline_s": 1.0,
        "retry_delays_s": (1.0, 2.0, 4.0),
    }
    async with FakeSlack(**given | slack) as fake, FakeModel() as model:
        yield Town(fake, model, environment(fake, model, tmp_path))


@asynccontextmanager
async def serve(
    team: Town, tmp_path: Path, command: tuple[str, ...] = (BOT, "serve"), **environ: str
) -> AsyncIterator[Served]:
    errors = tmp_path / "errors.log"
    with errors.open("ab") as log:
        process = await begin(command, env=HERE | team.environ | environ, stdout=PIPE, stderr=log)
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert line, errors.read_text()
        served = Served(process, line, errors)
        if environ.get("PARLEY_TRANSPORT") == "http":
            team.slack.events_url = served.events
        yield served
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# Ready


@pytest.mark.parametrize(
    "command", [(PARLEY, "serve"), (*PYTHON_M_BOT, "serve")], ids=["parley", "python -m bot"]
)
async def test_it_says_in_one_line_that_it_is_ready_and_answers(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with town(tmp_path) as team, serve(team, tmp_path, command) as bot:
        assert bot.line.startswith("parley is ready: Socket Mode, health on http://127.0.0.1:")
        assert await bot.get("/livez") == (200, "alive\n")
        assert await bot.get("/readyz") == (200, "ready\n")
        thread = await team.slack.say("alice", "#general", "@parley my secret is xylophone")
        await team.answered([thread])
        metrics = await bot.metrics_with("parley_queue_depth 0")
        assert 'parley_replies_total{outcome="whole"} 1' in metrics
        for private in ("xylophone", "alice", "general", team.slack.user("alice"), team.slack.team):
            assert private not in metrics
        assert await bot.end() == 0
        assert await bot.process.stdout.read() == b"", "one line and no more"  # type: ignore[union-attr]
        log = bot.errors.read_text()
        assert "xylophone" not in log
        assert not [
            secret for secret in (team.slack.bot_token, team.slack.app_token, "sk-test") if secret in log
        ]


@pytest.mark.parametrize(
    ("transport", "app_token", "where"),
    [
        ("", True, "Socket Mode"),
        ("", False, "http://"),
        ("http", True, "http://127.0.0.1:"),
        ("socket", True, "Socket Mode"),
    ],
)
async def test_the_transport_is_the_one_that_was_chosen(
    tmp_path: Path, transport: str, app_token: bool, where: str
) -> None:
    async with town(tmp_path) as team:
        given = {"PARLEY_TRANSPORT": transport} | ({} if app_token else {"SLACK_APP_TOKEN": ""})
        async with serve(team, tmp_path, **given) as bot:
            assert bot.line.startswith(f"parley is ready: {where}")
            assert (team.slack.counts["apps.connections.open"] > 0) is (where == "Socket Mode")
            if where != "Socket Mode":
                team.slack.events_url = bot.events
            thread = await team.slack.say("alice", "#general", "@parley hello")
            await team.answered([thread])


async def test_settings_may_stand_in_a_file(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        file = tmp_path / "parley.toml"
        file.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in team.environ.items()))
        team.environ = {"PARLEY_CONFIG": str(file)}
        async with serve(team, tmp_path, PARLEY_PERSONA="You are a lighthouse.") as bot:
            thread = await team.slack.say("alice", "#general", "@parley hello")
            await team.answered([thread])
            assert "You are a lighthouse." in team.model.requests[-1].prompt
            assert await bot.end() == 0


# Told to stop


async def test_told_to_stop_it_ends_what_it_began_and_leaves_the_rest_for_the_next_start(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as team:
        team.model.script("word " * 60, times=2, tokens_per_s=30)
        team.model.script("Later.", times=0)
        async with serve(team, tmp_path, PARLEY_PARALLEL_TURNS="2") as bot:
            threads = [await team.slack.say("alice", "#general", f"@parley {n}") for n in range(6)]
            await team.slack.until(lambda: team.slack.counts["chat.startStream"] == 2)
            bot.process.send_signal(signal.SIGTERM)
            await until(lambda: True)
            status, why = await bot.get("/readyz")
            assert (status, "stopping" in why) == (503, True)
            assert await bot.get("/livez") == (200, "alive\n")
            late = await team.slack.say("alice", "#general", "@parley and this")
            assert await asyncio.wait_for(bot.process.wait(), 30) == 0
        begun = [thread for thread in threads if team.finals(thread)]
        assert [text.strip() for thread in begun for text in team.finals(thread)] == [
            ("word " * 60).strip()
        ] * 2
        assert len(team.model.requests) == 2
        async with serve(team, tmp_path) as bot:
            await team.answered([*threads, late])
            assert await bot.end() == 0
        assert len(await kept_in(tmp_path, team.slack, team.model)) == 7
        assert all(len(team.finals(thread)) == 1 for thread in [*threads, late])
        assert len(team.model.requests) == 7


async def test_told_to_stop_while_idle_it_is_gone_at_once(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            async with serve(team, tmp_path) as bot:
                bot.process.send_signal(signal_number)
                assert await asyncio.wait_for(bot.process.wait(), 10) == 0


# What is wrong is told in a line


GIVEN = {"SLACK_BOT_TOKEN": SECRETS[0], "SLACK_APP_TOKEN": SECRETS[1], "OPENAI_API_KEY": SECRETS[3]}
HTTP = {"SLACK_BOT_TOKEN": SECRETS[0], "SLACK_SIGNING_SECRET": SECRETS[2]}


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, ["SLACK_BOT_TOKEN is not set", "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)"]),
        ({"PARLEY_TRANSPORT": "socket"}, ["SLACK_BOT_TOKEN is not set", "SLACK_APP_TOKEN is not set"]),
        (
            {"SLACK_BOT_TOKEN": SECRETS[1], "SLACK_APP_TOKEN": SECRETS[0]},
            ["SLACK_BOT_TOKEN does not start with xoxb-", "SLACK_APP_TOKEN does not start with xapp-"],
        ),
        (
            GIVEN | {"PORT": "eighty", "PARLEY_STYLE": "poem"},
            ["PORT: 'eighty' is not", "PARLEY_STYLE: 'poem'"],
        ),
        (GIVEN | {"PORT": "99999"}, ["PORT: 99999 is not between 0 and 65535"]),
        (GIVEN | {"PARLEY_CONFIG": "{tmp}/bad.toml"}, ["PARLEY_CONFIG: cannot read"]),
        (GIVEN | {"PARLEY_CONFIG": "{tmp}/none.toml"}, ["PARLEY_CONFIG: cannot read"]),
        (GIVEN | {"PARLEY_MODEL_PARAMETERS": "{"}, ["PARLEY_MODEL_PARAMETERS: not JSON"]),
        (GIVEN | {"PARLEY_TIME_ZONE": "Mars/Base"}, ["PARLEY_TIME_ZONE: there is no time zone 'Mars/Base'"]),
        (
            GIVEN | {"PARLEY_DATABASE": "postgres://me:sk-secret-0123456789@db/x"},
            ["database db/x: "],
        ),
        (GIVEN | {"PARLEY_DATABASE": "sqlite:////proc/none/parley.db"}, ["database /proc/none/parley.db: "]),
        (HTTP | {"PARLEY_OPS_HOST": "203.0.113.1"}, ["cannot listen on 203.0.113.1, port 0: "]),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[0].split(":")[0],
)
async def test_what_is_set_wrongly_is_told_in_one_line_each(
    tmp_path: Path, given: dict[str, str], problems: list[str]
) -> None:
    (tmp_path / "bad.toml").write_text("PORT = [")
    defaults = {
        "PARLEY_DATABASE": database_url(tmp_path / "parley.db"),
        "PARLEY_OPS_PORT": "0",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "OPENAI_API_KEY": SECRETS[3],
        "PARLEY_LOG_LEVEL": "ERROR",
    }
    environ = {
        name: value.format(tmp=tmp_path) if "{tmp}" in value else value for name, value in given.items()
    }
    status, out, errors = await run(BOT, "serve", **defaults | environ)
    assert (status, out) == (main.EXIT_USAGE, "")
    lines = errors.splitlines()
    assert len(lines) == len(problems), errors
    assert all(line.startswith(f"parley: {start}") for line, start in zip(lines, problems, strict=True)), (
        errors
    )
    assert not [secret for secret in SECRETS if secret in errors]


async def test_tokens_that_slack_refuses_are_told_in_one_line(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        for name, wrong in (("SLACK_BOT_TOKEN", "xoxb-wrong-token"), ("SLACK_APP_TOKEN", "xapp-wrong-token")):
            status, out, errors = await team.run(BOT, "serve", **{name: wrong, "PARLEY_LOG_LEVEL": "ERROR"})
            assert (status, out) == (main.EXIT_USAGE, "")
            last_line = errors.splitlines()[-1]
            assert last_line == f"parley: {name}: slack says invalid_auth"
            assert "Traceback" not in errors
            assert wrong not in errors


@pytest.mark.sqlite_file
async def test_a_second_bot_on_the_same_database_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as team, serve(team, tmp_path):
        status, _, errors = await team.run(BOT, "serve")
        assert status == main.EXIT_USAGE
        assert errors.splitlines()[-1].endswith("in use by another Parley process")


async def test_a_taken_port_of_the_health_checks_keeps_nobody_from_an_answer(tmp_path: Path) -> None:
    usual = Settings().ops_port
    async with town(tmp_path) as team:
        with socket.socket() as taken, suppress(OSError):  # somebody else may have it already
            taken.bind(("127.0.0.1", usual))
            taken.listen()
            async with serve(team, tmp_path, PARLEY_OPS_PORT="") as bot:
                assert not bot.ops.endswith(f":{usual}")
                assert await bot.get("/livez") == (200, "alive\n")
                assert f"port {usual} of 127.0.0.1 is taken" in bot.errors.read_text()


async def test_a_port_of_the_health_checks_that_was_chosen_has_to_be_free(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            status, _, errors = await team.run(BOT, "serve", PARLEY_OPS_PORT=port)
        assert status == main.EXIT_USAGE
        assert errors.splitlines()[-1] == (
            f"parley: cannot listen on 127.0.0.1, port {port}: Address already in use"
        )


@pytest.mark.sqlite_file
async def test_health_asks_the_running_bot_whatever_its_ports_are(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        assert await team.run(BOT, "health") == (1, "", "parley: no bot runs on this database\n")
        async with serve(team, tmp_path):
            assert await team.run(BOT, "health") == (0, "ready\n", "")
        async with serve(team, tmp_path, SLACK_API_URL="http://127.0.0.1:9/api/"):
            status, out, _ = await team.run(BOT, "health")
            assert (status, out) == (1, "not ready: slack: no socket is connected\n")


async def test_a_slack_that_is_away_is_told_and_waited_for(tmp_path: Path) -> None:
    async with (
        town(tmp_path) as team,
        serve(team, tmp_path, SLACK_API_URL="http://127.0.0.1:9/api/") as bot,
    ):
        assert await bot.get("/readyz") == (503, "slack: no socket is connected\n")
        assert "slack does not answer yet" in bot.errors.read_text()
        assert "Traceback" not in bot.errors.read_text()
        assert await bot.end() == 0


@pytest.mark.parametrize("words", [(), ("sing",), ("inbox",), ("inbox", "show"), ("inbox", "show", "x")])
async def test_a_command_that_does_not_exist_is_told_with_those_that_do(words: tuple[str, ...]) -> None:
    status, _, errors = await run(PARLEY, *words)
    assert status == 2
    assert errors.startswith("usage: parley")
    assert "Traceback" not in errors


# Signed HTTP


def signed(secret: str, body: bytes, *, at: float | None = None) -> dict[str, str]:
    """Headers as Slack sends them."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), b"v0:%b:%b" % (stamp.encode(), body), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }


NO_TIMES = ("9" * 400, "9" * 5_000, "9" * 20, "-1", "1e9", "١٧٩٥٠٠٠٠٠٠", "0x6b", " ", "17 95")


def signed_at(secret: str, body: bytes, stamp: str) -> dict[str, str]:
    """Signed by somebody who knows the secret and says another time."""
    digest = hmac.new(secret.encode(), b"v0:%b:%b" % (stamp.encode(), body), hashlib.sha256).hexdigest()
    return signed(secret, body) | {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def test_only_what_slack_signed_just_now_is_taken_and_junk_is_refused(tmp_path: Path) -> None:
    async with town(tmp_path) as team, serve(team, tmp_path, PARLEY_TRANSPORT="http") as bot:
        thread = await team.slack.say("alice", "#general", "@parley hello")
        await team.answered([thread])
        secret, event = team.slack.signing_secret, {"type": "message", "channel_type": "im", "channel": "D1"}
        event |= {"user": "U1", "ts": f"{time.time():.6f}", "text": "let me in"}
        body = json.dumps({"type": "event_callback", "team_id": "T1", "event": event}).encode()

        async with aiohttp.ClientSession() as session:

            async def post(body: bytes, headers: dict[str, str]) -> int:
                async with session.post(bot.events, data=io.BytesIO(body), headers=headers) as answer:
                    return answer.status

            for headers in (
                {"Content-Type": "application/json"},
                signed("another-secret", body),
                signed(secret, body, at=time.time() - 600),
                signed(secret, body, at=time.time() + 600),
                signed(secret, body + b" "),
                signed(secret, body) | {"X-Slack-Signature": "v0="},
                signed(secret, body) | {"X-Slack-Request-Timestamp": "now"},
                signed("another-secret", body) | {"Content-Encoding": "gzip"},
                *(signed_at(secret, body, stamp) for stamp in NO_TIMES),
            ):
                assert await post(body, headers) == 401, headers
            never = json.dumps({"type": "event_callback", "event": event | {"ts": "9" * 400}}).encode()
            for junk in (b"", b"[]", b"null", b"{", b"\xff", b'{"event": 1}', b"[" * 9999, b"x" * 2_000_000,
                         b'{"type": "block_actions", "actions": []}', never):  # fmt: skip
                assert 400 <= await post(junk, signed(secret, junk)) < 500, junk[:20]
            async with session.get(bot.events) as answer:
                assert answer.status == 405
        await break_off(bot)
        assert await bot.end() == 0
        assert jobs(tmp_path) == 1, "the question of before, and nothing else"
        said = bot.errors.read_text()
        assert not [word for word in ("let me in", "Traceback", "ERROR") if word in said], said


async def break_off(bot: Served) -> None:
    """Begins a delivery and is gone."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(bot.events.split(":")[2].split("/")[0]))
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.transport.abort()


def jobs(tmp_path: Path) -> int:
    return len(rows(tmp_path, "select seq from inbox"))


def form(text: str, trigger: str) -> bytes:
    """A command as Slack sends it."""
    values = {
        "command": "/parley",
        "text": text,
        "team_id": "T0SANDBOX1",
        "channel_id": "C0GENERAL1",
        "user_id": "U0ADMIN001",
        "trigger_id": trigger,
    }
    return urlencode(values).encode()


async def test_a_signed_command_runs_once_however_often_it_is_delivered(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        command = form("usage", "1.1.a")
        headers = signed(team.slack.signing_secret, command)
        headers["Content-Type"] = "application/x-www-form-urlencoded"

        async def post(bot: Any, headers: dict[str, str], body: bytes = command) -> tuple[int, bool]:
            async with (
                aiohttp.ClientSession() as session,
                session.post(bot.events, data=body, headers=headers) as answer,
            ):
                return answer.status, b"This month" in await answer.read()

        async with serve(team, tmp_path, PARLEY_TRANSPORT="http") as bot:
            assert await post(bot, headers) == (200, True)
            assert await post(bot, headers) == (200, False)
            assert await post(bot, headers | {"X-Slack-Retry-Num": "1"}) == (200, False)
            again = signed(team.slack.signing_secret, command, at=time.time() - 60)
            assert await post(bot, headers | again | {"Content-Type": headers["Content-Type"]}) == (200, True)
        async with serve(team, tmp_path, PARLEY_TRANSPORT="http") as bot:
            assert await post(bot, headers) == (200, False), "the next process knows it too"


async def test_a_header_that_is_too_large_is_refused_in_a_line(tmp_path: Path) -> None:
    async with town(tmp_path) as team, serve(team, tmp_path, PARLEY_TRANSPORT="http") as bot:
        port = int(bot.events.split(":")[2].split("/")[0])
        for large in (b"X-A: " + b"a" * 9_000, b"X-A: " + b"a" * 60_000, b"X-" + b"b" * 9_000 + b": 1"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\n" + large + b"\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 10)
            assert answer.startswith(b"HTTP/1.0 431 ")
            assert b"aaa" not in answer
            writer.close()
        said = bot.errors.read_text()
        assert "aaa" not in said
        assert "Traceback" not in said
        assert "ERROR" not in said


@pytest.mark.parametrize(
    ("url", "host", "allowed"),
    [
        ("wss://wss-primary.slack.com/link/?ticket=1", "", True),
        ("wss://wss-primary.slack.com:443/link/", "", True),
        ("ws://wss-primary.slack.com/link/", "", False),
        ("wss://wss-primary.slack.com:8443/link/", "", False),
        ("wss://slack.com.evil.example/link/", "", False),
        ("wss://evilslack.com/link/", "", False),
        ("wss://evil.example/link/?slack.com", "", False),
        ("wss://me@wss-primary.slack.com/link/", "", False),
        ("wss:///link/", "", False),
        ("ws://127.0.0.1:9000/link/", "127.0.0.1", True),
        ("ws://127.0.0.2:9000/link/", "127.0.0.1", False),
        ("wss://wss-primary.slack.com/link/", "127.0.0.1", False),
    ],
)
def test_a_socket_leads_to_slack_or_to_the_one_host_that_was_set(url: str, host: str, allowed: bool) -> None:
    assert may_connect(url, host) is allowed


# Commands beside the bot


@pytest.mark.sqlite_file  # check finds that a throw-away server runs without fsync
async def test_check_finds_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        status, out, _ = await team.run(PARLEY, "check", PARLEY_MODEL="gpt-6-luna")
        told = [line for line in out.splitlines() if not line.startswith("notice: ")]
        assert (status, told) == (
            0,
            [
                "tried: 1 models for $0.00000080, which stands in no ledger",
                "settings, tokens, scopes, database and model are in order",
            ],
        )
        assert [path.name for path in tmp_path.iterdir()] == [], "nothing is made"
        (tmp_path / "broken.db").write_bytes(b"this is no database, it only looks like a file " * 100)
        team.slack.workspace.scopes = frozenset(SCOPES) - {"commands", "im:write"}
        wrong = {
            "SLACK_APP_TOKEN": "xapp-wrong-token",
            "PARLEY_MODEL": "gpt-none",
            "PARLEY_DATABASE": database_url(tmp_path / "broken.db"),
        }
        status, out, errors = await team.run(BOT, "check", **wrong)
        assert status == 1
        problems = [line.removeprefix("wrong: ") for line in out.splitlines() if line.startswith("wrong: ")]
        assert problems[0].startswith("scopes: commands, im:write missing")
        assert problems[1] == "SLACK_APP_TOKEN: slack says invalid_auth"
        assert problems[2].startswith(f"database {tmp_path}/broken.db: ")
        assert problems[3] == "PARLEY_MODEL: the server has no model gpt-none"
        assert len(problems) == 4
        assert "wrong-token" not in out + errors
        assert "Traceback" not in errors


@pytest.mark.sqlite_file  # check finds that a throw-away server runs without fsync
async def test_check_tells_of_a_model_that_is_about_to_end_or_does_not_answer(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        team.model.ends |= {"davinci-002": "2026-09-28", "gpt-4.1": "2026-09-28"}
        status, out, _ = await team.run(BOT, "check", PARLEY_STYLE="transcript", PARLEY_MODEL="davinci-002")
        nobody = "nobody follows it (PARLEY_SUCCESSORS)"
        assert status == 1
        assert out.splitlines()[0] == f"wrong: PARLEY_MODEL: davinci-002 ended on 2026-09-28; {nobody}"
        status, out, _ = await team.run(BOT, "check", PARLEY_MODEL="gpt-4.1")
        assert status == 0
        assert (
            out.splitlines()[0]
            == "soon: PARLEY_MODEL: gpt-4.1 ended on 2026-09-28; gpt-6-luna answers instead"
        )
        status, out, errors = await team.run(BOT, "check", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
        assert status == 1
        assert out.splitlines()[0] == (
            "wrong: PARLEY_MODEL: gpt-4.1-mini: the model API cannot be reached: is OPENAI_BASE_URL right? "
            "(ClientConnectorError)"
        )
        assert "Traceback" not in errors


@pytest.mark.sqlite_file  # check finds that a throw-away server runs without fsync
async def test_check_asks_every_model_in_the_way_it_will_be_asked(tmp_path: Path) -> None:
    async with town(tmp_path) as team, FakeModel() as second:
        used = {
            "PARLEY_STYLE": "responses",
            "PARLEY_SMALL_MODEL": "gpt-none",
            "PARLEY_EMBEDDINGS": "text-embedding-none",
            "PARLEY_FALLBACKS": f"gpt-4.1 {second.base_url} transcript",
        }
        status, out, errors = await team.run(BOT, "check", **used)
        assert status == 1
        assert [line for line in out.splitlines() if line.startswith("wrong: ")] == [
            "wrong: PARLEY_SMALL_MODEL: the server has no model gpt-none",
            "wrong: PARLEY_FALLBACKS: gpt-4.1: the model API does not offer that endpoint (NotFoundError)",
            "wrong: PARLEY_EMBEDDINGS: the server has no model text-embedding-none",
        ]
        assert [request.endpoint for request in team.model.requests] == ["responses"] * 2 + ["embeddings"]
        assert [request.endpoint for request in second.requests] == ["completions"]
        assert team.model.requests[0].body["max_output_tokens"] == 16, "the least that this endpoint takes"
        assert "Traceback" not in errors


async def test_a_host_of_sockets_that_is_out_of_reach_is_told() -> None:
    (problem,) = await reach("ws://127.0.0.1:9/link?ticket=secret")
    assert problem.startswith("Socket Mode: 127.0.0.1 cannot be reached from here (")
    assert "secret" not in problem


async def park(team: Town, tmp_path: Path) -> tuple[str, int]:
    """A question that a bot gave up on, because its payload could never be worked: (thread, its number)."""
    async with serve(team, tmp_path) as bot:
        for method in ("chat.postMessage", "chat.startStream"):
            team.slack.faults.add(method, error="not_authed_for_this", times=0)
        thread = await team.slack.say("alice", "#general", "@parley hello")
        await until(lambda: states(tmp_path) == ["parked"] and not waiting(tmp_path), 20)
        assert await bot.end() == 0
    team.slack.faults.clear()
    return thread, 1


def states(tmp_path: Path) -> list[str]:
    """What became of each message, in order."""
    return [
        str(state)
        for (state,) in rows(tmp_path, "select state from inbox where kind = 'message' order by seq")
    ]


def waiting(tmp_path: Path) -> bool:
    """Whether anything is still to be worked, such as the word that a message was given up."""
    return bool(rows(tmp_path, "select 1 from inbox where state = 'new'"))


@pytest.mark.sqlite_file
async def test_a_parked_message_is_listed_shown_and_replayed_beside_a_running_bot(tmp_path: Path) -> None:
    async with town(tmp_path) as team:
        assert (await team.run(BOT, "inbox", "list"))[0] == main.EXIT_USAGE, "no database yet"
        thread, seq = await park(team, tmp_path)
        status, out, _ = await team.run(BOT, "inbox", "list")
        assert status == 0
        assert out.split()[0] == str(seq)
        assert "SlackRefused" in out
        async with serve(team, tmp_path):
            assert (await team.run(BOT, "inbox", "list"))[1] == out or "SlackRefused" in out
            shown = json.loads((await team.run(BOT, "inbox", "show", str(seq)))[1])
            assert (shown["state"], shown["seq"]) == ("parked", seq)
            assert await team.run(BOT, "inbox", "replay", str(seq)) == (0, f"{seq}: replayed\n", "")
            await team.answered([thread])
            await until(lambda: states(tmp_path) == ["done"], 20)
            status, _, errors = await team.run(BOT, "inbox", "replay", str(seq))
            assert (status, errors.count("\n")) == (main.EXIT_FAILED, 1)
            assert (await team.run(BOT, "inbox", "list"))[1] == "nothing is parked\n"
            assert (await team.run(BOT, "inbox", "list", "--waiting"))[1] == "nothing is waiting\n"
        assert len(team.finals(thread)) == 1


async def test_without_a_bot_a_parked_message_is_replayed_at_the_next_start_or_discarded(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as team:
        thread, seq = await park(team, tmp_path)
        assert await team.run(BOT, "inbox", "replay", str(seq)) == (0, f"{seq}: replayed\n", "")
        waiting = (await team.run(BOT, "inbox", "list", "--waiting"))[1]
        assert waiting.split()[0] == str(seq)
        assert await team.run(BOT, "inbox", "discard", str(seq)) == (0, f"{seq}: discarded\n", "")
        async with serve(team, tmp_path) as bot:
            await asyncio.sleep(0.3)
            assert await bot.end() == 0
        assert team.finals(thread) == []
        status, _, errors = await team.run(BOT, "inbox", "discard", "99")
        assert (status, errors.count("\n")) == (main.EXIT_FAILED, 1)


@pytest.mark.sqlite_file
async def test_a_backup_taken_beside_a_running_bot_is_a_whole_database(tmp_path: Path) -> None:
    async with town(tmp_path) as team, serve(team, tmp_path):
        thread = await team.slack.say("alice", "#general", "@parley my cat is called Minka")
        await team.answered([thread])
        copy = tmp_path / "elsewhere" / "copy.db"
        copy.parent.mkdir()
        status, out, _ = await team.run(PARLEY, "backup", str(copy))
        assert (status, out) == (0, f"{copy}: {copy.stat().st_size} bytes, checked\n")
        assert copy.stat().st_mode & 0o077 == 0, "nobody else's to read"
        db = sqlite3.connect(copy)
        assert "Minka" in str(db.execute("select text from messages").fetchall())
        db.close()
        status, _, errors = await team.run(PARLEY, "backup", str(tmp_path / "no" / "such" / "place.db"))
        assert status != 0
        assert "Traceback" not in errors


async def test_settings_prints_the_example_file() -> None:
    assert await run(*PYTHON_M_BOT, "settings") == (0, settings.example(), "")
