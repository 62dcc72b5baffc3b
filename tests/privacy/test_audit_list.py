"""The list of who did what: what stands in it, and that nobody changes it unseen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bot.cli import audit as audit_cli
from bot.cli import main
from bot.core.settings import Settings
from bot.privacy.settings_log import note_changes
from storage import audit
from storage.channel import owners, preferences
from storage.costs import budgets
from storage.engine import Tx
from storage.guard import policies
from storage.jobs import inbox
from storage.place import Channel
from storage.sqlite.writer import SqliteTx
from tests.support.commands import forget_everything, parley, tell_in_thread
from tests.support.engines import database_url
from tests.support.rows import SECRET, open_rows
from tests.support.workspace import workspace


@pytest.fixture
def tx(tmp_path: Path) -> Any:
    with open_rows(tmp_path / "rows.db") as rows:
        yield rows


def decisions(tx: Tx) -> None:
    """Everything that is to leave an entry, once."""
    budgets.put(
        tx, team="T", scope="channel", target="C", period="month", cap=5, warn_percent=80, degrade=0,
        owner="U0", by="U0", at=1.0,
    )  # fmt: skip
    budgets.raise_for_a_while(
        tx, budget=1, cap=9, until_at=9.0, person="U0", reason="said in confidence", made_at=2.0
    )
    budgets.remove(tx, "T", 1, by="U0", at=3.0)
    owners.name(tx, "T", "C", "U1", by="U0", at=4.0)
    owners.dismiss(tx, "T", "C", "U1", by="U0", at=5.0)
    policies.save_policy(tx, Channel("T", "C"), "said in confidence", by="U1", now=6.0)
    policies.remove_policy(tx, Channel("T", "C"), by="U1", now=7.0)
    preferences.wish(tx, "T", "C", "words", "said in confidence", person="U1", now=8.0)
    note_changes(tx, Settings(model="gpt-other", slack_bot_token="xoxb-secret"), now=9.0)
    inbox.put(tx, "k", "c", "m", '"said in confidence"', now=10.0)
    job = inbox.take(tx, "c", now=10.0)
    assert isinstance(job, inbox.Job)
    inbox.park(tx, job, "no")
    inbox.replay(tx, 1, now=10.5)
    inbox.discard(tx, 1, now=11.0)


ACTS = [
    "budget set",
    "budget raised",
    "budget removed",
    "owner named",
    "owner dismissed",
    "policy set",
    "policy removed",
    "channel setting",
    "setting",
    "replayed",
    "discarded",
]


def test_every_decision_leaves_an_entry_and_no_entry_holds_what_was_said(tx: SqliteTx) -> None:
    decisions(tx)
    found = list(audit.every(tx))
    assert [entry.act for entry in found] == ACTS
    assert [entry.person for entry in found][:3] == ["U0", "U0", "U0"]
    assert "said in confidence" not in repr(found)
    assert "xoxb" not in repr(found)
    assert audit.broken(found) is None


async def test_forgetting_is_written_down(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        await parley(team, "forget thread")
        await forget_everything(team)
        found = await team.bot.services.engine.read(lambda tx: list(audit.every(tx)))
        forgotten = [(e.act, e.person) for e in found if e.act.startswith("forgot")]
        alice = team.slack.user("alice")
        assert forgotten == [("forgot thread", alice), ("forgot person", alice)]
        assert SECRET not in repr(found)


def test_settings_are_noted_when_they_change_and_only_then(tx: SqliteTx) -> None:
    persona = "You are a pirate. " * 20
    for settings in (Settings(), Settings(persona=persona), Settings(persona=persona), Settings()):
        note_changes(tx, settings, now=1.0)
    found = [(e.about, e.detail[:16]) for e in audit.every(tx)]
    assert found == [("PARLEY_PERSONA", "You are a pirate"), ("PARLEY_PERSONA", "You are Parley, ")]


def test_what_processes_on_one_database_listen_on_is_no_change_of_their_settings(tx: SqliteTx) -> None:
    for port in (3000, 3001):
        note_changes(tx, Settings(port=port, ops_port=port + 100), shared=True, now=1.0)
    assert list(audit.every(tx)) == []


def test_no_password_of_a_database_is_noted(tx: SqliteTx) -> None:
    word = "hush"
    for user, more in ((f"parley:{word}@", ""), ("", f"?password={word}&port=1")):
        note_changes(tx, Settings(database=f"postgresql://{user}db/parley{more}"), now=1.0)
    details = [entry.detail for entry in audit.every(tx)]
    assert len(details) == 2
    assert not [detail for detail in details if word in detail]


@pytest.mark.both_engines
@pytest.mark.parametrize(
    "tamper",
    [
        "update audit set person = 'U9' where seq = 4",
        "update audit set at = 0 where seq = 4",
        "update audit set detail = 'x' where seq = 4",
        "delete from audit where seq = 4",
        "insert into audit (seq, team, person, act, about, detail, at, seal)"
        " select 0, team, person, act, about, detail, at, seal from audit where seq = 1",
    ],
)
def test_an_entry_that_was_changed_removed_or_slipped_in_is_found(tx: SqliteTx, tamper: str) -> None:
    decisions(tx)
    tx.run(tamper)
    assert audit.broken(audit.every(tx)) is not None


@pytest.mark.both_engines
def test_a_list_whose_end_was_cut_off_is_found_by_a_seal_that_was_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        decisions(rows)
    monkeypatch.setenv("PARLEY_DATABASE", database_url(tmp_path / "parley.db"))
    assert main.main(["audit", "--last", "3"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "discarded job 1" in lines[-1]
    seal = last.rpartition(" ")[2]
    assert main.main(["audit", "--seal", seal]) == 0
    with open_rows(tmp_path / "parley.db") as rows:
        rows.run("delete from audit where seq = (select max(seq) from audit)")
    assert main.main(["audit"]) == 0
    assert main.main(["audit", "--seal", seal]) == 1
    assert "cut off" in capsys.readouterr().out


def test_an_entry_is_one_line_whatever_is_in_it() -> None:
    entry = audit.AuditEntry(1, "T", "U", "act", "about\n  2  forged", "\x1b[2J", time.time(), "")
    assert audit_cli.line(entry).isprintable()


def test_nothing_in_the_house_changes_or_removes_an_entry() -> None:
    for path in (Path(__file__).parents[2] / "storage").rglob("*.py"):
        text = path.read_text("utf-8").lower()
        assert "update audit" not in text, path
        assert "delete from audit" not in text, path
