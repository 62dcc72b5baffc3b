"""The options of OpenAI's `whisper` command, so that a script written for it runs: some are mapped, the
others are accepted with a line that says why they do nothing here.

Source: openai/whisper, `whisper --help` (whisper/transcribe.py).
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec

from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.voice.speech_models import LOCAL

# Whisper's own models by name; on this machine they run by faster-whisper, which knows them by the same.
_SIZES = ("tiny", "base", "small", "medium")
MODELS = {*_SIZES, *(f"{size}.en" for size in _SIZES), "turbo", "large"}
MODELS |= {f"large-{version}" for version in ("v1", "v2", "v3", "v3-turbo")}
_SEARCH = "the speech model searches as its service has set it up"
_MACHINE = "the service has its own machine; a local model takes what this one has"
_SUBTITLES = "cues are cut to what can be read while they stand"
_SILENCE = "silence is found in the sound itself before anything is asked"
# Why an option does nothing, by its name.
IGNORED = {
    "model_dir": "a local model keeps its weights where faster-whisper does",
    "device": _MACHINE,
    "fp16": _MACHINE,
    "threads": _MACHINE,
    "verbose": "progress is shown on a terminal, the words in the end",
    "temperature": _SEARCH,
    "best_of": _SEARCH,
    "beam_size": _SEARCH,
    "patience": _SEARCH,
    "length_penalty": _SEARCH,
    "suppress_tokens": _SEARCH,
    "temperature_increment_on_fallback": _SEARCH,
    "compression_ratio_threshold": _SEARCH,
    "logprob_threshold": _SEARCH,
    "condition_on_previous_text": "parts are transcribed beside each other, each with the same hint",
    "carry_initial_prompt": "the hint goes with every part already",
    "no_speech_threshold": _SILENCE,
    "hallucination_silence_threshold": _SILENCE,
    "clip_timestamps": "the whole recording is transcribed",
    "word_timestamps": "times are those of sentences",
    "highlight_words": "times are those of sentences",
    "prepend_punctuations": _SUBTITLES,
    "append_punctuations": _SUBTITLES,
    "max_line_width": _SUBTITLES,
    "max_line_count": _SUBTITLES,
    "max_words_per_line": _SUBTITLES,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what is only accepted; `--help` does not list it."""
    for name in IGNORED:
        parser.add_argument(f"--{name}", f"--{name.replace('_', '-')}", help=argparse.SUPPRESS)


def explain_ignored(args: argparse.Namespace) -> list[str]:
    """A line for each option that was given and does nothing."""
    return [
        f"--{name} does nothing here: {why}"
        for name, why in IGNORED.items()
        if getattr(args, name) is not None
    ]


def name_model(given: str, settings: Settings) -> str:
    """`small` is Whisper's model on this machine, where it can run; else that of a server of one's own."""
    if given not in MODELS:
        return given
    if find_spec("faster_whisper") is not None:
        return f"{LOCAL}{given}"
    if settings.openai_base_url:
        return given
    advice = "install parley-assistant[local-speech], or name a model of the service (gpt-transcribe)"
    raise SetupError([f"--model {given}: Whisper's own models run on this machine; {advice}"])
