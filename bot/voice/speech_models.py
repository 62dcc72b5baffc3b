"""Which speech model takes what: limits, parameters and formats as one table. When they end stands in
bot/provider/endings.toml.

A new model is a row here or the setting PARLEY_SPEECH_MODEL, never a branch
elsewhere. What the models answer is read in bot/voice/transcript.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

# Source: OpenAI API reference, audio/transcriptions (`file`), by the ending of the name.
OPENAI_CONTAINERS = frozenset({"flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm"})
# Source: "Maximum content size limit (26214400)", the answer of OpenAI's endpoint to a larger body; the form
# around the file counts.
OPENAI_BYTES = 26_214_400 - 16_384
# Where no limit is documented: below the 1,400 s of the models that have one.
CAUTIOUS_S = 1_200.0
LOCAL = "local:"

# A hint is a hint: Whisper reads no more than 224 tokens of it.
HINT_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """One family of speech models. `prefix` matches the beginning of a name; the longest one wins."""

    prefix: str
    parameters: frozenset[str]  # optional ones that it takes
    formats: tuple[str, ...]  # response formats; the first is the one asked for
    max_s: float = CAUTIOUS_S  # longest recording in one request
    max_bytes: int = OPENAI_BYTES
    containers: frozenset[str] = OPENAI_CONTAINERS
    hints: Literal["prompt", "keywords", ""] = "prompt"  # where words to expect are put
    translates: bool = False  # has the endpoint from any language to English
    speakers: bool = False  # tells who spoke


def _takes(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Sources: openai 3.54, TranscriptionCreateParams and AudioModel; OpenAI's deprecations page; the 1,400 s are
# the models' own refusal ("audio duration … is longer than 1400 seconds"), less ten for rounding.
MODELS = (
    ModelFamily(
        "gpt-transcribe",
        _takes("language languages keywords prompt response_format chunking_strategy"),
        ("json",),
        hints="keywords",
    ),
    ModelFamily(
        "gpt-4o-transcribe-diarize",
        _takes("language response_format chunking_strategy known_speaker_names known_speaker_references"),
        ("diarized_json", "json", "text"),
        max_s=1_390.0,
        hints="",
        speakers=True,
    ),
    *(
        ModelFamily(
            prefix,
            _takes("language prompt response_format temperature include chunking_strategy"),
            ("json",),
            max_s=1_390.0,
        )
        for prefix in ("gpt-4o-transcribe", "gpt-4o-mini-transcribe")
    ),
    ModelFamily(
        "whisper-1",
        _takes("language prompt response_format temperature timestamp_granularities"),
        ("verbose_json", "json", "text", "srt", "vtt"),
        max_s=1_800.0,  # only its bytes are limited; a request should still end within two minutes
        translates=True,
    ),
)
# Whisper behind somebody's OpenAI-compatible server, under any name.
WHISPER = ModelFamily(
    "whisper",
    _takes("language prompt response_format temperature"),
    ("verbose_json", "json", "text"),
    translates=True,
)
# Any other speech model on such a server: only what all of them take.
COMPATIBLE = ModelFamily("", _takes("language prompt response_format"), ("json",))
# faster-whisper in this process: no request, no size limit.
ON_THIS_MACHINE = ModelFamily(
    LOCAL, _takes("language prompt"), ("verbose_json",), max_bytes=1 << 40, translates=True
)


def is_local(name: str) -> bool:
    """Whether a model runs on this machine."""
    return name.startswith(LOCAL)


def lookup(name: str) -> ModelFamily:
    """The row for a model's name; of an unknown one, what every compatible server takes."""
    if is_local(name):
        return ON_THIS_MACHINE
    known = [model for model in MODELS if name.startswith(model.prefix)]
    if known:
        return max(known, key=lambda model: len(model.prefix))
    return WHISPER if "whisper" in name.casefold() else COMPATIBLE


def parameters(
    model: ModelFamily, *, languages: Sequence[str] = (), vocabulary: Sequence[str] = ()
) -> dict[str, Any]:
    """What goes into a request beside file and model.

    `languages` are codes: one is certain, more a choice.
    """
    asked: dict[str, Any] = {}
    if "response_format" in model.parameters:
        asked["response_format"] = model.formats[0]
    if len(languages) == 1:
        asked["language"] = languages[0]
    elif languages and "languages" in model.parameters:
        asked["languages"] = list(languages)
    if model.formats[0] == "diarized_json":
        asked["chunking_strategy"] = "auto"  # required from 30 s on
    words = _fitting(vocabulary)
    if words and model.hints == "keywords":
        asked["keywords"] = words
    elif words and model.hints == "prompt":
        asked["prompt"] = ", ".join(words)
    return asked


def translation_parameters(model: ModelFamily, asked: dict[str, Any]) -> dict[str, Any]:
    """The same for the endpoint that translates; its prompt would have to be English, so there is none."""
    return {name: asked[name] for name in ("response_format",) if name in asked}


def _fitting(vocabulary: Sequence[str]) -> list[str]:
    """The first words that fit into a hint."""
    words: list[str] = []
    for word in vocabulary:
        if sum(map(len, words)) + len(word) > HINT_CHARACTERS:
            break
        words.append(word)
    return words
