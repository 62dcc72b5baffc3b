"""`parley audit --json --follow`: what a SIEM reads, which holds nobody's words and proves its own order."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from bot.cli import audit as audit_cli
from bot.core.settings import Settings
from bot.privacy.audit_events import EVENTS, to_event
from bot.privacy.settings_log import note_changes
from storage import audit
from storage.audit import AuditEntry
from storage.engine import Tx
from tests.support.engines import database_url
from tests.support.rows import open_rows

ROOT = Path(__file__).parents[2]


def note(tx: Tx, act: str = "looked at", about: str = "usage", detail: str = "") -> None:
    audit.note(tx, act, about, team="T1", person="U1", detail=detail, now=1_795_000_000.5)


def asked(path: Path, *options: str) -> tuple[Any, Settings]:
    parser = ArgumentParser()
    audit_cli.add_arguments(parser)
    return parser.parse_args(options), Settings(database=database_url(path / "parley.db"))


async def shown(
    path: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, list[dict[str, Any]]]:
    status = await audit_cli.run(*asked(path, "--json", *options))
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_act_is_an_event() -> None:
    assert EVENTS.keys() == audit.ACTS.keys()


def test_every_field_is_on_the_operators_page() -> None:
    event = to_event(AuditEntry(1, "T1", "U1", "looked at", "usage", "", 1.0, "s"), audit.FIRST)
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    unmapped = event.pop("unmapped")
    for name in [*event, *(f"unmapped.{name}" for name in unmapped)]:
        assert f"`{name}`" in page, name


async def test_the_chain_can_be_checked_from_the_events_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        for number in range(5):
            note(rows, about=f"report {number}", detail="last month")
    status, events = await shown(tmp_path, capsys)
    assert status == 0
    before = audit.FIRST
    for event in events:
        told = event["unmapped"]
        assert told["previous_seal"] == before
        sealed = [before, *(told[name] for name in ("team", "person", "act", "about", "detail", "at"))]
        before = hashlib.sha256(json.dumps(sealed).encode("ascii")).hexdigest()
        assert told["seal"] == event["metadata"]["uid"] == before
    first = events[0]
    assert (first["class_uid"], first["activity_id"], first["type_uid"]) == (3004, 2, 300402)
    assert first["time"] == 1_795_000_000_500
    assert first["actor"] == {"user": {"uid": "U1"}}
    assert first["entity"] == {"type": "report", "uid": "report 0"}


async def test_what_came_after_a_seal_is_shown_however_much_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        for number in range(70):
            note(rows, about=str(number))
    _, everything = await shown(tmp_path, capsys, "--last", "70")
    seal = everything[9]["unmapped"]["seal"]
    assert await shown(tmp_path, capsys, "--seal", seal) == (0, everything[10:])
    assert await shown(tmp_path, capsys, "--seal", audit.FIRST) == (0, everything)
    assert await shown(tmp_path, capsys, "--team", "T2") == (0, [])
    status, [lost] = await shown(tmp_path, capsys, "--seal", "f" * 64)
    assert (status, lost["severity"]) == (1, "Critical")


async def test_no_setting_in_the_operators_own_words_leaves_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {
        "persona": "A pirate",
        "writing": "Terse",
        "disclosure": "Hi",
        "speech_vocabulary": "Kraken",
        "policies": "/home/captain/my file.toml",
    }
    with open_rows(tmp_path / "parley.db") as rows:
        note_changes(rows, Settings(model="gpt-other", **words), now=1.0)
    _, events = await shown(tmp_path, capsys)
    told = {event["entity"]["uid"]: event["unmapped"] for event in events}
    assert told["PARLEY_MODEL"]["detail"] == "gpt-other"
    assert not told["PARLEY_MODEL"]["detail_is_digest"]
    assert not any(word in str(events) for word in words.values())
    assert told["PARLEY_PERSONA"]["detail"] == f"sha256:{hashlib.sha256(b'A pirate').hexdigest()}"
    assert told["PARLEY_PERSONA"]["detail_is_digest"]


async def test_a_tampered_list_is_a_critical_event(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        for _ in range(3):
            note(rows)
        rows.run("update audit set person = 'U9' where seq = 2")
    status, events = await shown(tmp_path, capsys)
    assert status == 1
    assert events[-1]["severity"] == "Critical"
    assert "entry 2 does not follow" in events[-1]["message"]


@pytest.mark.parametrize(
    "tamper", ["change", "cut", pytest.param("another file", marks=pytest.mark.sqlite_file)]
)
async def test_what_is_added_is_told_until_the_list_is_not_what_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tamper: str
) -> None:
    monkeypatch.setattr(audit_cli, "FOLLOW_S", 0.01)
    with open_rows(tmp_path / "parley.db") as rows:
        note(rows, about="before")
    following = asyncio.create_task(audit_cli.run(*asked(tmp_path, "--json", "--follow")))
    lines = list[str]()

    async def until(count: int) -> None:
        while len(lines) < count:
            await asyncio.sleep(0.01)
            lines.extend(capsys.readouterr().out.splitlines())

    await until(1)
    file, other = tmp_path / "parley.db", tmp_path / "other.db"
    if tamper == "another file":
        other.write_bytes(file.read_bytes())
    for number in range(2):
        with open_rows(tmp_path / "parley.db") as rows:
            note(rows, about=f"added {number}")
        await until(2 + number)
    assert [json.loads(line)["entity"]["uid"] for line in lines] == ["before", "added 0", "added 1"]
    assert json.loads(lines[2])["unmapped"]["previous_seal"] == json.loads(lines[1])["unmapped"]["seal"]
    if tamper == "another file":
        other.replace(file)
    else:
        with open_rows(file) as rows:
            rows.run(
                "update audit set about = 'x' where seq = 3"
                if tamper == "change"
                else "delete from audit where seq > 2"
            )
    assert await asyncio.wait_for(following, 10) == 1
    await until(4)
    assert json.loads(lines[3])["severity"] == "Critical"


async def test_a_list_may_be_followed_from_before_its_first_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_cli, "FOLLOW_S", 0.01)
    with open_rows(tmp_path / "parley.db"):
        pass
    following = asyncio.create_task(audit_cli.run(*asked(tmp_path, "--follow")))
    await asyncio.sleep(0.05)
    with open_rows(tmp_path / "parley.db") as rows:
        note(rows, about="the first")
    out = ""
    while "the first" not in out:
        await asyncio.sleep(0.01)
        out += capsys.readouterr().out
    following.cancel()
    await asyncio.wait([following])


async def test_who_stops_reading_ends_it_without_a_traceback(tmp_path: Path) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        for number in range(200):
            note(rows, about=str(number))
    script = f"{sys.executable} -m bot audit --json --last 200 | head -n 1"
    process = await asyncio.create_subprocess_shell(
        script,
        cwd=ROOT,
        env={
            "PARLEY_DATABASE": database_url(tmp_path / "parley.db"),
            "PARLEY_ENV_FILE": "",
            "PATH": "/usr/bin:/bin",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert len(out.splitlines()) == 1
    assert errors == b""
