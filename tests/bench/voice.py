"""`python -m tests.bench.voice`: what preparing a recording costs beside plain decoding, and how much memory.

Plain decoding is the least that anybody does who has to know how long a file is: PyAV, every frame, thrown
away, in a process of its own like ours. Figures are ratios within one run.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from bot.voice.decoding import DecodingLimits, decode_file
from tests.support.audio_files import FORMATS, RATE, encode, silence, speech

PLAIN = """
import resource, sys
import av
box = av.open(sys.argv[1])
for frame in box.decode(audio=0):
    pass
"""
PEAK = """
import asyncio, resource, sys
from pathlib import Path
from tests.bench import voice
asyncio.run(voice.prepared(Path(sys.argv[1]), getattr(voice, sys.argv[2])))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
CONTAINERS = ("wav", "flac", "mp3", "m4a", "webm")
WHOLE = DecodingLimits(frozenset(FORMATS), 1 << 40, 86_400, 86_400)
SPLIT = DecodingLimits(frozenset(FORMATS), 25 << 20, 600, 86_400)


def cpu_s() -> float:
    """Processor time of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def talk(minutes: float) -> Any:
    """Two voices in turn, with pauses."""
    turn = np.concatenate([speech(), silence(0.6), speech("wann"), silence(0.9)])
    return np.tile(turn, int(minutes * 60 * RATE / len(turn)) + 1)[: int(minutes * 60 * RATE)]


async def prepared(path: Path, wants: DecodingLimits) -> tuple[float, float]:
    """(processor seconds, length in seconds)."""
    before = cpu_s()
    with tempfile.TemporaryDirectory() as into:
        recording = await decode_file(path, path.name, Path(into), wants)
    return cpu_s() - before, recording.length_s


def plain(path: Path) -> float:
    before = cpu_s()
    subprocess.run([sys.executable, "-c", PLAIN, str(path)], check=True)
    return cpu_s() - before


def peak_mb(path: Path, wants: DecodingLimits) -> float:
    """Largest resident size of the decoding child, in a fresh process so that nothing older counts."""
    name = "SPLIT" if wants is SPLIT else "WHOLE"
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), name], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


async def bench(minutes: float) -> None:
    print(
        f"{minutes:.0f} minutes of speech; hours of recording per CPU-minute, start of the process included"
    )
    print(f"{'format':8}{'plain':>8}{'measure':>9}{'ratio':>7}{'re-encode':>11}{'ratio':>7}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as directory:
        for container in CONTAINERS:
            path = encode(talk(minutes), Path(directory) / f"talk.{container}", container)
            base = plain(path)
            measure, length_s = await prepared(path, WHOLE)
            split, _ = await prepared(path, SPLIT)
            row = (
                f"{container:8}{length_s / 60 / base:8.1f}{length_s / 60 / measure:9.1f}{measure / base:7.2f}"
            )
            print(row + f"{length_s / 60 / split:11.1f}{split / base:7.2f}{peak_mb(path, SPLIT):9.0f}")
            path.unlink()
        print("peak memory of the child, MB, by length in minutes: measured only, re-encoded")
        for long in (minutes, 2 * minutes, 4 * minutes):
            path = encode(talk(long), Path(directory) / "talk.flac", "flac")
            print(f"{long:8.0f}{peak_mb(path, WHOLE):8.0f}{peak_mb(path, SPLIT):8.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0)
    began = time.monotonic()
    asyncio.run(bench(parser.parse_args().minutes))
    print(f"PyAV {av.__version__}, {time.monotonic() - began:.0f} s")
