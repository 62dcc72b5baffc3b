"""faster-whisper's shape, for a machine that has neither it nor its weights."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

TEXTS = {"transcribe": " Hallo", "translate": " Hello"}


def install(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Puts it where the library would be; what was done with it, in order: names of models and tasks."""
    done = list[str]()

    class LocalWhisper:
        def __init__(self, name: str, **how: Any) -> None:
            done.append(name)

        def transcribe(self, audio: Any, **how: Any) -> tuple[Any, Any]:
            assert how["vad_filter"]
            done.append(how["task"])
            text = TEXTS[how["task"]]
            segment = SimpleNamespace(start=0.1, end=5.0, text=text, no_speech_prob=0.0, avg_logprob=-0.1)
            return iter([segment]), SimpleNamespace(language=how["language"] or "de", duration=5.4)

    library = ModuleType("faster_whisper")
    library.WhisperModel = LocalWhisper  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", library)
    return done
