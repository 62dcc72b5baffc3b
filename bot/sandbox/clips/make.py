"""Make the bundled clips again: `python bot/sandbox/clips/make.py` (needs espeak-ng and the extra `voice`).

The words are our own, the voice is synthetic. Containers are those that Slack's clients record.
"""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import av

from bot.sandbox.rehearsal.recordings import RATE, measure_loudness, read_samples

HERE = Path(__file__).parent
SPOKEN: tuple[dict[str, Any], ...] = (
    {
        "file": "release_note.m4a",
        "mime": "audio/mp4",
        "codec": "aac",
        "voice": "en-gb",
        "language": "en",
        "title": "Release note (English)",
        "text": "Hey Parley, we moved the release to Thursday. Can you write a short note for the team?",
        "english": "Hey Parley, we moved the release to Thursday. Can you write a short note for the team?",
    },
    {
        "file": "offene_rechnung.webm",
        "mime": "audio/webm",
        "codec": "libopus",
        "voice": "de",
        "language": "de",
        "title": "Open invoice (German)",
        "text": "Hallo Parley, die Rechnung für Oktober ist noch offen. Wer kümmert sich darum?",
        "english": "Hello Parley, the invoice for October is still open. Who is taking care of it?",
    },
)


def main() -> None:
    clips = []
    for clip in SPOKEN:
        command = ["espeak-ng", "-v", clip["voice"], "-s", "150", "--stdout", clip["text"]]
        speech = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
        recording = encode(speech, clip["file"], clip["codec"])
        (HERE / clip["file"]).write_bytes(recording)
        kept = {key: clip[key] for key in ("file", "mime", "language", "title", "text", "english")}
        length_ms = round(len(read_samples(recording)) / RATE * 1000)
        loudness = " ".join(str(round(value)) for value in measure_loudness(recording))
        clips.append(kept | {"duration_ms": length_ms, "loudness": loudness})
    text = json.dumps(clips, ensure_ascii=False, indent=1)
    (HERE / "clips.json").write_text(text + "\n", "utf-8")


def encode(speech: bytes, name: str, codec: str) -> bytes:
    """WAV in, the container of the file's name out."""
    kind = {"m4a": "ipod", "webm": "webm"}[name.rpartition(".")[2]]
    written = io.BytesIO()
    with av.open(io.BytesIO(speech), "r") as source, av.open(written, "w", format=kind) as target:
        stream = target.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 32_000
        resampler = av.AudioResampler(format="fltp" if codec == "aac" else "flt", layout="mono", rate=48_000)
        stream.layout = "mono"
        for frame in [*source.decode(audio=0), None]:
            for part in resampler.resample(frame):
                part.pts = None
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return written.getvalue()


if __name__ == "__main__":
    main()
