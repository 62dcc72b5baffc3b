"""The rules of the house, read off the code itself: where SQL stands, what errors say, what Slack is told."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import yaml

from bot.core import errors
from handlers import routes as table
from tests.support.house import CODE, ROOT


def folder(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_sql_stands_in_storage_only() -> None:
    statement = re.compile(r"\b(insert into|select .* from|update \w+ set|delete from)\b", re.IGNORECASE)
    for path in CODE:
        if folder(path) == "storage":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                assert not statement.search(node.value), (path, node.lineno)


def test_the_manifest_declares_what_the_table_registers() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    registered = table.table(None, None)  # type: ignore[arg-type]
    features = manifest["features"]
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == {
        *registered["event"],
        *table.POSTS,
    }
    assert {c["command"] for c in features["slash_commands"]} == set(registered["command"])
    assert {s["callback_id"] for s in features["shortcuts"]} == set(registered["shortcut"])
    assert manifest["oauth_config"]["scopes"]["bot"] == sorted(table.SCOPES)


def test_every_error_has_a_sentence_for_the_person() -> None:
    for error in vars(errors).values():
        if inspect.isclass(error) and issubclass(error, errors.BotError):
            sentence = inspect.cleandoc(error.__doc__ or "")
            assert sentence and "\n" not in sentence, error
            assert sentence.endswith((".", "}")), error


def test_the_pages_speak_of_parley_alone() -> None:
    for path in [
        *CODE,
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]:
        text = path.read_text("utf-8")
        assert not re.search(r"(?<![\w.])/(work|root)/", text), path
