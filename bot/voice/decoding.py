"""What a recording is, and what is to be sent of it: values, formats, and the parent of the decoding child.

Nothing here decodes. A file that a person shared is opened only in `bot/voice/decoder_process.py`, a process
of its own with limits (bot/core/limited_process.py); this module says what for, and listens to it. What a
name, a MIME type or a header says of a file is never believed: the format comes from the first bytes
(bot/voice/containers.py), the length from counting decoded samples.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import FileTooLarge, SetupError, UnsupportedFile
from bot.core.limited_process import ProcessLimits, limited_process
from bot.core.temporary import NO_ROOM, NoRoomLeft
from bot.voice.containers import CONTAINERS

log = logging.getLogger(__name__)

Span = tuple[float, float]  # seconds from the beginning: from, to
Progress = Callable[[float, float], None]  # seconds done, seconds in all (0: not known yet)

# The child says something at least every half minute of audio, which takes it well under a second.
STALL_S = 20.0
LEAST_SOUND_S = 0.1  # less sound than this is a click


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """What a speech model takes in one request, and how much an operator allows."""

    containers: frozenset[str]  # sent as they are
    max_bytes: int
    max_s: float  # of one request
    longest_s: float  # of a whole recording: what is longer is refused
    part_s: float = 600.0  # once a recording has to be split, in parts of at most this
    memory_bytes: int = 512 << 20

    @property
    def cpu_s(self) -> float:
        """Far more than honest work needs (1/100 of the recording's length), and an end to all other."""
        return 30.0 + self.longest_s / 20


@dataclass(frozen=True, slots=True)
class Part:
    """One request's worth of a recording."""

    path: Path
    name: str  # made by us, with the ending that tells the format
    start_s: float
    end_s: float
    overlap_s: float = 0.0  # so much of its beginning is also in the part before: no pause was found

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded file: how long it is, where there is sound in it, and what to send."""

    container: str
    length_s: float
    sounds: tuple[Span, ...]
    parts: tuple[Part, ...]
    unchanged: bool  # the one part is the file itself, byte for byte
    damaged: bool = False  # some of it could not be decoded
    cut: bool = False  # its end is missing in the file
    promised_s: float = 0.0  # how long the file says that it is, when its end is missing and it says so

    @property
    def has_sound(self) -> bool:
        return seconds_of_sound(self.sounds, 0.0, self.length_s) >= LEAST_SOUND_S


def seconds_of_sound(sounds: Iterable[Span], start_s: float, end_s: float) -> float:
    """Seconds of sound between two moments."""
    return sum(max(0.0, min(end_s, b) - max(start_s, a)) for a, b in sounds)


async def decode_file(
    path: Path,
    name: str,
    into: Path,
    limits: DecodingLimits,
    *,
    progress: Progress | None = None,
    take_space: Callable[[int], None] = lambda count_bytes: None,
) -> Recording:
    """Decodes a file in a child process; parts that had to be made are files in the directory `into`.

    `name` is for the errors: UnsupportedFile (not a recording, broken, hostile, no room for its parts),
    FileTooLarge (longer than `limits.longest_s`). SetupError when the decoder is not installed. `take_space`
    hears of the bytes of each part (bot/core/temporary.py).
    """
    _require_decoder()
    found: dict[str, Any] = {}
    parts: list[Part] = []
    ceilings = ProcessLimits(limits.memory_bytes, limits.cpu_s, stall_s=STALL_S)
    orders = asdict(limits) | {"containers": sorted(limits.containers), "into": str(into)}
    async with limited_process("bot.voice.decoder_process", orders, path, limits=ceilings) as process:
        async for line in process.lines():
            if "at_s" in line:
                if progress:
                    progress(line["at_s"], line["of_s"])
            elif "part" in line:
                start_s, end_s = line["span"]
                parts.append(Part(into / line["part"], line["part"], start_s, end_s, line["overlap_s"]))
                _take_space(parts[-1].path, name, take_space)
            elif "refused" in line:
                raise UnsupportedFile(name, line["refused"])
            elif "too_long" in line:
                raise FileTooLarge(name, f"{limits.longest_s / 60:.0f} minutes")
            else:
                found = line
    if not found:
        raise UnsupportedFile(name, "it cannot be decoded within the limits")
    return _recording_from(path, found, parts)


def _take_space(part: Path, name: str, take_space: Callable[[int], None]) -> None:
    try:
        take_space(part.stat().st_size)
    except NoRoomLeft as exc:
        log.warning("temporary files take all that PARLEY_TEMPORARY_LIMIT_MB gives them")
        raise UnsupportedFile(name, NO_ROOM) from exc


def _recording_from(path: Path, found: dict[str, Any], parts: list[Part]) -> Recording:
    if found["unchanged"]:
        sent = f"recording{CONTAINERS[found['container']][0]}"
        parts = [Part(path, sent, 0.0, found["length_s"])]
    sounds = tuple((start, end) for start, end in found.pop("sounds"))
    return Recording(**found, sounds=sounds, parts=tuple(parts))


def _require_decoder() -> None:
    missing = [module for module in ("av", "numpy") if importlib.util.find_spec(module) is None]
    if missing:
        raise SetupError([f"voice: {' and '.join(missing)} not installed; install parley-assistant[voice]"])
