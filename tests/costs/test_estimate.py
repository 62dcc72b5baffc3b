"""What it would cost, before doing it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.cli import estimate
from bot.core.errors import NotUnderstood, SetupError
from bot.core.settings import Settings
from bot.costs.estimate import Estimator, read_hours
from bot.costs.pricing import Prices
from bot.text import tokens

NOVEMBER = datetime(2026, 11, 23, tzinfo=UTC)


def estimator(*models: str) -> Estimator:
    return Estimator(Prices(), NOVEMBER, models)


def test_an_hour_of_speech_on_the_ancestors_base_model_is_1_20() -> None:
    (line,) = estimator("text-davinci-003").estimate_analysis(1)
    assert line.usage.input_tokens == (20_000 + 10_000) * 2
    assert line.usd == Decimal("1.20")


def test_an_hour_of_speech_on_the_ancestors_fine_tuned_model_is_4_80() -> None:
    (line,) = estimator("davinci:ft-acme-2022-12-01").estimate_analysis(1)
    assert line.usage.input_tokens == 20_000 * 2
    assert line.usd == Decimal("4.80")


def test_speech_to_text_is_estimated_by_the_hour() -> None:
    lines = estimator().estimate_transcription(1.5, ["gpt-transcribe", "whisper-1", "gpt-4o-transcribe"])
    assert [line.usd for line in lines] == [Decimal("0.405"), Decimal("0.54"), None]
    assert "no price for the unit" in lines[-1].reason


def test_reading_a_text_counts_its_tokens_and_the_longest_answer() -> None:
    text = "Where did we leave the minutes of Monday? " * 50
    (line,) = estimator("gpt-6-sol").estimate_answer(text, answer_tokens=1_000)
    used = tokens.count(text, "gpt-6-sol")
    assert line.usd == (used * Decimal(2) + 1_000 * Decimal(10)) / 1_000_000


def test_a_training_set_is_estimated_on_every_model_with_a_training_price() -> None:
    chats = [
        '{"messages": [{"role": "user", "content": "hello there"}, {"role": "assistant", "content": "hi"}]}'
    ]
    pairs = ['{"prompt": "hello there", "completion": "hi"}', ""]
    for lines in (chats, pairs):
        found = {line.model: line for line in estimator().estimate_training(lines * 1_000, epochs=3)}
        assert {"davinci", "curie", "gpt-4.1-mini"} <= found.keys()
        assert all(line.usd for line in found.values())
        mini = found["gpt-4.1-mini"]
        assert mini.usd == mini.usage.input_tokens * Decimal(5) / 1_000_000


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("notes.txt", "hello", "read and answer"),
        ("set.jsonl", '{"prompt":"a","completion":"b"}', "train 4 epochs"),
    ],
)
async def test_the_command_estimates_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, expected: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert await estimate.run(arguments(str(tmp_path / name)), Settings()) == 0
    out = capsys.readouterr().out
    assert expected in out
    assert "$" in out


async def test_the_command_estimates_a_recording_by_its_length(capsys: pytest.CaptureFixture[str]) -> None:
    clip = Path(__file__).parents[2] / "bot/sandbox/clips/release_note.m4a"
    assert await estimate.run(arguments(str(clip), "--model", "whisper-1"), Settings()) == 0
    assert capsys.readouterr().out.split()[:5] == ["speech", "to", "text", "whisper-1", "0.1"]


@pytest.mark.parametrize(
    ("model", "dollars"), [("text-davinci-003", "$1.20"), ("davinci:ft-acme-2022-12-01", "$4.80")]
)
async def test_the_command_knows_the_ancestors_examples(
    capsys: pytest.CaptureFixture[str], model: str, dollars: str
) -> None:
    assert await estimate.run(arguments("--hours", "1", "--model", model), Settings()) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[-1] == dollars


async def test_the_command_says_what_it_needs() -> None:
    with pytest.raises(SetupError):
        await estimate.run(arguments(), Settings())


@pytest.mark.parametrize(
    ("words", "hours"),
    [("2 hours", 2.0), ("90 min of audio", 1.5), ("for an hour", 1.0), ("How much is the fish?", 0.0)],
)
def test_hours_of_speech_are_told_from_a_text(words: str, hours: float) -> None:
    assert read_hours(words) == hours


@pytest.mark.parametrize("words", ["2", "2 houres", "1.000 hours", "a month"])
def test_a_time_that_was_misspelt_is_not_priced_as_a_text(words: str) -> None:
    with pytest.raises(NotUnderstood):
        read_hours(words)


async def test_the_command_estimates_hours(capsys: pytest.CaptureFixture[str]) -> None:
    await estimate.run(arguments("--hours", "1"), Settings())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["speech", "to", "text", "gpt-transcribe", "1.00", "h", "$0.27"]


@pytest.mark.parametrize("given", ["1", "1.0", "60min", "1 hour", "an hour", "1,0", "1h", "1.000"])
async def test_the_command_takes_a_time_as_people_write_it(
    capsys: pytest.CaptureFixture[str], given: str
) -> None:
    await estimate.run(arguments("--hours", given), Settings())
    assert capsys.readouterr().out.splitlines()[0].split()[4:6] == ["1.00", "h"]


@pytest.mark.parametrize("given", ["0", "-1", "inf", "nan", "2 houres", "bananas", ""])
def test_the_command_refuses_what_is_no_time(capsys: pytest.CaptureFixture[str], given: str) -> None:
    with pytest.raises(SystemExit) as caught:
        arguments(f"--hours={given}")
    assert caught.value.code == 2
    assert "--hours" in capsys.readouterr().err


async def test_the_command_refuses_a_model_nobody_knows_and_names_the_nearest() -> None:
    with pytest.raises(SetupError) as caught:
        await estimate.run(arguments("--hours", "1", "--model", "gpt-4.1-mni"), Settings())
    assert "`gpt-4.1-mini`" in caught.value.problems[0]
    await estimate.run(arguments("--hours", "1", "--model", "ours"), Settings(model="ours"))
    own_server = Settings(openai_base_url="http://127.0.0.1:11434/v1")
    await estimate.run(arguments("--hours", "1", "--model", "llama"), own_server)


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    estimate.add_arguments(parser)
    return parser.parse_args(words)
