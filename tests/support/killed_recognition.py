"""Has the recording `clip` of a folder recognised, and kills itself when so many of its parts were asked for.

`python -m tests.support.killed_recognition FOLDER PARTS`. What was asked for is in the file `asked`; what was
heard is printed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from bot.voice.transcriber import TranscriptionRequest
from tests.support.audio_files import tones
from tests.support.recognition import SCOPE, recognizer_on


class DeadlySpeech:
    """Hears tones."""

    pick_model = staticmethod(str)

    def __init__(self, asked: Path, deadly: int) -> None:
        self._asked, self._deadly = asked, deadly

    async def transcribe(self, name: str, audio: bytes, *_: Any, **__: Any) -> dict[str, str]:
        with self._asked.open("a") as file:
            file.write(tones(audio).text.split()[0] + "\n")
        if len(self._asked.read_text().split()) == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"text": tones(audio).text}

    translate = transcribe


async def main(folder: Path, deadly: int) -> None:
    speech: Any = DeadlySpeech(folder / "asked", deadly)
    async with recognizer_on(folder, speech=speech, voice_request_s=11, voice_parallel=1) as here:
        card = await here.recognizer.recognize(folder / "clip", TranscriptionRequest("clip", SCOPE))
        print(card.text)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
