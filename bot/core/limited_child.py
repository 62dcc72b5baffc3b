"""The inside of a limited process: takes on its ceilings, then runs the one module that it was started for.

python -m bot.core.limited_child MODULE ORDERS CEILINGS, as `bot/core/limited_process.py` does. The module has
`main(orders, source)`; the file to look at is standard input, what is found of it are JSON lines.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from typing import Any, BinaryIO

from bot.core.no_network import close_network


class FileRefused(Exception):
    """The file is not read; the reason is for the person."""


def main() -> None:
    module, orders, ceilings = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
    _take_on(**ceilings)
    source: BinaryIO = open(0, "rb", closefd=False)  # noqa: SIM115  (lives as long as the process)
    try:
        importlib.import_module(module).main(orders, source)
    except FileRefused as exc:
        write_line(refused=str(exc))
    except MemoryError:
        write_line(refused="it needs too much memory")


def _take_on(*, memory_bytes: int, cpu_s: float, output_bytes: int, may_start: bool) -> None:
    """Ceilings on this process, before it looks at a byte of the file."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, int(cpu_s)),
        (resource.RLIMIT_FSIZE, output_bytes),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    os.nice(5)  # answering comes before reading what was shared
    close_network(may_start=may_start)


def write_line(**line: Any) -> None:
    """Tells the parent something. Not print(): whatever else writes there comes in between lines only."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # As the module that others import: FileRefused would be another class in __main__.
    importlib.import_module("bot.core.limited_child").main()
