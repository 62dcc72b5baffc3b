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
from bot.core.values import Usage
from bot.costs.estimate import Estimator, describe_wait, read_hours
from bot.costs.pricing import Prices
from bot.text import tokens

NOVEMBER = datetime(2026, 11, 23, tzinfo=UTC)


def estimator(*models: str) -> Estimator:
    return Estimator(Prices(), NOVEMBER, models)


def test_an_hour_of_speech_on_the_ancestors_base_model_is_1_20() -> None:
    (line,) = estimator("text-davinci-003").estimate_analysis(1)
    assert line.uses == "40,000 + 20,000 tokens"
    assert line.usd == Decimal("1.20")


@pytest.mark.parametrize(
    ("model", "dollars"),
    [("gpt-6-luna", "0.014"), ("gpt-6-sol", "0.28"), ("gpt-6.1-terra", "0.14"), ("gpt-6.2-sol", "0.28")],
)
def test_what_is_written_about_an_hour_has_the_price_of_output(model: str, dollars: str) -> None:
    (line,) = estimator(model).estimate_analysis(1)
    assert line.usd == Decimal(dollars)


def test_days_of_speech_cost_as_many_hours_of_it() -> None:
    (hour,), (week,) = (
        estimator("gpt-6-sol").estimate_analysis(1),
        estimator("gpt-6-sol").estimate_analysis(40),
    )
    assert week.uses == "1,600,000 + 800,000 tokens"
    assert hour.usd is not None and week.usd == 40 * hour.usd, "not the price of one enormous prompt"


def test_an_hour_of_speech_on_the_ancestors_fine_tuned_model_is_4_80() -> None:
    read, write = estimator("davinci:ft-acme-2022-12-01").estimate_analysis(1)
    assert (read.uses, read.usd) == ("40,000 + 0 tokens", Decimal("4.80"))
    assert (write.uses, write.usd) == ("0 + 20,000 tokens", Decimal("2.40"))


def test_training_and_use_is_training_data_and_prompt_each_at_its_price() -> None:
    lines = ['{"prompt": "hello there", "completion": "hi"}'] * 1_000
    hour = Usage(input_tokens=40_000)
    found = {line.model: line for line in estimator().estimate_training_and_use(lines, hour, epochs=1)}
    for model, training, trained in (
        ("davinci", "30", "120"),
        ("curie", "3", "12"),
        ("gpt-4.1-mini", "5", "0.8"),
        ("gpt-4o-mini", "3", "0.3"),
        ("davinci-002", "6", "12"),
    ):
        line = found[model]
        million = Decimal(1_000_000)
        assert line.trained > 1_000
        assert line.usd == line.trained * Decimal(training) / million + 40_000 * Decimal(trained) / million
    (one,) = estimator("curie").estimate_training_and_use(lines, "How much is the fish?", epochs=4)
    assert one.usage.input_tokens == tokens.count("How much is the fish?", "curie")


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        (1, "It takes about 5–10 minutes."),
        (2, "It takes about 10–20 minutes."),
        (0.5, "It takes about 2–5 minutes."),
        (0.1, "It takes about a minute."),
        (0.01, "It takes about half a minute."),
        (30, "It takes about 2–5 hours."),
    ],
)
def test_an_hour_takes_five_to_ten_minutes(hours: float, sentence: str) -> None:
    assert describe_wait(hours) == sentence


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
    assert dollars in capsys.readouterr().out.split()


async def test_the_command_says_what_it_needs() -> None:
    with pytest.raises(SetupError):
        await estimate.run(arguments(), Settings())


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        ("2 hours", 2.0),
        ("90 min of audio", 1.5),
        ("for an hour", 1.0),
        ("2 hours of film", 2.0),
        ("How much is the fish?", 0.0),
    ],
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
    assert lines[0].split() == ["speech", "to", "text", "gpt-transcribe", "1.00", "h", "$0.27", "(in", "use)"]
    assert [line.split()[3] for line in lines if line.endswith("(in use)")] == [
        "gpt-transcribe",
        "gpt-6-luna",
    ]
    assert lines[-1] == "It takes about 5–10 minutes."


async def test_the_command_estimates_training_with_what_comes_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training, prompt = tmp_path / "set.jsonl", tmp_path / "prompt.txt"
    training.write_text('{"prompt":"a","completion":"b"}', "utf-8")
    prompt.write_text("How much is the fish?", "utf-8")
    for words in (
        ["--hours", "1", "--train", str(training)],
        [str(training), "--hours", "1"],
        [str(prompt), "--train", str(training)],
    ):
        assert await estimate.run(arguments(*words, "--model", "davinci"), Settings()) == 0
        (line, *wait) = capsys.readouterr().out.splitlines()
        assert line.startswith("train 4 epochs, use  davinci ")
        assert ("$4.80" in line) == bool(wait)
    training.write_text('{"prompt":"a","completion":"b"}\nno JSON', "utf-8")
    for words in ([str(training)], ["--hours", "1", "--train", str(training)]):
        with pytest.raises(SetupError, match="line 2 cannot be read"):
            await estimate.run(arguments(*words), Settings())


async def test_the_model_in_use_is_marked_also_where_it_runs_on_this_machine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    here = Settings(model="gpt-6-sol", speech_model="local:small")
    await estimate.run(arguments("--hours", "1"), here)
    marked = [line.split() for line in capsys.readouterr().out.splitlines() if "(in use)" in line]
    assert [(line[3], line[-3]) for line in marked] == [("local:small", "$0.00"), ("gpt-6-sol", "$0.28")]


@pytest.mark.parametrize("given", ["1", "1.0", "60min", "1 hour", "an hour", "1,0", "1h", "1.000"])
async def test_the_command_takes_a_time_as_people_write_it(
    capsys: pytest.CaptureFixture[str], given: str
) -> None:
    await estimate.run(arguments("--hours", given), Settings())
    assert capsys.readouterr().out.splitlines()[0].split()[4:6] == ["1.00", "h"]


@pytest.mark.parametrize(
    ("option", "given"),
    [
        *(("--hours", given) for given in ("0", "-1", "inf", "nan", "2 houres", "bananas", "")),
        *(("--epochs", given) for given in ("0", "-3", "1.5", "²", "")),
    ],
)
def test_the_command_refuses_what_is_no_time_and_no_number(
    capsys: pytest.CaptureFixture[str], option: str, given: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        arguments(f"{option}={given}")
    assert caught.value.code == 2
    assert option in capsys.readouterr().err


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
