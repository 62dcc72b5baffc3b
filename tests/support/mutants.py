"""Breaks the core on purpose, one place at a time, and counts how often a test notices.

    python -m tests.support.mutants [--each 25] [--seed 1] [--only stop] [--workers 2]

Not part of `make test`: every mutant runs its part of the suite. A mutant is one comparison, operator,
number, condition or piece of SQL changed, or one statement left out. Printed: the share that died, and the
place of each one that lived, which is either a missing test or a change that means nothing. Exit status 1
when fewer than 85 of a hundred died.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.faults.reliability import note

ROOT = Path(__file__).parents[2]
DEADLINE_S = 300  # a mutant that hangs is dead
WANTED_PERCENT = 85


@dataclass(frozen=True, slots=True)
class Part:
    """Source files, and the tests that are to notice; `within`: only this class."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    within: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    file: str
    line: int
    change: str
    source: str


CORE = {
    "inbox": Part(
        ("bot/jobs/inbox.py", "bot/jobs/taking.py", "storage/jobs/inbox.py", "bot/jobs/lanes.py"),
        ("jobs/test_lanes.py", "jobs/test_inbox_machine.py", "jobs/test_inbox.py"),
    ),
    "ledger": Part(
        ("bot/costs/ledger.py", "storage/costs/ledger.py", "storage/costs/budgets.py"),
        ("costs/test_ledger.py", "costs/test_budgets.py", "reports/test_usage.py", "costs/test_totals.py"),
    ),
    "stop": Part(
        ("bot/provider/stop_cutter.py",),
        ("provider/test_stop_cutter.py", "scenarios/test_completion.py"),
        within="StopCutter",
    ),
    "filter": Part(
        ("handlers/reply/output_filter.py",), ("reply/test_output_filter.py",), within="OutputFilter"
    ),
}
FLIPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
SQL = re.compile(r"\b(select|insert into|update|delete from|where|running) .*[=(]", re.DOTALL)
SQL_CHANGES = {
    " and ": " or ", " = ": " <> ", " <= ": " < ", " < ": " <= ", " >= ": " > ", " + ": " - ", "min(": "max(",
    " is null": " is not null", "not exists": "exists", " desc": " asc", "order by seq": "order by seq desc",
}  # fmt: skip


def mutants(file: str, tree: ast.Module, within: str) -> Iterator[Mutant]:
    """Each change that can be made to a file, or to one class of it."""
    region = _region(tree, within)
    idle = _idle(region)
    for index, node in enumerate(ast.walk(region)):
        for change in [] if id(node) in idle else _changes(node):
            changed = copy.deepcopy(tree)
            _apply(list(ast.walk(_region(changed, within)))[index], change)
            yield Mutant(file, getattr(node, "lineno", 0), change, ast.unparse(changed))


def _region(tree: ast.Module, within: str) -> ast.AST:
    return tree if not within else next(n for n in tree.body if getattr(n, "name", "") == within)


def _idle(region: ast.AST) -> set[int]:
    """Nodes whose change no caller can see: what the decorators of classes say (frozen, slots)."""
    classes = (node for node in ast.walk(region) if isinstance(node, ast.ClassDef))
    decorators = [each for node in classes for each in node.decorator_list]
    return {id(node) for decorator in decorators for node in ast.walk(decorator)}


def _changes(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Compare):
        return ["comparison"] if type(node.ops[0]) in FLIPPED else []
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        return ["operator"] if type(node.op) in FLIPPED else []
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
        return ["constant"]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
        return list(_sql_changes(node.value))
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return ["condition"]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        return ["left out"]
    return []


def _sql_changes(sql: str) -> Iterator[str]:
    for old in SQL_CHANGES:
        before = sql.split(old)[:-1]
        for n in range(1, len(before) + 1):
            if old != " = " or "where " in old.join(before[:n]):  # before it, = assigns
                yield f"sql: {old.strip()} {n}"


def _apply(node: ast.AST, change: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = FLIPPED[type(node.ops[0])]()  # type: ignore[assignment]
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        node.op = FLIPPED[type(node.op)]()  # type: ignore[assignment]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        node.value = _changed_sql(node.value, change)
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else int(str(node.value)) + 1
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Expr):
        node.value = ast.Constant(None)


def _changed_sql(sql: str, change: str) -> str:
    """The n-th occurrence of one piece replaced."""
    wanted, _, n = change.removeprefix("sql: ").rpartition(" ")
    old = next(piece for piece in SQL_CHANGES if piece.strip() == wanted)
    parts = sql.split(old)
    return old.join(parts[: int(n)]) + SQL_CHANGES[old] + old.join(parts[int(n) :])


def died(folder: Path, part: Part) -> bool:
    """Whether a test notices. The quickest file comes first."""
    tests = [f"tests/{name}" for name in part.tests]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode != 0


class Bench:
    """As many copies of the project as there are workers; each breaks its own."""

    def __init__(self, place: Path, workers: int) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        unwanted = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__")
        for n in range(workers):
            shutil.copytree(ROOT, place / f"{n}", ignore=unwanted)
            self._free.put(place / f"{n}")

    def noticed(self, part: Part, mutant: Mutant) -> bool:
        folder = self._free.get()
        whole = (folder / mutant.file).read_text("utf-8")
        try:
            (folder / mutant.file).write_text(mutant.source, "utf-8")
            return died(folder, part)
        finally:
            (folder / mutant.file).write_text(whole, "utf-8")
            self._free.put(folder)


def tried(part: Part, each: int, seed: int, *, workers: int) -> tuple[int, int]:
    """(died, made), with a line for each that lived."""
    found = [
        mutant
        for file in part.files
        for mutant in mutants(file, ast.parse((ROOT / file).read_text("utf-8")), part.within)
    ]
    drawn = random.Random(seed).sample(found, min(each or len(found), len(found)))
    with TemporaryDirectory() as place, ThreadPoolExecutor(workers) as pool:
        bench = Bench(Path(place), workers)
        ends = []
        for mutant, end in zip(drawn, pool.map(lambda one: bench.noticed(part, one), drawn), strict=True):
            ends.append(end)
            if not end:
                print(f"  lived: {mutant.file}:{mutant.line} ({mutant.change})", flush=True)
    return sum(ends), len(ends)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutants")
    parser.add_argument("--each", type=int, default=25, help="mutants per part, drawn by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=CORE)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    enough = True
    for name, part in CORE.items():
        if asked.only in (None, name):
            killed, made = tried(part, asked.each, asked.seed, workers=asked.workers)
            figures = f"{killed} of {made} mutants died, {100 * killed / made:.0f} %"
            print(f"{name}: {figures}", flush=True)
            note(
                f"Mutants of the {name}",
                f"{figures} (seed {asked.seed}, {'all' if not asked.each else 'a sample'})",
            )
            enough &= 100 * killed >= WANTED_PERCENT * made
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
