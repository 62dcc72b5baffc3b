"""The rules of the house, read off the code itself: who imports whom, what the pages say, what Slack is
told."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import yaml

from bot.core import errors
from handlers import routes as table

ROOT = Path(__file__).parent.parent
CODE = sorted(p for folder in ("bot", "handlers", "storage") for p in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def importers(package: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in CODE
        if any(name == package or name.startswith(f"{package}.") for name in imports(path))
    }


def folder(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def test_imports_go_from_handlers_to_bot_to_storage_and_never_back() -> None:
    for path in CODE:
        names = imports(path)
        if folder(path) == "storage":
            back = {n for n in names if n.split(".")[0] == "handlers" or n.startswith("bot")}
            assert {n for n in back if not n.startswith("bot.core.errors")} <= {"bot"}, path
        if folder(path) == "bot":
            assert not any(n.split(".")[0] == "handlers" for n in names), path


def test_the_sandbox_imports_nothing_of_ours() -> None:
    for path in (ROOT / "bot" / "sandbox").rglob("*.py"):
        ours = {n for n in imports(path) if n.split(".")[0] in ("bot", "handlers", "storage")}
        assert all(n.startswith("bot.sandbox") for n in ours), (path, ours)


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("openai", {"bot/provider/error_table.py", "bot/provider/transport.py"}),
        ("tiktoken", {"bot/text/tokens.py"}),
        ("genai_prices", {"bot/costs/pricing.py", "bot/costs/price_list.py"}),
        ("sqlite3", None),
        ("sqlite_utils", None),
    ],
)
def test_each_door_has_one_key(package: str, allowed: set[str] | None) -> None:
    found = {name for name in importers(package) if not name.startswith("bot/sandbox/")}
    if allowed is None:
        assert all(name.startswith("storage/") for name in found), found
    else:
        assert found <= allowed, found


def test_only_handlers_know_slack() -> None:
    for package in ("slack_bolt", "slack_sdk"):
        assert all(name.startswith("handlers/") for name in importers(package))


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
