"""What can be chosen about answers, and the form in which it is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channel.options import (
    DEFAULTS,
    LENGTH,
    LENGTHS,
    MODEL,
    PERSONA,
    STYLE,
    TEXTS,
    OptionChecks,
    limit_tokens,
    read_length,
    tidy_text,
)
from bot.core.errors import NotUnderstood, SetupError
from bot.core.settings import Settings
from bot.costs.pricing import Prices
from bot.text.invisible import strip_hidden

NOVEMBER = datetime(2026, 11, 23, 12, tzinfo=UTC)


def checks(**settings: object) -> OptionChecks:
    return OptionChecks(Settings(**settings), Prices(), NOVEMBER.timestamp)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("short", "short"),
        (" Long. ", "long"),
        ("“normal”", "normal"),
        ("500", "500"),
        ("500 tokens", "500"),
        ("1,000", "1000"),
        ("two hundred tokens", "200"),
        ("５００", "500"),
        ("16", "16"),
        ("2500", "2500"),
    ],
)
def test_a_length_is_a_word_or_a_number_of_tokens(typed: str, kept: str) -> None:
    assert read_length(typed, most=2500) == kept


@pytest.mark.parametrize(
    "typed", ["medium", "15", "2501", "99.5", "500 words", "500 tokens please", "-20", "1.000"]
)
def test_no_other_length_is_taken(typed: str) -> None:
    with pytest.raises(NotUnderstood):
        read_length(typed, most=2500)


@given(st.sampled_from([*LENGTHS, "16", "700", "99999"]), st.integers(1, 100_000))
def test_no_length_is_more_than_the_operator_allows(length: str, most: int) -> None:
    assert 0 < limit_tokens(length, most=most) <= most
    assert (
        limit_tokens("short", most=most)
        <= limit_tokens("normal", most=most)
        == limit_tokens("long", most=most)
    )


def test_the_longest_answer_may_stand_among_the_further_parameters() -> None:
    assert checks(extra_parameters='{"max_tokens": 300}').check({LENGTH: "300"}) == {LENGTH: "300"}
    with pytest.raises(SetupError):
        checks(extra_parameters='{"max_tokens": 300}').check({LENGTH: "301"})


@pytest.mark.parametrize("typed", ["", "  ", "as everywhere", "As everywhere.", "everywhere", "default"])
@pytest.mark.parametrize("name", [PERSONA, MODEL, STYLE, LENGTH])
def test_as_everywhere_is_no_choice(name: str, typed: str) -> None:
    assert checks().check({name: typed}) == {name: ""}


@settings(max_examples=40)
@given(st.text(max_size=1_500))
def test_a_persona_is_kept_in_one_line_without_what_nobody_sees_or_is_too_long(text: str) -> None:
    if len(" ".join(strip_hidden(text).split())) > TEXTS[PERSONA]:
        with pytest.raises(NotUnderstood):
            tidy_text(text, most=TEXTS[PERSONA])
        return
    kept = tidy_text(text, most=TEXTS[PERSONA])
    assert len(kept.splitlines()) <= 1
    assert tidy_text(kept, most=TEXTS[PERSONA]) == kept == strip_hidden(kept)


@pytest.mark.parametrize(
    "model", ["gpt-6-sol", "GPT-6-Sol", "gpt-6-luna", "gpt-6-sol-2026-10-01", "ft:gpt-4.1-mini:us::1"]
)
def test_a_model_with_a_price_may_be_chosen(model: str) -> None:
    assert checks().check({MODEL: model})[MODEL].lower() == model.lower()


@pytest.mark.parametrize(
    "model",
    [
        "whisper-1",
        "gpt-4o-transcribe",
        "text-embedding-3-small",
        "gpt-image-1",
        "gpt-4o-mini-tts",
        "gpt-realtime",
        "gpt-9",
    ],
)
def test_a_model_that_writes_no_text_may_not(model: str) -> None:
    with pytest.raises(SetupError, match="Allowed here: gpt-6-luna, and every model"):
        checks().check({MODEL: model})


def test_with_a_list_only_its_models_and_those_that_are_set_up_may_be_chosen() -> None:
    listed = checks(allowed_models="Our-Llama, gpt-6-sol", small_model="tiny")
    for typed, kept in (("our-llama", "Our-Llama"), ("GPT-6-SOL", "gpt-6-sol"), ("tiny", "tiny")):
        assert listed.check({MODEL: typed}) == {MODEL: kept}
    with pytest.raises(SetupError, match="Allowed here: gpt-6-luna, tiny, Our-Llama, gpt-6-sol"):
        listed.check({MODEL: "gpt-6.1-sol"})


def test_the_nearest_names_are_told() -> None:
    with pytest.raises(SetupError, match="Did you mean gpt-6-sol"):
        checks().check({MODEL: "gpt-6-sool"})


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(SetupError) as caught:
        checks().check({MODEL: "gpt-9", LENGTH: "endless", STYLE: "poem", PERSONA: "fine"})
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [MODEL, LENGTH, STYLE]


def test_what_the_operator_set_other_than_by_default_is_kept_in_the_same_form() -> None:
    assert checks(style="responses", length="500 tokens").read_operator() == {
        "style": "responses",
        "length": "500",
    }
    assert checks(length="Normal").read_operator() == {}
    assert DEFAULTS["persona"] == Settings().persona
    with pytest.raises(SetupError, match="PARLEY_LENGTH: endless"):
        checks(length="endless").read_operator()
