"""The list of who did what: that nothing which changes, erases or shows something is left out of it.

SURFACES names every way in with the acts behind it. A way in that is not in it, an act that no way in
has, and a statement that erases without an entry, each fail here.
"""

from __future__ import annotations

import argparse
import ast
import re
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.cli import inbox, main
from bot.cli import usage as usage_cli
from bot.ops.metrics import METRICS
from bot.privacy.access_log import WAITING, AccessLog
from handlers import commands
from handlers import routes as table
from handlers.channel.form import OPEN_LEARNING, OPEN_QUESTIONS, OPEN_RECORD
from handlers.http import control_app
from handlers.slack.blocks import FORGET_CLIP, SHOULD_ANSWER
from storage import audit
from storage.database import open_engine
from tests.support.clips import PATIENCE_S, TONE_RECOGNITION, cards, clip, drop
from tests.support.clips import press as press_card
from tests.support.commands import tell_in_thread as tell_in_thread
from tests.support.engines import database_url
from tests.support.guarded_channel import CARD, PURPOSE, filled, is_answer, opened, save, verdict
from tests.support.roles import furnish
from tests.support.rows import SECRET, rows
from tests.support.spending import run_command
from tests.support.waiting import until
from tests.support.workspace import workspace

ROOT = Path(__file__).parents[2]
NOTHING: set[str] = set()
CLIP_WORDS = {"forgot clip"}
TOLD = {"told of AI"}
SETTINGS = {"policy set", "policy removed", "channel setting"}
TAUGHT = {"verdict overturned", "example added", "version trained"}
LOOKED = {"looked at"}
DOCUMENT_ADDED = {"document added"}
DOCUMENT_REMOVED = {"document removed"}
DOCUMENT_CHANGED = {"document added", "document removed"}
FOLLOWED = (
    *("file_deleted", "file_unshared", "file_change", "user_change", "channel_deleted", "group_deleted"),
    "channel_id_changed",
    *table.CHANNEL_CHANGES,
)
ERASED = {"forgot thread", "forgot person", "document removed", *CLIP_WORDS}

# Every way in, and the acts that can be behind it.
SURFACES: dict[str, set[str]] = {
    "event app_home_opened": {"looked at"},
    "event app_context_changed": NOTHING,
    "event agent_session_stopped": NOTHING,
    "event app_uninstalled": {"forgot workspace"},
    "event tokens_revoked": NOTHING,
    "event member_joined_channel": TOLD,
    # One that was deleted (handlers/intake.py), or is the first of a person.
    **dict.fromkeys((f"event {name}" for name in FOLLOWED), DOCUMENT_CHANGED),
    "event message": {"forgot message", "forgot clip", "not told of AI", *TOLD},
    "command /parley": TOLD,  # its words follow
    "parley usage": {"looked at"},
    "parley budget": {"looked at", "budget set", "budget raised", "budget removed"},
    "parley owner": {"owner named", "owner dismissed"},
    "parley estimate": NOTHING,
    "parley digest": {"digest on", "digest off", "looked at"},
    "parley knowledge": {"document added", "document removed", "looked at"},
    "parley fields": {"looked at"},
    "parley settings": NOTHING,  # opens a form; what is sent is its view's
    "parley keep": {"channel setting"},
    "parley export": {"looked at"},
    "parley forget": ERASED,
    "shortcut forget_thread": ERASED | TOLD,
    "shortcut ask_parley": NOTHING,  # opens a window
    "shortcut why": {"looked at"},
    "shortcut quiet_thread": NOTHING,
    "action feedback": {"example added", "version trained"},
    "action retry": NOTHING,
    **dict.fromkeys(
        ("action again", "action shorter", "action longer", "action continue", "action across"), NOTHING
    ),
    "action ask_forget_all": NOTHING,  # opens a form
    "action forget_all": ERASED,
    "action clip_edit": NOTHING,  # opens a form
    "action clip_translate": NOTHING,
    "action clip_forget": CLIP_WORDS,
    "action should_have_answered": TAUGHT,
    "action should_have_refused": TAUGHT,
    "action settings_of": NOTHING,  # opens a form
    "action open_workspace_settings": NOTHING,  # opens a form
    "action open_settings": NOTHING,  # opens a form
    "action open_guard_record": {"looked at"},
    "action open_guard_questions": {"looked at"},
    "action guard_use": {"version used", "looked at"},
    "action open_answer_learning": {"looked at"},
    "action answer_use": {"version used", "looked at"},
    **dict.fromkeys(("action unanswered_add", "action unanswered_write"), NOTHING),  # open a form
    "action should_be_answerable": {"question wanted", "question answered"},
    "action unanswered_ask_again": {"questions asked again", "looked at"},
    "action ask_people_who_know": {"people asked"},
    "action this_is_the_answer": {"answer confirmed"},
    "action newest_is_the_answer": {"answer confirmed"},
    "action unanswered_not_ours": {"question closed", "looked at"},
    **dict.fromkeys(("action document_open", "action document_write", "action document_upload"), NOTHING),
    "action document_list": {"looked at"},
    "action document_replace": NOTHING,  # opens a form
    "action document_remove": {"document removed", "looked at"},
    **dict.fromkeys(
        (
            "action document_add_files",
            "action document_add_files_everywhere",
            "action document_keep_thread",
            "action document_keep_thread_everywhere",
            "view document_text",
            "view document_file",
        ),
        DOCUMENT_ADDED,
    ),
    **dict.fromkeys(
        (
            f"action fields_{name}"
            for name in ("describe", "change", "type", "stop", "again", "read", "not_now")
        ),
        NOTHING,  # opens a form, or has no words to keep
    ),
    **dict.fromkeys(
        (f"action fields_{name}" for name in ("rows", "table", "csv", "jsonl", "review", "review_all")),
        LOOKED,
    ),
    "action document_extract": NOTHING,  # opens a choice
    "action fields_extract": DOCUMENT_ADDED,
    "action fields_remove": {"form removed", "looked at"},
    "action fields_take": {"value reviewed", "looked at"},
    "action fields_missing": {"value reviewed", "looked at"},
    "view fields_typed": {"value reviewed", "looked at"},
    "view fields_form": {"form saved"},
    "shortcut remember_this": NOTHING,  # opens a form
    "parley notes": {"looked at"},
    **dict.fromkeys(("action note_write", "action note_edit", "action note_both_hold"), NOTHING),
    "action note_erase": {"document removed", "looked at"},
    **dict.fromkeys(("action note_undo", "action note_new_holds", "action note_old_holds"), DOCUMENT_REMOVED),
    "action note_still_right": {"note dated"},
    "view note_form": {"document added", "note dated"},
    "view clip_edited": NOTHING,  # one's own words, put right
    "view channel_settings": SETTINGS | {"version trained"},
    "view workspace_settings": {"workspace setting"},
    "page /usage": {"looked at"},
    "page /knowledge": {"looked at"},
    "cli serve": {"setting", "retention", "looks missed"},
    "cli connect": NOTHING,  # the app is Slack's, and nothing here changes
    "cli sandbox": NOTHING,
    "cli check": NOTHING,
    "cli health": NOTHING,
    "cli inbox": {"replayed", "discarded", "looked at"},
    "cli guard": {"examples added", "version trained"},
    "cli knowledge": {"document added", "document removed", "looked at"},
    "cli fields": {"looked at"},
    "cli usage": {"looked at"},
    "cli estimate": NOTHING,
    "cli reconcile": NOTHING,  # two totals; nobody's figures
    "cli transcribe": NOTHING,
    "cli backup": NOTHING,
    "cli move": set(),  # every entry goes along
    "cli retention": {"retention"},
    "cli forget": {"forgot person", "forgot clip"},
    "cli audit": NOTHING,
    "cli privacy": NOTHING,
    "cli settings": NOTHING,
    "control /health": NOTHING,
    "control /transcribe": NOTHING,
    "control /retention": {"retention"},
    "control /knowledge": {"document added", "document removed"},
    "control /looked": {"looked at"},
    "control /forget": {"forgot person", "forgot clip"},
    "control /inbox": {"replayed", "discarded"},
}

# What erases without an entry of its own, and why.
UNWRITTEN = {
    "deliveries.take": "digests that are too old to matter",
    "budgets.settle": "a hold becomes what it cost",
    "budgets.note_price": "that a model has no price, which is noted again where it has none",
    "budgets._begin_anew": "looked up in the ledger again",
    "clips.forget_unshown": "of a message that was deleted while it was listened to",
    "messages.retract": "a recording that was put right by its person takes its place",
    "messages.delete_wordings": "behind the deletion of a message (bot/conversation/records.py)",
    "summaries.drop_summaries": "made anew from what remains",
    "quiet_threads.set_quiet": "the id of a thread, and no word",
    "recordings.put_card": "parts become the card",
    "recordings.change_card": "parts of what the card has by now",
    "mailbox.take": "ids that processes tell each other, once they are read",
    "mailbox.drop_undeliverable": "the same, of a process that has died",
    "duties.give_up": "which process does something just now",
    "passed_over.tidy": "ids of posts that nobody asks for any more",
    "recordings.tidy": "minutes that count no more",
    "recordings.forget": "behind clips.forget",
    "recordings.forget_conversation": "what nobody may keep (bot/conversation/records.py)",
    "inbox.tidy": "keys without words",
    "vectors.tidy": "computed again where needed",
    "presence._strike_off": "numbers of processes",
    "holdings.exchange": "numbers of processes that have died",
    "channel_turns.tidy": "when something was last posted in a channel",
    "endings.put_reported": "what a server lists of its models takes its place",
    "rows.begin": "how far an earlier reading of the same document was",
    "rows.drop_rows": "a document is read anew, and yields them again",
    "rows.erase_of": "behind chunks.erase, chunks.erase_of and chunks.thin_out",
    "chunks.erase_of": "before forget, forget_user and forget_team",
    "chunks.thin_out": "before forget_user and forget_team, and counted by bot/privacy/retention.py",
    "chunks._erase_rows": "behind chunks.erase and chunks.thin_out",
    "full_text.merge": "that an index is to be merged",
    "vectors.drop_others": "made anew by another model",
    "chunks._count_down": "in how many chunks a word stands",
    "removal.drop_removed": "an id and a time, and no word",
    "retention.erase_messages": "counted by bot/privacy/retention.py",
    "retention.erase_recordings": "counted by bot/privacy/retention.py",
    "retention.erase_verdicts": "counted by bot/privacy/retention.py",
    "retention.erase_feedback": "counted by bot/privacy/retention.py",
    "retention.erase_quiet": "the id of a thread, and no word",
    "portions.erase_messages": "behind forget, forget_user and forget_team",
    "answer_examples.erase": "goes with its document or its conversation, whose end is told",
    "moving.move_channel": "the same under another id of a channel, where it stands already",
    "portions._delete": "before forget, forget_user and forget_team",
    "questions.note_answered": "a question that was changed into another by its author",
    "forget._blank_verdicts": "behind the deletion of a message (bot/conversation/records.py)",
    "forget.forget_judged": "the same",
    "forget._erase_documents": "part of forget",
    "anonymise.anonymise_day": "the same amounts under another name",
    "anonymise._anonymise_lines": "the same amounts under another name",
}
DECIDED = ("channel_wishes", "guard_policies", "guard_examples", "channel_owners", "budgets", "digests")
# What writes into them without an entry of its own, and why.
BEHIND = {
    "examples.add_example": "behind label_verdict and add_examples",
    "forget._blank_verdicts": "behind the deletion of a message (bot/conversation/records.py)",
    "digests.mark_sent": "the process remembers the week it told",
    "budgets.raise_for_a_while": "through _note",
}


# Nothing is left out


def find_surfaces() -> set[str]:
    """Every door, read off the code."""
    found = {f"{kind} {name}" for kind, names in table.table(None, None).items() for name in names}  # type: ignore[arg-type]
    found |= {"event message", "page /usage", "page /knowledge"}
    found |= {f"parley {word}" for word in words_of(commands.Commands.parley)} - {"parley help"}
    found |= {f"parley {name.partition(' ')[0]}" for name in commands.HELP} - {"parley help"}
    found |= {f"cli {name}" for name in main.COMMANDS}
    routes = control_app(
        None, None, None, transcribe_file=None, add_document=None, access_log=None, problems=None
    ).router.resources()  # type: ignore[arg-type]
    return found | {f"control /{route.canonical.split('/')[1]}" for route in routes}


def words_of(method: Any) -> set[str]:
    """What a `match` of words takes."""
    tree = ast.parse((ROOT / "handlers" / "commands.py").read_text("utf-8"))
    (function,) = (n for n in ast.walk(tree) if getattr(n, "name", "") == method.__name__)
    cases = (n for n in ast.walk(function) if isinstance(n, ast.MatchValue))
    return {case.value.value for case in cases if isinstance(case.value, ast.Constant)}  # type: ignore[misc]


def test_every_way_in_says_which_acts_are_behind_it() -> None:
    assert find_surfaces() == set(SURFACES)


def test_every_act_is_behind_a_way_in_and_every_way_in_has_acts_of_the_list() -> None:
    assert set().union(*SURFACES.values()) == set(audit.ACTS)


def test_every_act_is_written_down_somewhere() -> None:
    said = {
        node.value
        for folder in ("bot", "storage")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "storage" / "audit.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant)
    }
    assert {act for act in audit.ACTS if act.removeprefix("budget ") not in said} == set()


def test_only_known_acts_are_written_down(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="went for lunch"):
        audit.note(None, "went for lunch", "U1", now=1.0)  # type: ignore[arg-type]


def functions() -> dict[str, tuple[str, bool]]:
    """Every function of storage/: the SQL in it, and whether it adds an entry."""
    found = {}
    for path in sorted((ROOT / "storage").rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                text = ast.unparse(node)
                found[f"{path.stem}.{node.name}"] = (
                    text,
                    bool(re.search(r"audit\.note\(|[^.]_note\(", text)),
                )
    return found


def test_what_erases_adds_an_entry_or_says_here_why_not() -> None:
    silent = {name for name, (text, notes) in functions().items() if "delete from" in text and not notes}
    assert silent == set(UNWRITTEN) & set(functions()) == set(UNWRITTEN)


def test_what_decides_adds_an_entry() -> None:
    writes = re.compile(rf"(insert into|update|delete from) ({'|'.join(DECIDED)})\b")
    silent = {name for name, (text, notes) in functions().items() if writes.search(text) and not notes}
    assert silent <= set(BEHIND), silent - set(BEHIND)


# What people do is in it


def entries(tmp_path: Path) -> list[tuple[str, str, str, str]]:
    """(act, about, person, detail) of everything that has been written down."""
    return rows(tmp_path, "select act, about, person, detail from audit order by seq")


async def read_access_entries(tmp_path: Path, count: int = 1) -> list[tuple[str, str, str]]:
    """(about, person, scope) of every look, once there are so many."""

    def found() -> list[tuple[str, str, str]]:
        return [entry[1:] for entry in entries(tmp_path) if entry[0] == "looked at"]

    await until(lambda: len(found()) >= count)
    return found()


@pytest.mark.parametrize(
    ("words", "user", "about", "scope"),
    [
        ("usage", "carol", "usage", "this month's total of C0GENERAL1"),
        ("usage month by person csv", "alice", "usage", "by person as CSV; everybody's figures"),
        ("usage month by person", "bob", "usage", "by person; figures of people in C0GENERAL1 C0VAULT001"),
        ("usage 2026-10 by kind", "carol", "usage", "2026-10-01 to 2026-10-31 by kind; totals of channels"),
        ("budget", "alice", "budgets", "every budget; everybody's figures"),
        ("budget log", "alice", "budgets", "the list of changes; everybody's figures"),
        ("export", "carol", "export", "their own words"),
    ],
)
async def test_who_looks_at_a_report_is_written_down_once(
    tmp_path: Path, words: str, user: str, about: str, scope: str
) -> None:
    async with workspace(tmp_path) as team:
        await furnish(team)
        await run_command(team, user, words)
        (entry,) = await read_access_entries(tmp_path)
        assert entry[:2] == (about, team.slack.user(user))
        assert entry[2].endswith(scope)
    assert len(await read_access_entries(tmp_path)) == 1


async def test_the_usage_page_and_its_files_are_looks_and_an_address_is_not_written_down(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with workspace(tmp_path, PORT=str(unused_tcp_port), PARLEY_PUBLIC_URL=url) as team:
        alice = team.slack.user("alice")
        link = team.bot.services.costs.link(team.slack.team, alice)
        async with aiohttp.ClientSession() as session:
            for more in (f"&person={SECRET}", "&format=csv&by=person"):
                async with session.get(link + more) as response:
                    assert response.status == 200
            async with session.get(link.replace("token=", "token=x")) as response:
                assert response.status == 403
        page, sheet = await read_access_entries(tmp_path, 2)
    assert [entry[:2] for entry in (page, sheet)] == [("usage page", alice)] * 2
    assert page[2].endswith("by channel of one person; everybody's figures")
    assert sheet[2].endswith("by person as csv; everybody's figures")
    assert SECRET not in repr(entries(tmp_path))
    assert len(await read_access_entries(tmp_path, 2)) == 2


async def test_the_knowledge_page_and_its_files_are_looks_and_an_address_is_not_written_down(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with workspace(tmp_path, PORT=str(unused_tcp_port), PARLEY_PUBLIC_URL=url) as team:
        bob, general = team.slack.user("bob"), team.slack.channel("#general")
        link = team.bot.services.knowledge_page.link(team.slack.team, bob, general)
        async with aiohttp.ClientSession() as session:
            for more, status in ((f"&f.x={SECRET}", 200), ("&table=notes", 200), (f"&table={SECRET}", 400)):
                async with session.get(link + more) as response:
                    assert response.status == status
        looks = await read_access_entries(tmp_path, 2)
    about = "knowledge page"
    assert looks == [(about, bob, general), (about, bob, f"notes of {general} as csv")]


async def test_home_is_a_look_where_it_shows_the_workspace_and_not_where_it_shows_oneself(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        for user in ("bob", "alice"):
            await team.slack.open_home(user)
            await team.slack.until(lambda user=user: team.slack.home(user))
        admin = team.slack.user("alice")
        assert await read_access_entries(tmp_path) == [("home", admin, "the workspace's month; every budget")]


async def test_what_an_operator_looks_at_beside_a_running_bot_is_written_down(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        usage = argparse.Namespace(span="month", by=("person",), team="", format="csv")
        assert await usage_cli.run(usage, team.bot.settings) == 0
        await tell_in_thread(team)
        assert await inbox.run(argparse.Namespace(action="show", seq=1), team.bot.settings) == 0
        report, job = await read_access_entries(tmp_path, 2)
        assert report[:2] == ("usage", "")
        assert report[2].endswith("by person as csv; everybody's figures")
        assert job == ("inbox", "", "all of job 1")


async def test_what_is_taught_and_what_an_owner_reads_of_others_is_written_down(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Gently.", match=is_answer, times=0)
        team.model.script(verdict(0.1), match=CARD, times=0)
        await save(team, purpose=PURPOSE, shadow="false", belongs="how do i boil eggs\nwhat is a roux")
        thread = await team.ask(f"@parley {CARD}", user="bob")
        await team.answer("#general", thread)
        await team.quiet()
        (reply,) = team.replies("#general", thread)
        await team.slack.shortcut("alice", "why", channel="#general", ts=reply["ts"])
        await filled(team)
        await team.slack.close_modal("alice")
        await team.slack.press("alice", "#general", reply["ts"], SHOULD_ANSWER)
        await team.quiet()
        form = await opened(team)
        for count, action in enumerate((OPEN_RECORD, OPEN_QUESTIONS, OPEN_LEARNING), 2):
            await team.slack.press("alice", "", "", action, view_id=form["id"])
            await filled(team, depth=2)
            await read_access_entries(tmp_path, count)
            await team.slack.close_modal("alice")
        alice, channel = team.slack.user("alice"), team.slack.channel("#general")
        written = [entry for entry in entries(tmp_path) if entry[2] == alice]
        assert ("policy set", channel, alice, "purpose, belongs +2 -0, shadow") in written
        assert ("example added", channel, alice, "belongs, of verdict 1") in written
        assert [about for act, about, _, _ in written if act == "looked at"] == [
            "why",
            "guard record",
            "unanswered questions",
            "answer learning",
        ]
        assert CARD not in repr(entries(tmp_path))


async def test_a_message_that_was_deleted_and_a_clip_that_was_forgotten_are_in_it(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        thread = await tell_in_thread(team)
        await team.slack.delete("alice", "#general", thread)
        await until(lambda: any(entry[0] == "forgot message" for entry in entries(tmp_path)))
        spoken = await drop(team, clip(range(10, 16), tmp_path))
        await until(lambda: cards(team, spoken) and team.bot.services.inbox.idle, PATIENCE_S)
        await press_card(team, spoken, FORGET_CLIP)
        await until(lambda: any(entry[0] == "forgot clip" for entry in entries(tmp_path)))
        channel, alice = team.slack.channel("#general"), team.slack.user("alice")
        assert ("forgot message", f"{channel}:{thread}", "", "") in entries(tmp_path)
        assert ("forgot clip", f"{channel}:{spoken}", alice, "") in entries(tmp_path)


async def test_the_weekly_digest_is_switched_on_and_off_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        for words in ("digest on", "digest on", "digest off", "digest off"):
            await run_command(team, "bob", words)
        bob = team.slack.user("bob")
        switched = [entry[:3] for entry in entries(tmp_path) if entry[0].startswith("digest")]
        assert switched == [("digest on", bob, bob), ("digest off", bob, bob)]


# A database that does not take it


@pytest.mark.sqlite_file
async def test_a_report_waits_for_no_entry_and_the_entry_waits_for_the_database(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        other = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        other.execute("begin immediate")
        shown = await run_command(team, "alice", "usage month by person")
        assert "Usage" in str(shown)
        assert "looked at" not in [entry[0] for entry in entries(tmp_path)]
        other.execute("rollback")
        other.close()
        assert len(await read_access_entries(tmp_path)) == 1


async def test_what_waits_at_the_end_is_written_down_before_it(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        noted = AccessLog(engine)
        async with noted.written_down():
            noted.note("T", "U1", "usage", "everything")
    assert await read_access_entries(tmp_path) == [("usage", "U1", "everything")]


async def test_looks_that_could_not_wait_are_counted_in_the_list_and_for_the_monitor(tmp_path: Path) -> None:
    before = METRICS.render()
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        noted = AccessLog(engine)
        for number in range(WAITING + 2):
            noted.note("T", f"U{number}", "usage", "everything")
        async with noted.written_down():
            await read_access_entries(tmp_path, WAITING)
    assert [entry[:2] for entry in entries(tmp_path)][-1] == ("looks missed", "2 looks")
    (line,) = [line for line in METRICS.render().splitlines() if line.startswith("parley_audit_missed_total")]
    assert line not in before
