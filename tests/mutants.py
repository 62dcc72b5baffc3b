"""Breaks the core on purpose, one place at a time, and counts how often a test notices.

    python -m tests.mutants [--each 25] [--seed 1] [--only stop]

Not part of `make test`: every mutant runs its part of the suite. Printed: the share that died, and the place
of each one that lived, which is either a missing test or a change that means nothing.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
DEADLINE_S = 180  # a mutant that hangs is dead


@dataclass(frozen=True, slots=True)
class Part:
    """Source files, and the tests that are to notice; `within`: only this class."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    within: str = ""


CORE = {
    "inbox": Part(
        ("bot/inbox.py", "storage/inbox.py", "bot/lanes.py"),
        ("test_lanes.py", "test_inbox_machine.py", "test_inbox.py"),
    ),
    "ledger": Part(
        ("bot/ledger.py", "storage/ledger.py", "storage/budgets.py"),
        ("test_ledger.py", "test_budgets.py", "test_reports.py", "test_totals.py"),
    ),
    "stop": Part(("bot/transcript.py",), ("test_transcript.py", "test_completion.py"), within="StopCutter"),
    "filter": Part(("handlers/outgoing.py",), ("test_outgoing.py",), within="Outgoing"),
}
FLIPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def mutants(tree: ast.Module, within: str) -> Iterator[tuple[int, str, ast.Module]]:
    """Each change that can be made: its line, what it is, and the changed module."""
    region = tree if not within else next(n for n in tree.body if getattr(n, "name", "") == within)
    for index, node in enumerate(ast.walk(region)):
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            copied = changed if not within else next(
                n for n in changed.body if getattr(n, "name", "") == within
            )  # fmt: skip
            target = list(ast.walk(copied))[index]
            _apply(target, change)
            yield getattr(node, "lineno", 0), change, changed


def _changes(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Compare):
        return ["comparison"] if type(node.ops[0]) in FLIPPED else []
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        return ["operator"] if type(node.op) in FLIPPED else []
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
        return ["constant"]
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return ["condition"]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
        return ["left out"]
    return []


def _apply(node: ast.AST, change: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = FLIPPED[type(node.ops[0])]()  # type: ignore[assignment]
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        node.op = FLIPPED[type(node.op)]()  # type: ignore[assignment]
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else int(str(node.value)) + 1
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Expr):
        node.value = ast.Constant(None)


def died(folder: Path, part: Part) -> bool:
    """Whether a test notices. The quickest file comes first."""
    tests = [f"tests/{name}" for name in part.tests]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--each", type=int, default=25, help="mutants per part, drawn by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=CORE)
    asked = parser.parse_args()
    killed = made = 0
    with TemporaryDirectory() as place:
        folder = Path(place) / "parley"
        shutil.copytree(
            ROOT, folder, ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__")
        )
        for name, part in CORE.items():
            if asked.only not in (None, name):
                continue
            ends = list(_tried(folder, part, asked.each, random.Random(asked.seed)))
            killed, made = killed + sum(ends), made + len(ends)
            print(f"{name}: {sum(ends)} of {len(ends)} mutants died", flush=True)
    print(f"{killed} of {made}: {100 * killed / made:.0f} %")
    return 0


def _tried(folder: Path, part: Part, each: int, dice: random.Random) -> Iterator[bool]:
    found = [
        (file, *mutant)
        for file in part.files
        for mutant in mutants(ast.parse((ROOT / file).read_text("utf-8")), part.within)
    ]
    for file, line, change, tree in dice.sample(found, min(each or len(found), len(found))):
        (folder / file).write_text(ast.unparse(tree), "utf-8")
        noticed = died(folder, part)
        shutil.copy(ROOT / file, folder / file)
        if not noticed:
            print(f"  lived: {file}:{line} ({change})", flush=True)
        yield noticed


if __name__ == "__main__":
    sys.exit(main())
