"""Releases: the changelog's dated sections, and what is built of one into dist/.

python -m tests.support.release version 1.2.3  (`make version NEW=1.2.3`): dates what is unreleased
python -m tests.support.release                (`make release`): wheel, bill of materials, image, checksums

Nothing is tagged or published: docs/releasing.md says what is left to do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from bot import VERSION

ROOT = Path(__file__).parents[2]
NAME = "parley-assistant"
ENGINES = ("docker", "podman")
UNRELEASED = "Unreleased"
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
DATED = re.compile(r"(?P<version>\d+\.\d+\.\d+) \((?P<date>\d{4}-\d\d-\d\d)\)")
VERSION_LINE = re.compile(r'^VERSION = "[^"]*"', re.MULTILINE)


def sections(changelog: str) -> dict[str, str]:
    """What stands under each heading of the changelog, newest first."""
    _, *parts = SECTION.split(changelog)
    titles, texts = parts[::2], parts[1::2]
    return {title.strip(): text.strip() for title, text in zip(titles, texts, strict=True)}


def changelog_problems(changelog: str, version: str, *, today: date) -> Iterator[str]:
    """What keeps a version from being released, by its changelog."""
    found = sections(changelog)
    if found.get(UNRELEASED):
        yield f"CHANGELOG.md: something stands under {UNRELEASED}; `make version NEW={version}` dates it"
    dated = {match["version"]: title for title in found if (match := DATED.fullmatch(title))}
    title = dated.get(version)
    if title is None:
        yield f"CHANGELOG.md: no section “{version} (YYYY-MM-DD)”"
        return
    if not found[title]:
        yield f"CHANGELOG.md: nothing stands under {title}"
    day = title.removeprefix(f"{version} (").removesuffix(")")
    try:
        if date.fromisoformat(day) > today:
            yield f"CHANGELOG.md: {title} is not yet"
    except ValueError:
        yield f"CHANGELOG.md: {day} is no date"
    if next(iter(dated)) != version:
        yield f"CHANGELOG.md: {version} is not the newest version"


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def tree_problems(version: str) -> Iterator[str]:
    """What keeps this tree from being released."""
    changed = git("status", "--porcelain")
    if changed.returncode:
        yield "this is no git repository: what is released could not be found again"
        return
    for line in changed.stdout.splitlines():
        yield f"not committed: {line[3:]}"
    if git("rev-parse", "--verify", "--quiet", f"refs/tags/v{version}").returncode == 0:
        yield f"the tag v{version} exists: a version is released once; `make version NEW=…`"


def date_section(changelog: str, version: str, *, today: date) -> str:
    """The changelog with a number and a date for what is unreleased, and an empty section above it."""
    if not sections(changelog).get(UNRELEASED):
        raise SystemExit(f"CHANGELOG.md: nothing stands under {UNRELEASED}")
    dated = f"## {UNRELEASED}\n\n## {version} ({today.isoformat()})"
    return changelog.replace(f"## {UNRELEASED}", dated, 1)


def set_version(version: str) -> None:
    """Dates the changelog's section and sets the version; nothing is committed."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise SystemExit(f"{version} is no version like 1.2.3")
    if any(title.startswith(f"{version} (") for title in sections(_changelog())):
        raise SystemExit(f"CHANGELOG.md: {version} has its section")
    today = datetime.now(UTC).date()
    (ROOT / "CHANGELOG.md").write_text(date_section(_changelog(), version, today=today), "utf-8")
    place = ROOT / "bot" / "__init__.py"
    place.write_text(VERSION_LINE.sub(f'VERSION = "{version}"', place.read_text("utf-8")), "utf-8")
    print(f"{version}: look through CHANGELOG.md and commit")


def build(version: str, into: Path) -> list[Path]:
    """The wheel, the bill of materials, and the image where there is an engine."""
    from tests.support.supply import sbom  # whose libraries take longer than everything else here

    stamp = git("log", "-1", "--format=%ct").stdout.strip()  # the same wheel from the same commit
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    run(wheel, SOURCE_DATE_EPOCH=stamp)
    bill = into / f"{NAME}-{version}.cdx.json"
    bill.write_text(sbom(), "utf-8")
    return [*into.glob("*.whl"), bill, *build_image(version, into)]


def build_image(version: str, into: Path) -> list[Path]:
    engine = next(filter(_runs, ENGINES), None)
    if engine is None:
        print(f"no image: neither {' nor '.join(ENGINES)} runs here")
        return []
    tag, saved = f"{NAME}:{version}", into / f"{NAME}-{version}.image.tar"
    run(["make", "image", f"ENGINE={engine}", f"TAG={tag}"])
    run([engine, "save", "--output", str(saved), tag])
    return [saved]


def _runs(engine: str) -> bool:
    """Whether it is installed and works: docker may be a command without a server behind it."""
    return (
        bool(shutil.which(engine))
        and not subprocess.run([engine, "info"], capture_output=True, check=False).returncode
    )


def run(command: Sequence[str], **environ: str) -> None:
    if subprocess.run(command, cwd=ROOT, env=os.environ | environ, check=False).returncode:
        raise SystemExit(f"{' '.join(command[:4])} … failed")


def write_checksums(files: Sequence[Path], into: Path) -> Path:
    """As `sha256sum --check` reads them."""
    sums = into / "SHA256SUMS"
    lines = [f"{sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    sums.write_text("".join(lines), "utf-8")
    return sums


def release() -> None:
    problems = [*tree_problems(VERSION)]
    problems += changelog_problems(_changelog(), VERSION, today=datetime.now(UTC).date())
    if problems:
        raise SystemExit("\n".join(f"not released: {problem}" for problem in problems))
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    files = build(VERSION, dist)
    for file in (*files, write_checksums(files, dist)):
        print(file.relative_to(ROOT))
    print(f"left to do: git tag -a v{VERSION}, then publish what is in dist/ (docs/releasing.md)")


def _changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text("utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["version"]:
        set_version(sys.argv[2] if sys.argv[2:] else "")
    else:
        release()
