"""Makes SECURITY.md from the attacks below and the tests that try them: `python -m tests.attacks.security`.

A test that is named `test_attack_NN_…` tries row NN; tests of other names are listed beside their row. A test
compares the page, so an attack cannot lose its tests unseen.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.support.named_tests import TESTS, by_row

PAGE = TESTS.parent / "SECURITY.md"
FIGURES = Path(__file__).with_name("security.json")
NAMED = re.compile(r"test_attack_(\d\d)_")


@dataclass(frozen=True, slots=True)
class Attack:
    """`also`: tests of other names, `waits_for`: the feature that is not there yet."""

    what: str
    defence: str
    also: tuple[str, ...] = ()
    waits_for: str = ""


ATTACKS = (
    Attack(
        "An order to the model hidden in a message, a thread, a document, a recording, a file's name, in "
        "what is forwarded or posted by an app; words that pass for somebody else's",
        "the model has no tools; what it says is data and passes handlers/reply/output_filter.py; each line "
        "of what others wrote is marked, and nobody's words make a mark (bot/text/marks.py)",
        (
            "test_no_text_ends_the_mark_that_it_stands_under",
            "test_no_words_of_a_person_are_a_mark",
            "test_a_person_cannot_make_a_mark",
        ),
    ),
    Attack(
        "A link that carries what the model read",
        "links lead to hosts of the operator's list, or to an address that people wrote in this conversation,"
        " letter for letter",
        ("test_no_link_leads_to_a_host_nobody_vouched_for",),
    ),
    Attack(
        "The same by reference link, picture, HTML or date token",
        "only plain Markdown comes out; no picture, no reference, no HTML, no block of the model's",
        ("test_nothing_gets_through_in_any_mixture",),
    ),
    Attack(
        "A bare host that Slack makes a link of",
        "an unseen joiner keeps it from being one, while the answer streams too; previews are off in every"
        " post and answer",
        ("test_every_chunking_of_an_answer_is_filtered_to_the_same_text",),
    ),
    Attack(
        "@channel and its spellings",
        "tokens are escaped last and once; no link_names, no parse",
        ("test_nobody_is_called_who_did_not_ask",),
    ),
    Attack(
        "Calling other people, naming private channels", "only the asker can be mentioned; channels are not"
    ),
    Attack(
        "Reading another channel's, person's or team's words",
        "memory is keyed by team, channel and thread; reports are cut to what the asker may see then",
        (
            "test_a_private_channels_rows_reach_nobody_outside_it",
            "test_guessing_an_id_does_not_tell_its_name",
            "test_a_warning_does_not_name_a_private_channel_to_an_owner_who_is_not_in_it",
        ),
    ),
    Attack(
        "People of another company ask in a shared channel",
        "each question by itself, no memory, no documents, no word kept after the answer, unless the operator"
        " allows it",
        (
            "test_in_a_shared_channel_each_question_is_answered_by_itself_and_no_word_is_kept",
            "test_what_was_remembered_before_a_channel_was_shared_is_not_recalled_in_it",
            "test_documents_are_not_told_where_another_company_reads_along",
            "test_what_was_heard_in_a_clip_there_stays_in_slack_alone_and_can_be_forgotten_there",
            "test_what_was_given_up_there_stays_listed_without_its_words",
        ),
    ),
    Attack(
        "A file's address that leads elsewhere",
        "the token goes to files.slack.com by TLS alone and follows no redirect",
        ("test_the_token_follows_no_redirect",),
    ),
    Attack("An address in a message that leads inside", "nothing that a person writes is ever fetched"),
    Attack(
        "A sign-in page in the place of a file",
        "what the bytes are decides, not the status or the name",
        ("test_a_sign_in_page_is_never_taken_for_the_file",),
    ),
    Attack("A forged response_url", "answers go to hooks.slack.com by TLS alone"),
    Attack(
        "Deliveries that are unsigned, old, repeated or with doubled headers",
        "Slack's signature over the raw body, five minutes, the inbox's key, and a digest of each "
        "signature that a command, a button or a form came with",
        (
            "test_only_what_slack_signed_just_now_is_taken_and_junk_is_refused",
            "test_a_signed_command_runs_once_however_often_it_is_delivered",
            "test_a_header_that_is_too_large_is_refused_in_a_line",
        ),
    ),
    Attack(
        "Characters that nobody sees",
        "taken out on the way in, before the model is asked, and on the way out",
        ("test_what_nobody_sees_goes",),
    ),
    Attack(
        "A question smuggled past the guard",
        "the judge's answer has a strict form; what has not is no verdict, and the channel's policy decides",
        ("test_orders_to_a_model_that_obeys_them_are_refused",),
    ),
    Attack(
        "Getting at the instructions", "nothing secret stands in a prompt but what the operator wrote there"
    ),
    Attack(
        "A key or token that is said again",
        "known shapes are taken out of answers and logs, the process's own secrets by their value",
        (
            "test_a_secret_of_a_known_shape_is_gone",
            "test_after_a_wrong_key_nobody_asks_again_and_the_log_has_no_key",
        ),
    ),
    Attack(
        "Forged log lines",
        "a record is one JSON line without control characters, and holds nothing that people said",
        ("test_a_record_is_one_line_whatever_is_in_it",),
    ),
    Attack(
        "Spending somebody else's money",
        "every request reserves its upper bound in every budget before it is made",
        (
            "test_a_hundred_parallel_requests_stay_below_the_cap",
            "test_a_clock_that_jumps_back_does_not_start_a_cap_anew",
            "test_minutes_are_capped_for_a_clip_a_person_and_a_day",
        ),
    ),
    Attack(
        "Two bots that talk to each other",
        "bots are not answered, but for those the operator names, each so often an hour; a thread has an end",
        ("test_a_thread_that_goes_round_in_circles_comes_to_an_end",),
    ),
    Attack(
        "Archives that unpack without end",
        "a document's parts are counted, weighed before they are opened and read no further than they claim, "
        "in a process of its own with limits; an archive in an archive is not opened",
        (
            "test_what_cannot_be_read_is_told_in_a_sentence",
            "test_a_part_that_claims_less_than_it_holds_is_read_no_further_than_it_claims",
            "test_all_that_may_be_unpacked_counts_together",
            "test_one_shared_string_used_without_end_is_cut_where_the_text_is_enough",
            "test_a_sheet_of_a_million_columns_and_merged_areas_as_large_as_it_is_read",
        ),
    ),
    Attack(
        "PDF files that unpack without end",
        "read in a process of its own with limits and without a network: a page that ends it costs itself, "
        "and the others are read",
        (
            "test_a_page_that_takes_all_memory_costs_itself_and_the_others_are_read",
            "test_a_file_of_such_pages_alone_is_given_up_in_a_sentence",
            "test_pages_without_end_are_read_up_to_the_limit_and_that_is_said",
            "test_it_reads_its_file_and_has_no_network_no_programs_and_nothing_of_our_environment",
        ),
    ),
    Attack(
        "XML that expands or fetches",
        "XML that declares anything (a DTD) is refused before its first element",
        (
            "test_what_cannot_be_read_is_told_in_a_sentence",
            "test_a_file_damaged_anywhere_is_read_or_told",
        ),
    ),
    Attack(
        "Recordings whose header lies, or that last for days",
        "length is counted by decoding, in a process of its own with limits, before anything is paid",
        (
            "test_a_header_that_claims_75_hours_counts_for_what_it_holds",
            "test_an_hour_in_a_few_bytes_is_refused_by_decoding_only_what_is_allowed",
            "test_memory_has_a_ceiling_and_the_bot_lives_on",
            "test_bombs_and_traps_cost_nothing_and_are_told",
        ),
    ),
    Attack(
        "A playlist in a container's name that opens files or addresses",
        "formats are a list, there is no network in the decoder",
        ("test_a_playlist_hidden_in_a_container_name_opens_nothing",),
    ),
    Attack(
        "Text that makes a pattern run for ever",
        "work grows with the text, counted in steps",
        (
            "test_work_grows_with_the_text_and_not_with_its_square",
            "test_deep_and_large_messages_are_read_in_part_and_in_time",
        ),
    ),
    Attack(
        "Formulas in a report",
        "no cell of a CSV begins like one, nor any behind a semicolon, a tab or a line break in it",
    ),
    Attack("SQL written by a model", "nothing runs it yet", waits_for="questions to the database in words"),
    Attack(
        "Names of files",
        "a name is shown as filtered words, what is hidden in it is written out, and it is never a path",
        (
            "test_it_is_gone_from_this_machine_afterwards_and_its_name_was_never_used",
            "test_a_files_name_hides_nothing_and_is_no_mark",
            "test_what_is_not_seen_in_a_name_is_written_out",
        ),
    ),
    Attack(
        "Pressing somebody else's button",
        "who may is looked up when it is pressed, in the team it is pressed in",
        (
            "test_nobody_else_overturns_anything",
            "test_who_lost_the_right_while_the_form_was_open_changes_nothing",
        ),
    ),
    Attack(
        "Orders of somebody who may not give them",
        "rights are asked of Slack each time, and every change is written down",
        (
            "test_only_admins_name_owners",
            "test_every_decision_leaves_an_entry_and_no_entry_holds_what_was_said",
            "test_every_way_in_says_which_acts_are_behind_it",
        ),
    ),
    Attack(
        "Connections that never end, bodies too large",
        "deadlines and a limit; nothing is unpacked",
        (
            "test_row_30_a_connection_that_never_finishes_asking_is_closed",
            "test_row_30_a_body_that_never_ends_is_refused_in_time",
        ),
    ),
    Attack(
        "Reading names out of /metrics",
        "a bind of its own, no ids and no words",
        ("test_no_label_can_name_a_person_or_a_place",),
    ),
    Attack("One cache for two tenants", "the provider's cache key is a hash over team, channel and thread"),
    Attack(
        "A poisoned dependency",
        "everything is locked with hashes, and audited (`make audit`); no secret is tracked",
        (
            "test_an_audit_that_could_not_look_does_not_pass",
            "test_no_secret_is_tracked",
        ),
    ),
    Attack(
        "A server that drips",
        "every request has a deadline for all of it",
        (
            "test_a_file_that_drips_is_given_up_in_time",
            "test_a_stream_that_drips_for_ever_ends_at_the_deadline",
        ),
    ),
    Attack(
        "A request that no verdict of the guard covers: behind 4,000 characters, what began a thread behind "
        '"ok", an edited question, what was overheard, in any language',
        "verdicts cover the very words that were judged (bot/guard/coverage.py); all else that the model "
        "would read is judged with the message, and what was refused is not read again",
        (
            "test_every_word_that_was_not_judged_is_in_some_part",
            "test_while_nothing_can_judge_nothing_is_covered",
        ),
    ),
    Attack(
        "A request that few examples take for the subject: something else under a phrase of it, a word of it "
        "in its other sense",
        "the classifier is sure of messages alone whose every word its examples have, and of none before "
        "there are thirty unlike ones (bot/ml/known_words.py); where no judge answers, the channel's setting "
        "decides",
        ("test_a_verdict_is_backed_by_words_that_examples_of_its_kind_have",),
    ),
    Attack(
        "A redirect or an address that leads words elsewhere, or unencrypted out of the house",
        "every request goes by the hosts that the operator names and by https, but on this machine and in "
        "private networks (bot/provider/model_hosts.py); no redirect of Slack's is followed",
        (
            "test_no_redirect_leads_words_to_another_host",
            "test_a_redirect_to_plain_http_out_of_the_house_is_not_followed",
            "test_no_redirect_of_slacks_api_is_followed",
            "test_no_token_travels_without_encryption_out_of_the_house",
        ),
    ),
    Attack(
        "Files that fill the disk together",
        "one ceiling for all temporary files (bot/core/temporary.py)",
        (
            "test_files_that_are_fetched_at_once_share_one_ceiling_and_who_is_beyond_it_is_told",
            "test_parts_that_find_no_room_end_the_work_in_a_sentence",
        ),
    ),
    Attack(
        "A document that is asked about from where it does not belong: another channel, workspace or person, "
        "by a guest, with orders in every document to tell all of them",
        "the query itself is bounded by who asks from where (storage/knowledge/audiences.py); "
        "the model is given nothing else",
    ),
    Attack(
        "A document that strangers or guests put into a channel, or read where another company reads along",
        "only members add to a channel, only admins to the workspace; nothing is found in a shared channel",
    ),
    Attack(
        "A document of the workspace whose file, or thread, is changed after its channel became private",
        "a new version is hidden for the reason for which the one before is",
    ),
    Attack(
        "A document that was hidden for two reasons, and one of them ends",
        "before it is shown again, its file, channel and person are asked about once more",
    ),
    Attack(
        "A file deleted in Slack that was read for a question of its thread",
        "what was attached goes with the file, and is not found any more",
    ),
    Attack(
        "A file's name with Slack's markup: a link, a mention",
        "cards, lists, windows and errors show it letter for letter",
    ),
    Attack(
        "A file that is called otherwise after it was taken in, like somebody else's document",
        "it is read again under its own name and takes nobody's place",
    ),
    Attack(
        "A file of somebody's that was first read for another person's question, when its owner is forgotten",
        "what was attached belongs to who attached it",
    ),
    Attack(
        "A note that nobody asked for, or that passes for somebody else's: in a file, a quote, what the "
        "model says, a title or a heading",
        "only a person's own words to Parley are remembered; what looks like a note's line stands in "
        "quotation marks (bot/knowledge/note_lines.py); others' notes are not theirs to erase",
        (
            "test_a_file_or_the_model_that_says_so_has_nothing_remembered",
            "test_a_note_pings_nobody_and_links_nowhere_and_is_not_for_others_to_erase",
            "test_what_was_said_in_a_direct_message_is_not_shown_in_a_channel",
            "test_what_imitates_the_line_of_a_note_stands_in_quotation_marks",
            "test_a_name_cannot_say_more_than_a_name",
        ),
    ),
    Attack(
        "A document that says what its fields are to be, or what another document says",
        "a value and a line count where their quotes stand in that very document, word for word; what is not "
        "sure is marked",
        (
            "test_a_document_that_gives_orders_makes_no_value_sure",
            "test_every_value_is_right_or_marked_however_the_model_errs",
            "test_rows_leave_as_files_that_no_spreadsheet_computes",
            "test_nothing_in_a_document_begins_another_one",
            "test_a_line_that_its_own_document_does_not_prove_is_asked_for_again_and_then_not_told",
        ),
    ),
    Attack(
        "Answering for people who know, or teaching a channel, as a guest or from outside",
        "who is named, and a member, is asked of Slack each time; guests, outsiders and shared channels "
        "teach nothing",
        ("test_who_was_not_named_is_a_guest_or_was_forgotten_is_not_asked_and_answers_for_nobody",),
    ),
)

HEAD = """# Security

Found a hole? Please tell the maintainers privately (on GitHub: *Security → Report a vulnerability*), not in
an issue; you get an answer within three days.

Parley assumes that the model is captured: that it does whatever anybody wrote where it reads. What must hold
then is tried by tests with a model that obeys every order (`bot/sandbox/rehearsal/obedient.py`). This page
is made from them by `python -m tests.attacks.security`.

| # | attack | what holds | tried by |
|---|---|---|---|
"""
RATES = """ The guard's two rates (row 15; `python -m tests.support.smuggling`), on questions written for this
project in four channels, each taught with sixteen examples of its owner's:

"""
TAIL = """ Beside the table: words that break things and broken JSON on every surface
(`tests/attacks/test_words.py`, `tests/attacks/test_boundaries.py`), and what is kept of people, for how long,
and who may see it (`tests/privacy/`).
"""


def named() -> dict[int, list[str]]:
    """Tests by the row they are named for."""
    return by_row(NAMED)


def page() -> str:
    tests = named()
    rows = [
        f"| {number} | {attack.what} | {attack.defence} | {tried(attack, tests.get(number, []))} |"
        for number, attack in enumerate(ATTACKS, start=1)
    ]
    rates = [f"- {what}: {figure}" for what, figure in sorted(figures().items())]
    return HEAD + "\n".join(rows) + "\n" + RATES + "\n".join(rates) + "\n" + TAIL


def figures() -> dict[str, str]:
    found: dict[str, str] = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    return found


def note(what: str, figure: str) -> None:
    """Keeps the figures of a run for the page."""
    kept = figures() | {what: f"{datetime.now(UTC):%Y-%m-%d}: {figure}"}
    FIGURES.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", "utf-8")


def tried(attack: Attack, own: list[str]) -> str:
    if attack.waits_for:
        return f"waits for {attack.waits_for}"
    return "<br>".join(f"`{test}`" for test in (*own, *attack.also))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
