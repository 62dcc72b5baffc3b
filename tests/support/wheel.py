"""The wheel of this repository, and an environment in which nothing but the wheel is Parley."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.support.house import ROOT


@dataclass(frozen=True, slots=True)
class Installed:
    """`parley`, as somebody has it who installed the wheel."""

    wheel: Path
    packages: Path

    @property
    def command(self) -> str:
        return str(self.packages.parents[2] / "bin" / "parley")


def build_wheel(into: Path) -> Path:
    """Builds it with the tool that is locked, without fetching anything."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = into.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, into: Path) -> Installed:
    """A fresh environment with the wheel; what it depends on is borrowed from that of the tests."""
    venv.create(into, with_pip=False)
    python = into / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    packages = into / "lib" / Path(sysconfig.get_path("purelib")).parts[-2] / "site-packages"
    # A path in a .pth file is searched as it is: the .pth file there for this repository is not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return Installed(wheel, packages)
