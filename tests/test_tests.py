"""The rules of the tests themselves, read off their code: each file stands alone, and nothing private is
replaced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.house import CODE, ROOT
from tests.support.together import TOGETHER

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
TEST_FILE = re.compile(r"\btests\.(?:\w+\.)*test_\w+")
PRIVATE = re.compile(r"(?:^|\.)_[a-z]\w*$")
MODULES = sorted({path.stem for path in CODE if not path.stem.startswith("_")})
PRIVATE_CALL = re.compile(rf"\b(?:{'|'.join(MODULES)})\._[a-z]\w*\(")


def named(path: Path) -> str:
    return str(path.relative_to(TESTS))


def imported(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
            yield from TEST_FILE.findall(node.value)


def replaced(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """What monkeypatch and mock put something else in the place of: names, or the path of one."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = [
                a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
            if node.func.attr in ("setattr", "delattr", "patch", "object"):
                yield from words


def called_in_strings(nodes: list[ast.AST]) -> Iterator[str]:
    """Private functions of ours that a piece of code calls which stands in a string."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from PRIVATE_CALL.findall(node.value)


@cache
def findings() -> dict[str, set[tuple[str, str]]]:
    """What breaks a rule, as (file, name), by rule; each file is parsed once for all of them."""
    found: dict[str, set[tuple[str, str]]] = {"import": set(), "replace": set(), "string": set()}
    for path in FILES:
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        found["import"] |= {(named(path), name) for name in imported(nodes) if TEST_FILE.match(name)}
        found["replace"] |= {(named(path), name) for name in replaced(nodes) if PRIVATE.search(name)}
        found["string"] |= {(named(path), name) for name in called_in_strings(nodes)}
    return found


def test_no_file_imports_from_a_test_file() -> None:
    assert findings()["import"] == set(), "what two test files need stands in tests/support/"


def test_nothing_private_is_replaced() -> None:
    assert findings()["replace"] == set(), "a test reaches a private function through the public one"


def test_nothing_private_is_named_in_code_that_stands_in_a_string() -> None:
    assert findings()["string"] == set()


@pytest.mark.parametrize(
    ("code", "is_private"),
    [
        ('monkeypatch.setattr(tokens, "_load", str)', True),
        ('monkeypatch.setattr("bot.text.tokens._load", str)', True),
        ('mock.patch("bot.text.tokens._load")', True),
        ('monkeypatch.setattr("bot.jobs.inbox.OUTAGE_S", (1, 2))', False),
        ('setattr(row, "kept", True)', False),
    ],
)
def test_what_is_replaced_is_seen_in_code(code: str, is_private: bool) -> None:
    assert any(PRIVATE.search(name) for name in replaced(ast.walk(ast.parse(code)))) is is_private


def test_what_runs_together_is_there() -> None:
    assert [name for name in TOGETHER if not (ROOT / name).is_file()] == []
