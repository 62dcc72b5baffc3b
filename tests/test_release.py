"""`make release` and `make version`: what is refused, and what is built, in a repository of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from bot import VERSION
from tests.support.release import DATED, NAME, UNRELEASED, changelog_problems, date_section, sections
from tests.support.supply import ROOT

pytestmark = pytest.mark.slow  # about packages and releases: no change of a day touches them

TODAY = date(2026, 11, 29)
PARTS = ("bot", "handlers", "storage", "tests/support", "tests/__init__.py")
FILES = ("pyproject.toml", "manifest.yml", "README.md", "LICENSE", "NOTICE", "Makefile", "requirements.lock")
CHANGES = "# Changes\n\n## Unreleased\n\n- Something new.\n"


def changelog(*headings: str, text: str = "- Something.") -> str:
    return "# Changes\n\n" + "".join(f"## {heading}\n\n{text}\n\n" for heading in headings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (changelog("1.2.0 (2026-11-29)", "1.1.0 (2026-01-01)"), ""),
        ("## Unreleased\n\n## 1.2.0 (2026-11-29)\n\n- x", ""),
        (changelog(UNRELEASED, "1.2.0 (2026-11-29)"), "something stands under Unreleased"),
        (changelog(UNRELEASED), "something stands under Unreleased"),
        ("", "no section “1.2.0 (YYYY-MM-DD)”"),
        (changelog("1.2.0"), "no section"),
        (changelog("1.2.0 (soon)"), "no section"),
        (changelog("1.2.01 (2026-11-29)"), "no section"),
        (changelog("1.2.0 (2026-13-29)"), "2026-13-29 is no date"),
        (changelog("1.2.0 (2026-11-30)"), "is not yet"),
        (changelog("1.2.0 (2026-11-29)", text=""), "nothing stands under 1.2.0"),
        (changelog("1.3.0 (2026-11-29)", "1.2.0 (2026-11-28)"), "1.2.0 is not the newest version"),
    ],
)
def test_a_version_is_released_with_a_dated_section_of_its_own(given: str, said: str) -> None:
    problems = "\n".join(changelog_problems(given, "1.2.0", today=TODAY))
    assert said in problems
    assert bool(problems) is bool(said)


def test_what_is_unreleased_gets_a_number_and_a_date_and_nothing_is_lost() -> None:
    after = date_section(CHANGES, "1.2.0", today=TODAY)
    assert sections(after) == {UNRELEASED: "", "1.2.0 (2026-11-29)": "- Something new."}
    assert list(changelog_problems(after, "1.2.0", today=TODAY)) == []


def test_the_changelog_of_this_repository_has_dated_sections_newest_first() -> None:
    found = sections((ROOT / "CHANGELOG.md").read_text("utf-8"))
    titles = [title for title in found if title != UNRELEASED]
    assert all(DATED.fullmatch(title) for title in titles)
    dates = [re.findall(r"\d{4}-\d\d-\d\d", title) for title in titles]
    assert dates == sorted(dates, reverse=True)
    assert next(iter(found)) == UNRELEASED


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What is released, committed in a repository of its own."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in PARTS:
        source, skipped = ROOT / name, shutil.ignore_patterns("__pycache__", "pictures")
        (folder / name).parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=skipped)
        else:
            shutil.copy(source, folder / name)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    (folder / ".gitignore").write_text("dist/\n__pycache__/\n", "utf-8")
    (folder / "CHANGELOG.md").write_text(CHANGES, "utf-8")
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "x")


def run(folder: Path, *words: str, engine: Path | None = None) -> tuple[int, str]:
    """The exit status of `make release` or `make version`, and what it said. `engine`: where docker is."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    for tool in ("git", "make", "sh"):
        found = shutil.which(tool)
        if found and not (tools / tool).exists():
            (tools / tool).symlink_to(found)
    path = os.pathsep.join([*([str(engine)] if engine else []), str(tools)])
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.release", *words],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_release_is_numbered_dated_built_and_summed(repository: Path) -> None:
    assert run(repository)[0] == 1, "nothing is dated yet"
    assert run(repository, "version", "9.8.7")[0] == 0
    assert 'VERSION = "9.8.7"' in (repository / "bot/__init__.py").read_text("utf-8")
    status, said = run(repository)
    assert status == 1
    assert "not released: not committed: CHANGELOG.md" in said
    assert not (repository / "dist").exists()
    commit(repository)
    status, said = run(repository, engine=write_engine(repository.parent, "#!/bin/sh\nexit 1\n"))
    assert status == 0, said
    assert "no image: neither docker nor podman runs here" in said, "a command without a server is no engine"
    wheel, bill = f"{NAME.replace('-', '_')}-9.8.7-py3-none-any.whl", f"{NAME}-9.8.7.cdx.json"
    dist = repository / "dist"
    assert {file.name for file in dist.iterdir()} == {wheel, bill, "SHA256SUMS"}
    lines = (dist / "SHA256SUMS").read_text("utf-8").splitlines()
    sums = {name: total for total, name in map(str.split, lines)}
    assert sums == {name: hashlib.sha256((dist / name).read_bytes()).hexdigest() for name in (wheel, bill)}
    about = json.loads((dist / bill).read_text("utf-8"))["metadata"]["component"]
    assert (about["name"], about["version"]) == (NAME, "9.8.7")
    run(repository)
    assert sums[wheel] == hashlib.sha256((dist / wheel).read_bytes()).hexdigest(), "the same from the same"
    git(repository, "tag", "v9.8.7")
    status, said = run(repository)
    assert (status, "the tag v9.8.7 exists" in said) == (1, True)
    assert run(repository, "version", "9.8.7")[0] == 1, "a version is dated once"


ENGINE = """#!/bin/sh
case "$1" in
  image) echo python@sha256:abc ;;
  build) echo "$@" >> "$HOME/built" ;;
  save) echo image > "$3" ;;
esac
"""


def write_engine(folder: Path, script: str, name: str = "docker") -> Path:
    """The folder of a command that stands for docker."""
    engine = folder / "engine"
    engine.mkdir()
    (engine / name).write_text(script, "utf-8")
    (engine / name).chmod(0o755)
    return engine


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_where_an_engine_is_the_image_is_built_on_a_digest_and_summed_too(
    repository: Path, tmp_path: Path, engine: str
) -> None:
    run(repository, "version", "9.8.7")
    commit(repository)
    status, said = run(repository, engine=write_engine(tmp_path, ENGINE, engine))
    assert status == 0, said
    built = (tmp_path / "built").read_text("utf-8")
    assert "--build-arg BASE=python@sha256:abc" in built and f"--tag {NAME}:9.8.7" in built
    image = f"{NAME}-9.8.7.image.tar"
    assert image in (repository / "dist" / "SHA256SUMS").read_text("utf-8")


def test_an_engine_that_fails_fails_the_release(repository: Path, tmp_path: Path) -> None:
    run(repository, "version", "9.8.7")
    commit(repository)
    engine = write_engine(tmp_path, '#!/bin/sh\n[ "$1" = info ]\n')
    status, said = run(repository, engine=engine)
    assert (status, "make image" in said) == (1, True)


def test_a_copy_that_is_no_repository_is_not_released(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    status, said = run(repository)
    assert (status, "no git repository" in said) == (1, True)


def test_a_version_has_three_numbers(repository: Path) -> None:
    for version in ("", "1.2", "v1.2.3", "1.2.3rc1"):
        assert run(repository, "version", version)[0] == 1, version
    assert f'VERSION = "{VERSION}"' in (repository / "bot/__init__.py").read_text("utf-8")
