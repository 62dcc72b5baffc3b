"""Makes RELIABILITY.md from the faults below, the tests that inject them and their last results.

    python -m tests.faults.reliability           runs those tests, then makes the page
    python -m tests.faults.reliability --row 17  runs those of one row again
    python -m tests.faults.reliability --page    makes the page from the results that are there

A test that is named `test_row_NN_…` injects row NN; tests of other names are listed beside their row. The
slow ones (`make soak`, `make soak-hours`, `make load`, `make mutants`) note their figures here. A test
compares the page with what this makes.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from tests.support.named_tests import TESTS, by_row, every_test

PAGE = TESTS.parent / "RELIABILITY.md"
RESULTS = Path(__file__).with_name("reliability.json")
NAMED = re.compile(r"test_row_(\d\d)_")


@dataclass(frozen=True, slots=True)
class Fault:
    """`also`: tests of other names; `waits_for`: what has to be there before it can happen."""

    what: str
    sees: str  # what the person sees, or the operator
    also: tuple[str, ...] = ()
    waits_for: str = ""


KILLED = "test_killed_at_this_point_the_person_still_gets_exactly_one_answer"
KILLED_TELLING = "test_killed_while_slack_is_told_the_person_still_gets_exactly_one_answer"

FAULTS = (
    Fault("Killed while a message is received", "the answer, after Slack's next delivery", (KILLED,)),
    Fault("Killed between acknowledgement and request", "the answer after the restart", (KILLED,)),
    Fault(
        "Killed while the model answers",
        "one answer; one more model request, booked",
        (KILLED, KILLED_TELLING),
    ),
    Fault(
        "Killed with the answer committed",
        "the answer, without asking the model again",
        (KILLED, KILLED_TELLING),
    ),
    Fault("Killed after Slack took the post", "one answer: the thread is looked at first", (KILLED_TELLING,)),
    Fault("Killed in mid-stream", "the same message is finished; no status stays", (KILLED_TELLING,)),
    Fault(
        "Kills and faults at random, by seed",
        "nothing lost, nothing twice",
        ("test_random_kills_lose_nothing_and_double_nothing",),
    ),
    Fault(
        "SIGTERM under load",
        "nothing: work in flight ends, the rest waits on disk",
        ("test_told_to_stop_it_ends_what_it_began_and_leaves_the_rest_for_the_next_start",),
    ),
    Fault("A slow worker loses its lease to another", "one answer"),
    Fault(
        "An upgrade with messages queued",
        "nothing: they are answered by the new version",
        ("test_a_file_of_a_newer_version_is_refused",),
    ),
    Fault("Yesterday's backup restored", "no late answers; what was answered stays"),
    Fault("Slack: 429 with Retry-After", "a delay in that channel, in order; none elsewhere"),
    Fault("Slack: 429 with a junk header, or twenty of them", "a delay"),
    Fault(
        "Slack: 500, 502, 503, HTML, ok:false with its own trouble",
        "a delay",
        ("test_whatever_slack_answers_the_person_gets_the_answer_once",),
    ),
    Fault(
        "Slack took the post and the answer was lost",
        "one message",
        ("test_a_post_whose_answer_was_lost_is_looked_for_and_not_repeated",),
    ),
    Fault(
        "An answer beyond Slack's limits, invalid blocks",
        "parts, none of it lost",
        ("test_a_very_long_answer_comes_in_parts_and_none_of_it_is_lost",),
    ),
    Fault("The channel or thread is gone or closed to us", "the answer in a direct message"),
    Fault("The token is revoked", "the operator one alert; answers wait for a new token"),
    Fault("A scope is missing", "the answer without what needed it; the log names the scope"),
    Fault(
        "Slack ends a stream",
        "the whole answer, by an edit",
        ("test_a_stream_that_slack_lost_is_finished_by_an_edit",),
    ),
    Fault("Slack does not say who we are", "a delay"),
    Fault(
        "A file's address gives a sign-in page, a redirect, too much, nothing",
        "“I could not read the file”, and why",
        (
            "test_a_sign_in_page_is_never_taken_for_the_file",
            "test_the_token_follows_no_redirect",
            "test_what_turns_out_larger_than_announced_is_cut_off",
            "test_a_file_that_drips_is_given_up_in_time",
        ),
    ),
    Fault(
        "Sockets drop, freeze, are refreshed, speak garbage, cannot be opened",
        "nothing, or a delay",
        ("test_a_refresh_of_one_socket_leaves_no_gap",),
    ),
    Fault(
        "One post delivered again and again, under many ids, after restarts",
        "one answer",
        (
            "test_four_deliveries_of_one_event_make_one_turn",
            "test_a_delivery_that_comes_again_after_a_restart_is_known",
        ),
    ),
    Fault("A retry is the only delivery that arrives", "the answer"),
    Fault(
        "Edits and deletions overtake their message",
        "the answer to what stands there; none to what is gone",
        ("test_follow_ups_sent_in_a_burst_are_answered_in_order",),
    ),
    Fault("Bursts, and one person who floods", "others are not slowed"),
    Fault("A delivery signed at another time", "refused; nothing is stored"),
    Fault("Bodies that are no delivery", "refused with 4xx; nothing is stored"),
    Fault("Connections that never finish asking", "good deliveries pass; the others are closed"),
    Fault("Model: 429, tokens per minute", "a delay"),
    Fault("Model: no quota, wrong key, filtered", "one sentence at once; the operator one alert"),
    Fault("Model: 500, 503, dropped", "an answer after at most two more tries, or “Try again”"),
    Fault("Model: the answer breaks off", "what came, marked; its use estimated"),
    Fault("Model: length, content filter, refusal, HTML", "one sentence; nothing is asked again blindly"),
    Fault("Model: the conversation is too long", "the answer from less of it"),
    Fault(
        "Model: usage missing or impossible",
        "an estimate, marked; reports stay right",
        ("test_usage_that_is_missing_or_cannot_be_true_is_counted_by_us",),
    ),
    Fault("Model: tool calls that go in circles", "", waits_for="tools: the model has none"),
    Fault(
        "Model: away for long",
        "one sentence at once, answers again when it is back",
        ("test_after_a_pause_one_probe_passes_and_its_success_closes",),
    ),
    Fault(
        "Speech: empty, too long, wrong type, silence",
        "“nothing heard”, and nothing paid",
        (
            "test_nothing_to_hear_costs_nothing",
            "test_broken_and_hostile_files_cost_nothing",
            "test_words_made_up_for_silence_are_left_out",
        ),
    ),
    Fault(
        "The disk is full",
        "a delay: what cannot be kept is not acknowledged",
        ("test_a_full_disk_fails_what_did_not_fit_and_work_goes_on_when_there_is_room",),
    ),
    Fault("Writing or syncing fails now and then", "a delay: a failed commit is not acknowledged"),
    Fault("The n-th write fails, for every n", "a delay; nothing lost, nothing twice"),
    Fault(
        "The database is locked by another program",
        "a delay",
        ("test_a_shell_that_holds_the_file_delays_writes_and_blocks_nothing_else",),
    ),
    Fault(
        "The database is damaged or empty",
        "the operator one line; it is not written over",
        (
            "test_a_file_with_a_broken_header_is_left_alone",
            "test_a_damaged_file_is_not_written_to",
            "test_an_empty_file_where_a_database_was_is_not_begun_anew",
        ),
    ),
    Fault(
        "The database is read-only, somebody else's, deleted while open",
        "the operator one line; nothing more is acknowledged",
        ("test_a_place_where_no_file_can_be_is_told_in_words",),
    ),
    Fault("PostgreSQL fails over, a backend is killed", "a delay"),
    Fault(
        "Clocks jump, midnight, summer time",
        "answers; no cap starts anew",
        (
            "test_a_clock_that_jumps_back_does_not_start_a_cap_anew",
            "test_a_request_over_midnight_is_charged_to_the_day_it_began",
            "test_days_where_clocks_change_begin_at_their_own_midnight",
        ),
    ),
    Fault("Ten thousand messages queued", "a delay; memory stays bounded"),
    Fault(
        "The event loop is blocked",
        "others are answered: what is slow runs elsewhere",
        (
            "test_a_blocked_loop_is_seen",
            "test_long_texts_are_counted_off_the_loop",
        ),
    ),
    Fault(
        "A decoder dies, hangs, eats memory",
        "“I could not read it”; the bot lives on",
        (
            "test_memory_has_a_ceiling_and_the_bot_lives_on",
            "test_a_child_that_says_nothing_is_ended",
        ),
    ),
    Fault("Nobody reads the log", "nothing"),
    Fault(
        "No network for the tokenizer's vocabulary",
        "nothing: it is in the package",
        ("test_a_short_text_loads_no_vocabulary_and_nothing_is_downloaded",),
    ),
    Fault("Settings that are missing, swapped, misspelt", "the operator one line; no secret in it"),
    Fault("All of it at random, for long", "nothing lost, nothing twice"),
    Fault(
        "Model: its server restarts, or loads its model",
        "a delay, and why; after PARLEY_MODEL_PATIENCE_S one sentence and “Try again”",
        ("test_after_the_patience_the_person_is_told_and_may_try_again",),
    ),
    Fault(
        "Model: away while another may be asked",
        "the other's answer; “Why this answer?” says so",
        (
            "test_whatever_says_that_a_server_cannot_answer_leads_to_the_next",
            "test_after_the_first_word_nobody_else_goes_on",
        ),
    ),
    Fault(
        "Model: it has ended",
        "its successor's answer; the operator one message",
        ("test_the_operator_and_the_channels_owner_are_told_once_and_home_says_it",),
    ),
    Fault(
        "A storm of crashes",
        "a delay; only who kills the process alone is given up on, and told so once",
        (
            "test_a_death_is_charged_only_to_a_job_that_ran_alone",
            "test_no_job_is_parked_for_a_storm_of_kills_whatever_it_does_meanwhile",
            "test_a_question_that_kills_every_process_is_given_up_and_told_once_also_over_a_kill",
            "test_no_innocent_question_is_given_up_in_a_storm_of_kills",
            "test_random_kills_lose_nothing_and_double_nothing",
        ),
    ),
    Fault(
        "Thousands of messages expire at once",
        "nothing: they go in portions, answers come in between",
        ("test_a_process_that_dies_between_portions_leaves_the_rest_for_the_next_time",),
    ),
    Fault(
        "More waits than Slack takes",
        "answers as fast as Slack takes them, in order; who asks just now goes first",
        (
            "test_a_thousand_that_wait_for_a_refused_method_do_not_wake_together",
            "test_what_a_workspace_takes_in_all_is_found_out_and_then_kept",
        ),
    ),
    Fault(
        "Slack's history lags behind its posts",
        "one answer",
        ("test_a_history_that_lags_behind_is_read_again",),
    ),
    Fault(
        "What follows a mention arrives before it",
        "an answer to both",
        ("test_what_overtook_its_mention_is_asked_once_with_it_and_not_when_it_is_delivered_again",),
    ),
    Fault(
        "Killed while a document is taken in, replaced or removed",
        "one card; the document is found once, or not at all",
        (
            "test_a_bot_killed_while_it_takes_a_document_in_has_it_once",
            "test_a_bot_killed_while_it_replaces_a_document_has_the_new_one_alone",
            "test_a_bot_killed_while_it_removes_a_document_leaves_nothing_of_it",
        ),
    ),
    Fault(
        "Killed while something is remembered",
        "one note, and one reply that says so",
        ("test_a_bot_killed_while_it_remembers_something_has_it_once_and_says_so_once",),
    ),
    Fault(
        "Killed while refused questions are asked again",
        "whoever asked hears the answer in their thread, once",
        ("test_a_bot_killed_at_every_step_of_a_repair_tells_each_asker_once",),
    ),
    Fault(
        "Killed while people who know are asked, or confirm an answer",
        "they are asked once; whoever asked hears the answer once; one note",
        ("test_a_bot_killed_at_every_step_asks_people_once_and_tells_the_asker_once",),
    ),
)

HEAD = """# Reliability

What may break, what the person sees then, and which test breaks it on purpose. After every fault the tests
hold Parley to three promises, read off Slack, the model and the database (`tests/support/promises.py`):

- **One end.** Every message that was acknowledged ends in one answer, one refusal or one plain error.
- **Never two.** No reply is there twice; no stray message, open stream or busy-looking thread stays behind.
- **Every request is booked.** Each model request has one ledger row, and each success is counted once.

This page is made by `make reliability`, which runs these tests first. "soak" stands for what takes minutes:
`make soak`, `make soak-hours` and `make load`, whose last figures are below.

| # | fault | what the person sees | tests | last run |
|---|---|---|---|---|
"""


def rows() -> Iterator[tuple[int, Fault, list[str]]]:
    """Each fault with its number and the names of its tests."""
    own = by_row(NAMED)
    for number, fault in enumerate(FAULTS, start=1):
        yield number, fault, [*own.get(number, []), *fault.also]
    assert set(own) <= set(range(1, len(FAULTS) + 1)), "a test is named for a row that is not there"


def is_slow(test: str) -> bool:
    source = every_test()[test].read_text("utf-8")
    before = source[: re.search(rf"def {test}\b", source).start()]  # type: ignore[union-attr]
    return "pytest.mark.slow" in before.rpartition("\n\n\n")[2]


# What asserts the promises: of the process that was broken, and of the simulator's, a process of its own.
PROMISES = {("support.promises", "assert_kept"), ("simulator.test_simulator", "simulate")}


def asserts_promises(test: str) -> bool:
    """Whether a test reaches the assertion of the promises, in its own words or through what it calls."""
    seen: set[tuple[str, str]] = set()
    ahead = [(".".join(every_test()[test].relative_to(TESTS).with_suffix("").parts), test)]
    while ahead:
        at = ahead.pop()
        if at not in seen:
            seen.add(at)
            ahead += _called(*at)
    return bool(seen & PROMISES)


@cache
def _called(module: str, name: str) -> tuple[tuple[str, str], ...]:
    """The functions of the tests that a function (or a class) names."""
    functions, imported = _defined(module)
    if name not in functions:
        return ()
    names = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
    return tuple(imported.get(used, (module, used)) for used in names)


@cache
def _defined(module: str) -> tuple[dict[str, ast.AST], dict[str, tuple[str, str]]]:
    """What a module of the tests defines, and what it imports from others of them: (module, name)."""
    path = TESTS.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    functions = {node.name: node for node in tree.body if isinstance(node, kinds)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return functions, {
        alias.name: (str(node.module).removeprefix("tests."), alias.name)
        for node in imports
        for alias in node.names
        if str(node.module).startswith("tests.")
    }


def results() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return {"tests": {}, "figures": {}, "on": ""} | found


def note(what: str, figures: str) -> None:
    """Keeps the figures of a long run for the page."""
    kept = results()
    kept["figures"][what] = f"{datetime.now(UTC):%Y-%m-%d}: {figures}"
    _keep(kept)


def _keep(kept: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")


def page() -> str:
    kept = results()
    table = [_row(number, fault, tests, kept["tests"]) for number, fault, tests in rows()]
    figures = [f"- {what}: {figure}" for what, figure in sorted(kept["figures"].items())]
    last = f"\nTests last run on {kept['on']}.\n\n## The long runs\n\n"
    return HEAD + "\n".join(table) + "\n" + last + "\n".join(figures) + "\n"


def _row(number: int, fault: Fault, tests: list[str], ended: dict[str, str]) -> str:
    if fault.waits_for:
        return f"| {number} | {fault.what} | {fault.sees} | waits for {fault.waits_for} | |"
    outcomes = {"soak" if is_slow(test) else ended.get(test, "not run") for test in tests}
    shown = "<br>".join(f"`{test.removeprefix('test_')}`" for test in tests)
    return f"| {number} | {fault.what} | {fault.sees} | {shown} | {', '.join(sorted(outcomes))} |"


def run(only: int, options: list[str]) -> dict[str, str]:
    """Runs the tests of one row, or (0) of all, that are not slow: how each ended, the worst of its cases."""
    chosen = [tests for number, _, tests in rows() if only in (0, number)]
    wanted = sorted({test for tests in chosen for test in tests if not is_slow(test)})
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *options]
        named = [f"{every_test()[test].relative_to(TESTS.parent)}::{test}" for test in wanted]
        subprocess.run([*command, *named], check=False, cwd=TESTS.parent)
        return dict(_ends(report))


def _ends(report: Path) -> Iterator[tuple[str, str]]:
    worst: dict[str, str] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        test = case.attrib["name"].partition("[")[0]
        kinds = {child.tag for child in case}
        ended = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        worst[test] = max(ended, worst.get(test, ""), key=["", "passed", "skipped", "failed"].index)
    yield from worst.items()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.reliability", description="Other options go to pytest."
    )
    parser.add_argument("--row", type=int, default=0)
    parser.add_argument("--page", action="store_true")
    asked, options = parser.parse_known_args()
    kept = results()
    if not asked.page:
        ended = run(asked.row, options)
        kept["tests"] = ended if not asked.row else kept["tests"] | ended
        kept["on"] = f"{datetime.now(UTC):%Y-%m-%d}"
        _keep(kept)
    PAGE.write_text(page(), "utf-8")
    return int("failed" in kept["tests"].values())


if __name__ == "__main__":
    sys.exit(main())
