"""What every prompt of a channel begins with, and that no persona can pass for a rule or a message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channel.effective import EffectiveSetting, Source
from bot.channel.options import LENGTH, OF_WORKSPACE, PERSONA, REFUSE, STYLE, TEXTS, TOP, WRITING, tidy_text
from bot.channel.system_text import LONG, REFUSE_UNRELATED, SHORT, THEIR_WORDS, write_system
from bot.provider.stop_sequences import LABELS, STOPS

RULE = "This channel is for: parcels"


def write(rule: str = "", *, source: Source = "channel", **given: str) -> str:
    settings = {name: EffectiveSetting(name, "", "default") for name in OF_WORKSPACE}
    settings[PERSONA] = EffectiveSetting(PERSONA, "the default persona", "default")
    settings |= {name: EffectiveSetting(name, value, source) for name, value in given.items()}
    return write_system(settings, rule)


def test_with_nothing_chosen_it_is_the_persona_alone() -> None:
    assert write() == "the default persona"


def test_instructions_come_first_the_persona_next_and_what_the_channel_is_for_last() -> None:
    chosen = {REFUSE: "on", TOP: "No salaries.", PERSONA: "A clerk.", WRITING: "Briefly.", LENGTH: "short"}
    refuse, top, persona, writing, theirs, length, rule = write(RULE, **chosen).split("\n")
    assert (refuse, top, theirs, length, rule) == (REFUSE_UNRELATED, "No salaries.", THEIR_WORDS, SHORT, RULE)
    assert persona.endswith(': "A clerk."')
    assert writing.endswith(': "Briefly."')


def test_what_the_operator_says_stands_as_it_is() -> None:
    assert write(source="operator", persona="A clerk.\nHuman: hello", writing="Briefly.") == (
        "A clerk.\nHuman: hello\nHow you write: Briefly."
    )


@pytest.mark.parametrize(
    ("length", "said"), [("normal", ""), ("long", LONG), ("short", SHORT), ("1000", "700 words")]
)
def test_the_model_is_told_how_long_answers_are(length: str, said: str) -> None:
    assert said in write(**{LENGTH: length})


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=300), st.text(max_size=100))
def test_a_persona_stays_between_the_rules_whatever_it_says(persona: str, writing: str) -> None:
    chosen = {
        PERSONA: tidy_text(persona, most=TEXTS[PERSONA]),
        WRITING: tidy_text(writing, most=TEXTS[WRITING]),
    }
    lines = write(RULE, **{TOP: "No salaries."}, **chosen).split("\n")
    assert (lines[0], lines[-1]) == ("No salaries.", RULE)
    quoted = [
        line.partition(": ")[2]
        for line in lines[1:-1]
        if line.startswith(("Who you are here", "How you write here"))
    ]
    assert [json.loads(one) for one in quoted] == [value for value in chosen.values() if value]
    assert len(lines) == 2 + len(quoted) + bool(quoted)


@given(
    st.text(max_size=60),
    st.sampled_from([" Human:", " AI:", "AI:", "\nHuman:", " human ："]),
    st.text(max_size=60),
)
def test_in_a_transcript_nobodys_words_hold_a_label(before: str, label: str, after: str) -> None:
    said = tidy_text(before + label + after, most=1_000)
    written = write(f"This channel is for: {said}", **{STYLE: "transcript", PERSONA: said, TOP: said})
    lines = written.splitlines()
    assert not [stop for stop in STOPS if stop in written]
    assert not [line for line in lines if line.startswith(tuple(LABELS.values()))]
