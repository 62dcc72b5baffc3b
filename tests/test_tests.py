"""The rules of the tests themselves, read off their code: each file stands alone, and nothing private is
replaced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
TEST_FILE = re.compile(r"\btests\.(?:\w+\.)*test_\w+")
PRIVATE = re.compile(r"(?:^|\.)_[a-z]\w*$")
ROOMS = [TESTS.parent / room for room in ("bot", "handlers", "storage")]
MODULES = sorted({path.stem for room in ROOMS for path in room.rglob("[a-z]*.py")})


def named(path: Path) -> str:
    return str(path.relative_to(TESTS))


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in FILES:
        yield path, ast.parse(path.read_text("utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "import" in node.value:
            yield from TEST_FILE.findall(node.value)


def test_no_file_imports_from_a_test_file() -> None:
    found = {
        (named(path), name) for path, tree in trees() for name in imported(tree) if TEST_FILE.match(name)
    }
    assert found == set(), "what two test files need stands in tests/support/"


def replaced(tree: ast.AST) -> Iterator[str]:
    """What monkeypatch and mock put something else in the place of: names, or the path of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = [
                a.value for a in node.args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
            if node.func.attr in ("setattr", "delattr", "patch", "object"):
                yield from words


def test_nothing_private_is_replaced() -> None:
    found = {(named(path), name) for path, tree in trees() for name in replaced(tree) if PRIVATE.search(name)}
    assert found == set(), "a test reaches a private function through the public one that calls it"


def test_nothing_private_is_named_in_code_that_stands_in_a_string() -> None:
    modules = {
        path.stem for room in ("bot", "handlers", "storage") for path in (TESTS.parent / room).rglob("*.py")
    }
    private = re.compile(rf"\b(?:{'|'.join(sorted(modules - {'__init__', '__main__'}))})\._[a-z]\w*\(")
    found = {
        (named(path), name)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in private.findall(node.value)
    }
    assert found == set()


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
    assert any(PRIVATE.search(name) for name in replaced(ast.parse(code))) is is_private
