"""See tests/simulator/__init__.py. Exit status 1 when a promise was broken."""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.simulator import clock

SELF = [sys.executable, "-m", "tests.simulator"]
SHOWN = 10  # stories that broke a promise are printed; the rest is counted
TOTALS = "totals "  # begins the line with which a worker ends


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator")
    parser.add_argument("--schedules", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, help="only this one, told in full")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of the story
        os.execve(sys.executable, [*SELF, *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"})
    if asked.seed is not None:
        return print_story(asked.seed)
    seeds = range(asked.first, asked.first + asked.schedules)
    if asked.worker:
        return run_stories(seeds)
    return shared(seeds, asked.workers)


def shared(seeds: range, workers: int) -> int:
    """Has several processes tell the stories; prints what they found and the sums."""
    began = time.perf_counter()
    size = -(-len(seeds) // workers)
    parts = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    processes = [
        subprocess.Popen(
            [*SELF, "--worker", "--first", str(part.start), "--schedules", str(len(part))],
            stdout=subprocess.PIPE, text=True,
        )
        for part in parts
    ]  # fmt: skip
    counts: Counter[str] = Counter()
    for line in _lines(processes):
        if line.startswith(TOTALS):
            counts.update(json.loads(line.removeprefix(TOTALS)))
        else:
            print(line, end="", flush=True)
    crashed = sum(process.wait() != 0 for process in processes)
    seconds = time.perf_counter() - began
    print(f"{len(seeds)} schedules in {seconds:.0f} s: {counts['broken']} broke a promise; {dict(counts)}")
    return int(crashed > 0 or counts["broken"] > 0 or counts["schedules"] != len(seeds))


def _lines(processes: Iterable[subprocess.Popen[str]]) -> Iterator[str]:
    for process in processes:
        assert process.stdout is not None
        yield from process.stdout


def run_stories(seeds: Iterable[int]) -> int:
    """Tells stories one after the other; a line for each that broke a promise."""
    warnings.simplefilter("error")
    clock.install()
    from tests.simulator.story import run

    logging.disable(logging.CRITICAL)
    counts: Counter[str] = Counter()
    for seed in seeds:
        story = run(seed)
        counts.update(story.counts, schedules=1, broken=bool(story.broken))
        if story.broken and counts["broken"] <= SHOWN:
            print(f"seed {seed}: {'; '.join(story.broken)[:600]}")
            print(f"  again: python -m tests.simulator --seed {seed}", flush=True)
    print(TOTALS + json.dumps(counts))
    return 0


class _Into(logging.Handler):
    """Log records as lines of the story."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        why = f" | {record.exc_info[1]!r}" if record.exc_info else ""
        said = f"log {record.name}: {record.getMessage()}{why}"
        self._lines.append(f"{clock.CLOCK.passed_s:9.3f}  {said}")


def print_story(seed: int) -> int:
    """One story with everything that happened in it."""
    clock.install()
    from tests.simulator.story import run

    logged: list[str] = []
    logging.basicConfig(level=logging.INFO, handlers=[_Into(logged)])
    story = run(seed)
    for line in sorted([*story.lines, *logged], key=lambda line: float(line.split()[0])):
        print(line)
    for promise in story.broken:
        print(f"BROKEN: {promise}")
    return int(bool(story.broken))


if __name__ == "__main__":
    sys.exit(main())
