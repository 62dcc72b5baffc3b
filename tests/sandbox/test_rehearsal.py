"""The rehearsal model uses what was said, keeps to passages, fills forms, and never pretends to be more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.rehearsal.answers import NO_CONTEXT, answer
from bot.sandbox.rehearsal.memory import ASSISTANT, HUMAN, split_transcript
from bot.sandbox.rehearsal.question import TextRequest
from bot.sandbox.rehearsal.recordings import NOT_RECOGNISED

SYSTEM = "You are Parley, the assistant of a team, in the team's own Slack."


def reply(*said: str, system: str = SYSTEM, **body: Any) -> str:
    """The answer after these turns, person first, in a chat."""
    roles = ("user", "assistant")
    turns = (("system", system), *((roles[at % 2], text) for at, text in enumerate(said)))
    return answer(TextRequest("chat/completions", "m", turns, body)).text


def test_it_remembers_a_name_and_a_fact_and_finds_them_again() -> None:
    said = ("My name is Ada. Our release is on Thursday.", "Noted.")
    assert "Thursday" in reply(*said, "When is our release?")
    assert reply(*said, "What is my name?") == "Your name is Ada."
    table = reply(*said, "What do you remember?")
    assert "| Name | Ada |" in table
    assert "Our release is on Thursday." in table


def test_a_mark_that_tells_who_said_something_is_no_fact() -> None:
    aside = "[said to others by bob]\nI bring the slides on Monday.\n[end]"
    said = ("The hall is booked.", "Noted.", aside, "Noted.")
    assert "said to others" not in reply(*said, "Who brings what by bob to others?")
    assert "slides on Monday" in reply(*said, "When do the slides come?")


def test_a_sentence_may_hold_a_name_and_a_fact() -> None:
    said = "my name is Alice and our release is on Thursday."
    assert reply(said).startswith(f"Noted, Alice: “{said}”")
    assert reply("My name is Ada.").startswith("Nice to meet you, Ada!")


def test_a_question_is_answered_from_the_sentence_before_it() -> None:
    asked = "Please always answer in bullet points. The budget is 400 euros. What is the budget?"
    assert reply(asked).startswith("- You told me: “The budget is 400 euros.”")


def test_it_takes_in_facts_and_wishes_visibly() -> None:
    assert "“The office moved to Ghent.”" in reply("The office moved to Ghent.")
    bulleted = reply("Please always answer in bullet points.", "Noted.", "Where did the cat go?")
    assert all(line.startswith("- ") for line in bulleted.splitlines())


def test_it_says_that_it_is_a_rehearsal_model_at_first_and_then_no_more() -> None:
    first = reply("What shall we eat tonight?")
    assert "rehearsal" in first
    assert "rehearsal" not in reply("What shall we eat tonight?", first, "And tomorrow?")


def test_what_was_only_in_a_summary_is_still_known() -> None:
    system = f"{SYSTEM}\nSummary of the conversation so far:\n- The launch code word is Heron."
    assert "Heron" in reply("What is the launch code word?", system=system)


def test_it_answers_from_passages_and_refuses_exactly_when_they_do_not_hold_the_answer() -> None:
    system = (
        f"Answer only from the context; else say: {NO_CONTEXT}\nCONTEXT:\nThe museum opens at nine on Monday."
    )
    assert "nine" in reply("When does the museum open?", system=system)
    assert reply("Who painted the ceiling?", system=system) == NO_CONTEXT


def test_a_summary_keeps_names_wishes_and_facts() -> None:
    summary = reply(
        "My name is Ada. Please keep answers short. The budget is 400 euros.", "ok", "Summarise this."
    )
    for kept in ("Ada", "keep answers short", "400 euros"):
        assert kept in summary
    assert "rehearsal" not in summary


def test_bare_prompts_are_read_as_transcripts_and_run_on() -> None:
    prompt = f"{SYSTEM}\n\nHuman: My name is Ada.\nAI: Hello Ada.\nHuman: Who am I?\nAI:"
    said = answer(TextRequest("completions", "m", (("prompt", prompt),), {})).text
    assert said.startswith(" Your name is Ada.\n Human: ")
    assert said.count(" AI: ") == 2


def test_a_transcript_is_read_back_as_it_was_written() -> None:
    head, turns = split_transcript("The rules.\n\nHuman (Ann): one\ntwo\n AI: three\nHuman: four\nAI:")
    assert head == "The rules."
    assert turns == [(HUMAN, "one\ntwo"), (ASSISTANT, "three"), (HUMAN, "four")]


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "on_topic": {"type": "boolean"},
        "off_topic": {"type": "boolean"},
        "verdict": {"enum": ["answer", "refuse"]},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "reason": {"$ref": "#/$defs/why"},
        "examples": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 5},
        "note": {"anyOf": [{"type": "null"}, {"type": "string"}]},
    },
    "$defs": {"why": {"type": "string"}},
}


@pytest.mark.parametrize(
    ("message", "on"), [("Can I pay my invoice by card?", True), ("Recommend a film for tonight", False)]
)
def test_forms_are_filled_with_a_verdict_that_fits(message: str, on: bool) -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": SCHEMA}}
    purpose = "This channel is for questions about invoices, payment by card and accounts."
    filled = json.loads(reply(message, system=purpose, response_format=wanted))
    assert filled["on_topic"] is on
    assert filled["off_topic"] is not on
    assert filled["verdict"] == ("answer" if on else "refuse")
    assert (filled["probability"] > 0.5) is on
    assert len(filled["examples"]) == 5
    assert "rehearsal" in filled["reason"]


VERDICT = (
    "You decide. The channel is for: customers' orders, parcels and refunds\n"
    'These belong: ["Where is my parcel?"]\nThese do not belong: ["How do I bake a lasagne?"]\n'
    'Answer with one JSON object and nothing else: {"belongs": true or false, "probability": 0.0 to 1.0}, '
    "where probability is how likely it is."
)


@pytest.mark.parametrize(
    ("earlier", "message", "belongs"),
    [
        ("", "My parcel has not come", True),
        ("", "How do I bake a pizza?", False),
        ("", "Explain the offside rule", False),
        ("", "Good morning!", True),
        ("Where is my parcel?", "And now?", True),
        ("How do I bake a lasagne?", "And now?", False),
    ],
)
def test_a_verdict_asked_for_in_words_comes_as_the_asked_object(
    earlier: str, message: str, belongs: bool
) -> None:
    before = [{"from": "person", "said": earlier}] if earlier else []
    said = json.loads(reply(json.dumps({"earlier": before, "last_message": message}), system=VERDICT))
    assert said.keys() == {"belongs", "probability"}
    assert said["belongs"] is belongs is (said["probability"] >= 0.5)


QUOTED = (
    "Answer from the numbered passages. Answer with one JSON object and nothing else: "
    '{"answer": "…", "quotes": [{"passage": 1, "quote": "…"}]}, where each quote stands word for word. '
    f'When they do not answer: {{"answer": "{NO_CONTEXT}", "quotes": []}}'
)
PASSAGES = (
    "[Context for the next message]\n[1] The shop is in Ghent.\n\n[2] We open at nine. Closed on Monday."
)


def quoted(question: str, passages: str = PASSAGES) -> Any:
    turns = (("system", QUOTED), ("user", passages), ("user", question))
    return json.loads(answer(TextRequest("chat/completions", "m", turns, {})).text)


def test_an_answer_from_numbered_passages_quotes_the_sentence_it_stands_on() -> None:
    assert quoted("When do you open?") == {
        "answer": "We open at nine.",
        "quotes": [{"passage": 2, "quote": "We open at nine."}],
    }
    assert quoted("Who painted the ceiling?") == {"answer": NO_CONTEXT, "quotes": []}


DOCUMENT = """[Context for the next message]
[1] Team handbook, page 4, Travel, Hotels and meals, added on 2026-11-30:
Breakfast is paid. For other meals there is an allowance:

[2] Team handbook, page 4, Travel, Hotels and meals, added on 2026-11-30:
Country | Full day | Half day
Belgium | 45 euros | 20 euros
France | 58 euros | 28 euros

[3] Team handbook, page 2, Working hours, Working from home, added on 2026-11-30:
Up to three days a week may be worked from home. Wednesday is the day on which everybody is in the office."""


def test_a_row_of_a_table_is_told_with_the_names_of_its_columns_and_quoted_as_it_stands() -> None:
    said = quoted("What is the allowance for a full day in France?", DOCUMENT)
    assert said["answer"] == "France – Full day: 58 euros, Half day: 28 euros."
    for each in said["quotes"]:
        assert each["passage"] == 2
        assert each["quote"] in DOCUMENT
    assert said["quotes"][-1]["quote"] == "France | 58 euros | 28 euros"


def test_two_questions_in_one_message_are_answered_one_after_the_other() -> None:
    said = quoted("What is the allowance for a full day in France? When are all in the office?", DOCUMENT)
    assert [each["passage"] for each in said["quotes"]] == [2, 2, 3]


def test_what_stands_above_a_passage_helps_to_find_it_and_is_never_quoted() -> None:
    said = quoted("How many days a week may I work from home?", DOCUMENT)
    assert said["quotes"] == [{"passage": 3, "quote": "Up to three days a week may be worked from home."}]
    assert quoted("What is the allowance for the wifi in Spain?", DOCUMENT)["quotes"] == []


def test_a_sample_of_another_kind_is_filled_by_its_shape() -> None:
    system = 'Answer with one JSON object: {"title": "…", "count": 0, "done": true, "people": ["…"]}.'
    said = json.loads(reply("We meet on Friday", system=system))
    assert {name: type(value) for name, value in said.items()} == {
        "title": str,
        "count": float,
        "done": bool,
        "people": list,
    }


def test_a_note_is_drafted_from_what_was_said() -> None:
    said = reply("Hey Parley, we moved the release to Thursday. Can you write a short note for the team?")
    assert "> We moved the release to Thursday." in said
    assert "> The truck comes at nine." in reply("The truck comes at nine.", "Noted.", "Draft a message.")


def test_a_recording_that_was_not_heard_is_not_taken_for_words() -> None:
    assert "could not hear" in reply(NOT_RECOGNISED)


def test_instructions_are_no_knowledge() -> None:
    system = (
        f"{SYSTEM}\nThis channel is for: parcels\nDecline the rest with this sentence: I keep to parcels."
    )
    assert "Decline" not in reply("What is this sentence about parcels?", system=system)


def test_formats_and_lengths_come_on_request() -> None:
    assert "| --- |" in reply("Show me a table of our plan")
    assert "```python" in reply("Write a function about herons")
    assert 380 < len(reply("Write 400 words about tea").split()) < 480
    assert "**42**" in reply("What is 6 * 7?")
    assert "**" not in reply("What happened on 2026-11-20?")


@given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
def test_any_conversation_gets_an_answer_and_always_the_same(said: list[str]) -> None:
    assert reply(*said).strip()
    assert reply(*said) == reply(*said)


def test_near_misses_share_words_with_their_passage_and_one_of_five_is_none() -> None:
    told = "Bicycles are parked behind the greenhouse."
    system = 'For each numbered passage write one question. One JSON object: {"questions": [{"passage": 1}]}'
    asked = "\n\n".join(f"[{n}] {told}" for n in range(1, 6))
    written = json.loads(reply(asked, system=system))["questions"]
    assert [one["passage"] for one in written] == [1, 2, 3, 4, 5]
    assert all("greenhouse" in one["question"] for one in written)
    assert [one["passage"] for one in written if one["question"].startswith("What is said of")] == [5]
