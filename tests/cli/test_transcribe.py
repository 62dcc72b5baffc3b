"""`parley transcribe`: the same road as a clip in Slack, from the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.cli import transcribe as transcribe_cli
from bot.cli.whisper_options import name_model
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.sandbox.model.server import FakeModel
from bot.text import languages
from bot.voice.local_speech import LocalSpeech
from storage.costs import ledger
from storage.database import open_engine
from tests.support import local_whisper
from tests.support.audio_files import silence, speech, wav
from tests.support.engines import database_url
from tests.support.workspace import workspace

pytestmark = pytest.mark.process  # each reads a clip, which a process decodes
CLIPS = Path(__file__).parents[2] / "bot" / "sandbox" / "clips"
GERMAN, ENGLISH = CLIPS / "offene_rechnung.webm", CLIPS / "release_note.m4a"


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    async with FakeModel() as fake:
        yield fake


@pytest.fixture
def settings(model: FakeModel, tmp_path: Path) -> Settings:
    return Settings(
        openai_api_key="sk-1",
        openai_base_url=model.base_url,
        speech_model="whisper-1",
        database=database_url(tmp_path / "parley.db"),
    )


async def transcribe(settings: Settings, *arguments: object) -> int:
    parser = ArgumentParser()
    transcribe_cli.add_arguments(parser)
    return await transcribe_cli.run(parser.parse_args([str(a) for a in arguments]), settings)


async def test_text_goes_to_the_terminal_and_the_cost_into_the_ledger(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await transcribe(settings, GERMAN) == 0
    assert capsys.readouterr().out.startswith("Hallo Parley, die Rechnung")
    async with open_engine(settings.database) as engine:
        used = partial(ledger.used, by=("kind",))
        (row,) = await engine.read(used, "cli", "2000-01-01", "2100-01-01")
    assert (row["kind"], row["requests"]) == ("transcription", 1)
    assert row["cost"] > 0


@pytest.mark.parametrize("language", ["de", "German", "de-AT"])
async def test_a_language_may_be_given_by_code_or_by_name(
    settings: Settings, model: FakeModel, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await transcribe(settings, GERMAN, "--language", language) == 0
    assert model.requests[-1].body["language"] == "de"


def test_every_language_is_known_by_both_of_its_names() -> None:
    for code in ("ja", "en", "yue", "haw"):
        assert languages.code(languages.name(code)) == code
    assert languages.code("Japanese") == "ja"
    assert languages.code("Klingon") == ""


async def test_whispers_own_options_are_understood(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "captions"
    options = ["--task", "translate", "--output_format", "srt", "--output_dir", out]
    assert await transcribe(settings, GERMAN, ENGLISH, *options) == 0
    german, english = (out / f"{path.stem}.srt" for path in (GERMAN, ENGLISH))
    assert "Hello Parley, the invoice" in german.read_text("utf-8")
    assert "we moved the release" in english.read_text("utf-8")


async def test_all_formats_at_once(settings: Settings, tmp_path: Path) -> None:
    assert await transcribe(settings, ENGLISH, "--format", "all", "--output-dir", tmp_path / "out") == 0
    made = {path.suffix: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}
    assert made.keys() == {".txt", ".srt", ".vtt", ".tsv", ".json"}
    assert json.loads(made[".json"])["language"] == "en"


async def test_several_files_into_a_terminal_need_one_format(settings: Settings) -> None:
    with pytest.raises(SetupError, match="output-dir"):
        await transcribe(settings, ENGLISH, "--format", "all")


async def test_beside_a_running_bot_it_listens_in_the_bots_own_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        settings = team.bot.settings
        assert await transcribe(settings, GERMAN, tmp_path / "gone.wav", "--task", "translate") == 1
        shown = capsys.readouterr()
        assert shown.out.startswith("Hello Parley, the invoice for October")
        assert "gone.wav: there is no such file" in shown.err
        assert (await team.bot.services.costs.this_month("cli")).requests == 2


async def test_one_bad_file_does_not_keep_the_others_back(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = tmp_path / "quiet.wav"
    quiet.write_bytes(wav(silence(3)))
    assert await transcribe(settings, tmp_path / "gone.wav", Path(__file__), quiet, ENGLISH) == 1
    shown = capsys.readouterr()
    assert "there is no such file" in shown.err
    assert "not a recording" in shown.err
    assert "nothing is said in it" in shown.err
    assert "we moved the release" in shown.out


def test_an_unknown_language_is_told_by_the_parser() -> None:
    command = (
        "from argparse import ArgumentParser; from bot.cli import transcribe as t; p = ArgumentParser(); "
    )
    command += "t.add_arguments(p); p.parse_args(['a.wav', '--language', 'Klingon'])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "'Klingon' is not the name or code of a known language" in done.stderr


async def test_the_bar_fills(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show = transcribe_cli._bar("a.wav")
    show(0, 540)
    show(240, 540)
    show(540, 540)
    lines = capsys.readouterr().err.split("\r")
    assert lines[2].startswith("a.wav [#############.................] 4 of 9 minutes")
    assert lines[3].endswith("9 of 9 minutes\n")


async def test_a_model_on_this_machine_takes_the_same_road(
    settings: Settings,
    model: FakeModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = local_whisper.install(monkeypatch)
    assert await transcribe(settings, GERMAN, "--model", "local:small", "--task", "translate") == 0
    assert capsys.readouterr().out == "Hello\n"
    assert done == ["small", "transcribe", "translate"]
    assert not model.requests


async def test_translating_after_a_transcript_asks_the_model_on_this_machine_again(
    settings: Settings,
    model: FakeModel,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = local_whisper.install(monkeypatch)
    for task in ("transcribe", "translate", "translate"):
        assert await transcribe(settings, GERMAN, "--model", "local:small", "--task", task) == 0
    assert capsys.readouterr().out == "Hallo\nHello\nHello\n"
    assert [one for one in done if one != "small"] == ["transcribe", "translate"]
    assert not model.requests


async def test_a_recording_that_breaks_off_is_told_beside_its_text(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = wav(speech())
    (tmp_path / "cut.wav").write_bytes(content[: len(content) * 2 // 3])
    assert await transcribe(settings, tmp_path / "cut.wav") == 0
    shown = capsys.readouterr()
    assert "cut.wav: The end is missing: the file breaks off after 0:02 of 0:03." in shown.err
    assert "[The end is missing:" in shown.out


async def test_a_missing_local_model_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    scope = Scope("T1", "C1", "U1", "c", "transcription")
    with pytest.raises(SetupError, match="local-speech"):
        await LocalSpeech().transcribe("a.wav", b"", scope, model="local:small", seconds=1)


# As for the command `whisper`


WHISPERS = """--model M --model_dir D --device cpu --output_dir O --output_format srt --verbose False
--task transcribe
--language de --temperature 0 --best_of 5 --beam_size 5 --patience 1 --length_penalty 1 --suppress_tokens -1
--initial_prompt Parley --carry_initial_prompt True --condition_on_previous_text False --fp16 False
--temperature_increment_on_fallback 0.2 --compression_ratio_threshold 2.4 --logprob_threshold -1.0
--no_speech_threshold 0.6 --word_timestamps True --prepend_punctuations x --append_punctuations x
--highlight_words True --max_line_width 40 --max_line_count 2 --max_words_per_line 8 --threads 4
--clip_timestamps 0,10 --hallucination_silence_threshold 2"""


async def test_every_option_of_whisper_is_taken_and_what_does_nothing_says_why(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = WHISPERS.replace("O ", f"{tmp_path}/out ").replace("--model M ", "").split()
    assert await transcribe(settings, GERMAN, *options) == 0
    said = capsys.readouterr().err
    assert (tmp_path / "out" / "offene_rechnung.srt").read_text("utf-8").startswith("1\n00:00:00,")
    mapped = {"--output_dir", "--output_format", "--task", "--language", "--initial_prompt", "--model"}
    for option in (word for word in WHISPERS.split() if word.startswith("--")):
        assert (f"{option} does nothing here: " in said) is (option not in mapped), option


async def test_whispers_own_model_names_are_of_this_machine_where_it_can_run_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings.changed(openai_base_url="")
    monkeypatch.setattr("bot.cli.whisper_options.find_spec", lambda name: object())
    assert name_model("small", settings) == name_model("small", away) == "local:small"
    assert name_model("gpt-transcribe", away) == "gpt-transcribe"
    monkeypatch.setattr("bot.cli.whisper_options.find_spec", lambda name: None)
    assert name_model("small", settings) == "small", "a server of one's own may have it"
    with pytest.raises(SetupError, match="local-speech"):
        name_model("small", away)


async def test_tsv_is_as_whisper_writes_it(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert await transcribe(settings, ENGLISH, "-f", "tsv") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "start\tend\ttext"
    start, end, words = second.split("\t")
    assert int(start) < int(end) and words
