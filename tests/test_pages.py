"""The pages: short where they have to be, made from the code where they repeat it, and true about paths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import settings as settings_cli
from bot.cli.main import COMMANDS
from bot.core import settings
from handlers import routes
from handlers.commands import HELP
from tests.support import pages

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
DOCUMENTED = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("settings.md", "commands.md")}
# Files that name paths of ours, beside the pages.
NAMING = [*PAGES, *(ROOT / name for name in ("Makefile", "NOTICE", "Dockerfile", "manifest.yml"))]
PATH = re.compile(r"(?<![\w/.-])((?:bot|handlers|storage|tests|docs)/[\w./-]*\w/?)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMES = {page: page.relative_to(ROOT).as_posix() for page in NAMING}


@pytest.mark.parametrize("page", pages.PAGES)
def test_what_a_page_repeats_of_the_code_is_as_the_code_has_it(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == pages.rewritten(page), "run `make pages`"


def test_the_page_for_newcomers_and_the_page_read_first_stay_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) <= 8192
    assert len((ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()) <= 120


def test_every_setting_is_in_the_example_and_on_its_page() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == settings_cli.example()
    for row in settings.table():
        assert f"| `{row.env}` |" in DOCUMENTED["settings.md"], row.env


def test_every_command_is_on_its_page() -> None:
    for name in COMMANDS:
        assert f"### `parley {name}`" in DOCUMENTED["commands.md"], name
    for words in HELP:
        assert f"`/parley {words}`" in DOCUMENTED["commands.md"], words
    assert "SUPPRESS" not in DOCUMENTED["commands.md"]


def test_every_scope_is_explained_where_privacy_is() -> None:
    privacy = (ROOT / "docs" / "privacy.md").read_text("utf-8")
    assert re.findall(r"^\| `([a-z_]+:?[a-z]*)` \|", privacy, re.MULTILINE) == sorted(routes.SCOPES)


def test_every_button_stands_in_the_code_as_the_page_names_it() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "handlers").rglob("*.py"))
    registered = routes.table(None, None)["action"]  # type: ignore[arg-type]
    assert set(pages.BUTTONS) == set(registered)
    for label in pages.BUTTONS.values():
        assert label == "👍 👎" or label in source, label


@pytest.mark.parametrize("page", NAMING, ids=NAMES.get)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    for path in PATH.findall(page.read_text("utf-8")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=NAMES.get)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if not target.startswith(("http:", "https:", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


def test_every_room_says_what_lives_in_it_and_names_files_that_do() -> None:
    for folder in pages.FOLDERS:
        for room in (ROOT / folder).rglob("__init__.py"):
            said = pages.docstring(room) or ""
            assert pages.first_line(said).endswith("."), room
            for name in re.findall(r"(?<![\w/])\w+\.py\b", said):
                assert (room.parent / name).exists(), (room, name)


def test_the_pages_hold_prose_only() -> None:
    assert {path.suffix for path in (ROOT / "docs").rglob("*")} == {".md"}
