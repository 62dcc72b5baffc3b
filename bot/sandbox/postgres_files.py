"""The folder of a throw-away PostgreSQL: made and filled by us, deleted by a shell when nobody holds it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.sandbox.postgres_programs import NoPostgres, RunAs, account_for_server, find_programs, share_programs

NAME = "parley-postgres-"
OWNER = "postgres"
# A database is some 300 files: made in memory it takes a tenth of the time, or less.
MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it)
MEMORY_BYTES = 2 << 30  # with less there, the data is with the rest (a container has 64 MB)
# Immediate shutdown, as after a power cut: nobody wants what is in it. `cat` ends when nobody has it open.
WATCH = """
cat users > /dev/null
pid=$(head -n 1 data/postmaster.pid 2> /dev/null) && kill -QUIT "$pid"
for wait in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2> /dev/null || break; sleep 0.2; done
cd / && rm -rf "$1" "$2"
"""


class ServerFiles:
    """What one server is started on. Whoever has the pipe `users` open keeps it; who is killed, does not."""

    def __init__(self) -> None:
        self.programs = find_programs()
        self.account = account_for_server()
        self.folder = Path(tempfile.mkdtemp(prefix=NAME))
        self.data = Path(tempfile.mkdtemp(prefix=NAME, dir=_place_for_data(self.folder)))
        (self.folder / "data").symlink_to(self.data)
        os.mkfifo(self.folder / "users", 0o600)
        _give(self.account, self.folder / "users", self.data, self.folder)
        self._users = os.open(self.folder / "users", os.O_RDWR)  # for writing alone it waits for a reader
        self._watch = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", WATCH, "sh", self.folder, self.data],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.apart,
        )  # fmt: skip

    @property
    def apart(self) -> dict[str, Any]:
        """How its programs are run: in a session of their own, so that Ctrl-C is for us alone."""
        account = self.account.options if self.account else {}
        return {"cwd": self.folder, "start_new_session": True, **account}

    def fill(self, password: str, settings: Mapping[str, str]) -> None:
        self.reachable = share_programs(self.programs, self.account, self.folder)
        given = self.folder / "password"
        given.write_text(password)
        _give(self.account, given)
        call(
            self.reachable / "initdb", "-D", "data", "-U", OWNER, "-E", "UTF8", "--no-sync",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=password", **self.apart,
        )  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{key} = '{value}'\n" for key, value in settings.items())

    def delete(self) -> None:
        """Whoever else holds it."""
        self._watch.kill()
        self._watch.wait()
        os.close(self._users)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def hold(folder: Path) -> int | None:
    """Keeps the server of that folder as long as this process lives; None where it has ended."""
    try:
        return os.open(folder / "users", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def call(program: Path, *arguments: str, **options: Any) -> str:
    """What a program prints. NoPostgres with what it says against it."""
    command = [str(program), *arguments]
    done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        raise NoPostgres(f"{program.name}: {done.stderr.strip()}")
    return done.stdout.strip()


def _give(account: RunAs | None, *paths: Path) -> None:
    if account:
        for path in paths:
            os.chown(path, account.uid, account.gid)


def _place_for_data(folder: Path) -> Path:
    try:
        return MEMORY if shutil.disk_usage(MEMORY).free >= MEMORY_BYTES else folder
    except OSError:
        return folder
