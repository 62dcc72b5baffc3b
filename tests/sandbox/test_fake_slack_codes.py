"""Every error code of the fake Slack is a named constant with its source, and no other code is ever said."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from bot.sandbox.slack import codes, limits

FILES = [p for p in Path(codes.__file__).parent.rglob("*.py") if p.stem != "codes"]
CODES = {value: name for name, value in vars(codes).items() if name.isupper()}
EVENTS = limits.EVENT_SCOPES.keys()  # of which one is called as an error is


def test_no_code_stands_outside_the_list() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and node.value in CODES.keys() - EVENTS:
                raise AssertionError((path.name, node.lineno, node.value))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SlackRefusal":
                said = node.args[0]
                assert not isinstance(said, ast.Constant), (path.name, node.lineno, ast.unparse(said))


def test_every_code_is_used_and_says_where_it_is_written_down() -> None:
    used = set(re.findall(r"\bcodes\.([A-Z_]+)", "\n".join(p.read_text("utf-8") for p in FILES)))
    assert used == set(CODES.values())
    common, _, of_methods = Path(codes.__file__).read_text("utf-8").partition("# Of single methods.")
    assert "Source:" in common
    lines = [line for line in of_methods.splitlines() if "=" in line]
    assert len(lines) > 50
    assert all("  # " in line for line in lines)
