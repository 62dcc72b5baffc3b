"""Every test by its name: where it stands, and which of them are named for a row of a table."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)  # every worker reads all files for this
ROW = re.compile(r"test_(row|attack)_\d\d_")


@cache
def every_test() -> dict[str, Path]:
    """The file of each test function whose name stands in one file only: tables name tests by function."""
    places = [(name, path) for path in sorted(TESTS.rglob("test_*.py")) for name in names_in(path)]
    often = Counter(name for name, _ in places)
    assert not [name for name, times in often.items() if times > 1 and ROW.match(name)]
    return {name: path for name, path in places if often[name] == 1}


def names_in(path: Path) -> list[str]:
    return TEST.findall(path.read_text("utf-8"))


def by_row(named: re.Pattern[str]) -> dict[int, list[str]]:
    """Tests by the number of the row that their names hold."""
    found: dict[int, list[str]] = {}
    for name in every_test():
        if row := named.match(name):
            found.setdefault(int(row[1]), []).append(name)
    return found
