"""The wheel is the whole of Parley: what somebody has who installs it, far from the repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from bot import VERSION
from tests.support.house import FOLDERS, ROOT
from tests.support.waiting import until
from tests.support.wheel import Installed, build_wheel, install_wheel

pytestmark = pytest.mark.slow  # about packages and releases: no change of a day touches them

READY = re.compile(r"sandbox is at (http://127\.0\.0\.1:\d+)")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    return install_wheel(build_wheel(folder), folder / "environment")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with packages of the same names as ours."""
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('another package')\n", "utf-8")
    return tmp_path


def run(installed: Installed, folder: Path, *words: str) -> str:
    done = subprocess.run(
        [installed.command, *words], cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_the_wheel_holds_all_that_is_in_the_repository_for_it_and_nothing_else(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    there = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    ours = {path.relative_to(ROOT).as_posix() for path in there if path.suffix != ".pyc"}
    assert inside == ours | {"bot/manifest.yml"}
    assert (installed.packages / "bot/manifest.yml").read_bytes() == (ROOT / "manifest.yml").read_bytes()


def test_the_distribution_has_a_name_of_its_own_and_the_version_that_the_command_tells(
    installed: Installed, elsewhere: Path
) -> None:
    (about,) = installed.packages.glob("parley_assistant-*.dist-info/METADATA")
    told = message_from_string(about.read_text("utf-8"))
    assert (told["Name"], told["Version"]) == ("parley-assistant", VERSION)
    assert run(installed, elsewhere, "--version") == f"parley {VERSION}\n"


def test_every_place_that_asks_for_the_distribution_calls_it_by_its_name() -> None:
    name = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["name"]
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *(ROOT / "bot").rglob("*.py")]
    for path in pages:
        text = path.read_text("utf-8")
        assert not re.search(r"(?<![\w-])parley\[", text), path
        assert not re.search(r"(pip|pipx|uv tool) install ['\"]?parley(?![\w-])", text), path
    assert name in (ROOT / "README.md").read_text("utf-8")


def test_settings_are_those_of_the_repository(installed: Installed, elsewhere: Path) -> None:
    assert run(installed, elsewhere, "settings") == (ROOT / ".env.example").read_text("utf-8")


def fetch(url: str, body: bytes | None = None) -> bytes:
    with urlopen(Request(url, body), timeout=30) as answer:
        return bytes(answer.read())


def page(url: str, path: str, **given: Any) -> Any:
    """Asks the sandbox's page for something, or has a person do something."""
    return json.loads(fetch(f"{url}/sandbox/{path}", json.dumps(given).encode() if given else None))


@pytest.fixture
def url(installed: Installed, elsewhere: Path) -> Iterator[str]:
    """Where the wheel's sandbox is, once it is ready."""
    process = subprocess.Popen(
        [installed.command, "sandbox", "--port", "0"],
        cwd=elsewhere,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        said = process.stdout.readline()
        ready = READY.search(said)
        assert ready, said
        yield ready[1]
    finally:
        process.terminate()
        process.communicate(timeout=30)


async def answer(url: str, channel: str, text: str) -> str:
    """What Parley says to a question, once it stands."""
    ts = page(url, "api/say", user="alice", channel=channel, text=text)["result"]
    thread = f"api/thread?{urlencode({'channel': channel, 'ts': ts})}"

    def said() -> list[str]:
        replies = [one for one in page(url, thread)[1:] if one.get("bot_id")]
        return [one["text"] for one in replies if one["text"] and not one.get("streaming")]

    await until(said)
    return said()[-1]


async def test_the_sandbox_of_the_wheel_is_the_whole_one(url: str) -> None:
    assert "Thursday" in await answer(url, "#general", "@parley Our release is on Thursday.")
    assert "30 days" in await answer(url, "#handbook", "@parley How many days of holiday a year?")
    assert await answer(url, "#support", "@parley Who won the football match last night?")
    assert any(request["cost_usd"] for request in page(url, "model_requests")["requests"])
    assert page(url, "api/command", user="alice", channel="#finance", command="/parley", text="help")["ok"]
    for clip in page(url, "clips")["clips"]:
        assert len(fetch(f"{url}/sandbox/clips/{clip['file']}")) > 10_000
    assert b"<title>" in fetch(url)
