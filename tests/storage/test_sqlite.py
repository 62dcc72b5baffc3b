"""The SQLite engine's own duties: one process per file, files that are not as they should be, a full disk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.core.errors import BotError, Busy, Conflict, InUse, SetupError, StorageError
from storage.database import open_engine
from storage.engine import Tx
from storage.sqlite import writer
from storage.sqlite.errors import map_error
from tests.support.learned_rows import count, learn
from tests.support.waiting import until

pytestmark = pytest.mark.sqlite_file


def url(path: Path) -> str:
    return f"sqlite:///{path}"


async def make(path: Path, rows: int = 0) -> None:
    async with open_engine(url(path)) as engine:
        await asyncio.gather(*(engine.write(learn, f"m{n}") for n in range(rows)))


# Where the database is


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("mysql://parley", "use sqlite:///"),
        ("parley.db", "use sqlite:///"),
        ("sqlite://parley.db", "use sqlite:///"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(address: str, word: str) -> None:
    with pytest.raises(SetupError, match=word):
        open_engine(address)


async def test_a_relative_address_is_relative_to_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_engine("sqlite:///odd name?#%20.db"):
        pass
    assert (tmp_path / "odd name?#%20.db").exists()


async def test_the_file_is_nobody_elses_to_read(tmp_path: Path) -> None:
    async with open_engine(url(tmp_path / "p.db")) as engine:
        await engine.write(learn, "a")
        await engine.backup(tmp_path / "copy.db")
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


# One process per file


async def test_a_second_engine_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    async with open_engine(url(tmp_path / "p.db")) as engine:
        await engine.write(learn, "a")
        with pytest.raises(InUse, match="in use"):
            await open_engine(url(tmp_path / "p.db")).__aenter__()
        async with open_engine(url(tmp_path / "p.db"), read_only=True) as reader:
            assert await reader.read(count) == 1
            with pytest.raises(SetupError, match="reading only"):
                await reader.write(learn, "b")
    await make(tmp_path / "p.db")


async def test_a_killed_process_leaves_no_lock_and_every_answered_write(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from storage.database import open_engine\n"
        "from tests.support.learned_rows import learn\n"
        "async def main():\n"
        "    async with open_engine(sys.argv[1]) as engine:\n"
        "        for n in range(10**6):\n"
        "            await engine.write(learn, f'm{n}')\n"
        "            print(n, flush=True)\n"
        "asyncio.run(main())\n"
    )
    child = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", script, url(tmp_path / "p.db")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(200):
        child.stdout.readline()
    child.kill()
    answered = 200 + len(child.stdout.read().split("\n")) - 1
    child.wait()
    child.stdout.close()
    async with open_engine(url(tmp_path / "p.db")) as engine:
        assert await engine.read(count) in (answered, answered + 1)


async def test_reading_what_is_not_there_yet_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there is none yet"):
        await open_engine(url(tmp_path / "p.db"), read_only=True).__aenter__()


# Files that are not what they should be


async def test_an_empty_file_where_a_database_was_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    await make(path, rows=3)
    path.write_bytes(b"")
    with pytest.raises(SetupError, match="missing or empty"):
        await make(path)
    path.unlink()
    with pytest.raises(SetupError, match="missing or empty"):
        await make(path)
    (tmp_path / "p.db-lock").unlink()
    await make(path)


async def test_an_empty_file_of_a_first_start_is_fine(tmp_path: Path) -> None:
    (tmp_path / "p.db").touch()
    await make(tmp_path / "p.db", rows=1)


async def test_a_file_with_a_broken_header_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    await make(path, rows=3)
    broken = b"\0" * 100 + path.read_bytes()[100:]
    path.write_bytes(broken)
    with pytest.raises(SetupError, match="not a database"):
        await make(path)
    assert path.read_bytes() == broken


@pytest.mark.parametrize("damage", ["half", "page"])
async def test_a_damaged_file_is_not_written_to(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "p.db"
    await make(path, rows=2000)
    whole = path.read_bytes()
    if damage == "half":
        path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    else:
        path.write_bytes(whole[:-8192] + b"\xff" * 8192)
    with pytest.raises(SetupError, match="database"):
        await make(path)


@pytest.mark.parametrize("place", ["no/such/folder/p.db", "folder"])
async def test_a_place_where_no_file_can_be_is_told_in_words(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match="database"):
        await make(tmp_path / place)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
async def test_a_folder_we_may_not_write_to_is_told_in_words(tmp_path: Path) -> None:
    await make(tmp_path / "p.db")
    tmp_path.chmod(0o500)
    (tmp_path / "p.db").chmod(0o400)
    with pytest.raises(SetupError, match="database"):
        await make(tmp_path / "p.db")


async def test_a_copy_that_cannot_be_made_leaves_the_last_one(tmp_path: Path) -> None:
    async with open_engine(url(tmp_path / "p.db")) as engine:
        await engine.backup(tmp_path / "copy.db")
        before = (tmp_path / "copy.db").read_bytes()
        with pytest.raises(BotError):
            await engine.backup(tmp_path / "no" / "copy.db")
        assert (tmp_path / "copy.db").read_bytes() == before


# A full disk


async def test_a_full_disk_fails_what_did_not_fit_and_work_goes_on_when_there_is_room(tmp_path: Path) -> None:
    def limit(tx: Tx, pages: int) -> None:
        tx.all(f"pragma max_page_count = {pages}")

    def fill(tx: Tx, n: int) -> int:
        tx.run(
            "insert into learned_ratios (model, ratio, at) values (:model, 1, 0)", model=f"{n}" + "x" * 3000
        )
        return n

    async with open_engine(url(tmp_path / "p.db")) as engine:
        await engine.write(limit, 90)
        answers = await asyncio.gather(*(engine.write(fill, n) for n in range(300)), return_exceptions=True)
        kept = [a for a in answers if isinstance(a, int)]
        assert all(isinstance(a, Busy) for a in answers if not isinstance(a, int))
        assert len(kept) < 300
        assert await engine.read(count) == len(kept)
        await engine.write(limit, 10_000)
        assert await engine.write(fill, 999) == 999
        assert await engine.read(count) == len(kept) + 1


@pytest.mark.parametrize("aside", [False, True])
async def test_no_write_counts_as_done_once_the_file_was_replaced(tmp_path: Path, aside: bool) -> None:
    async with open_engine(url(tmp_path / "p.db")) as engine:
        write = engine.write_aside if aside else engine.write
        await write(learn, "a")
        (tmp_path / "p.db").rename(tmp_path / "set-aside.db")
        (tmp_path / "p.db").touch()
        answers = await asyncio.gather(*(write(learn, f"{n}") for n in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [SetupError] * 3
        (tmp_path / "set-aside.db").rename(tmp_path / "p.db")
        await write(learn, "b")
        assert await engine.read(count) == 2


# Somebody else at the file


def held_by_a_shell(path: Path) -> sqlite3.Connection:
    shell = sqlite3.connect(path, isolation_level=None)
    shell.execute("begin immediate")
    return shell


async def test_a_shell_that_holds_the_file_delays_writes_and_blocks_nothing_else(tmp_path: Path) -> None:
    async with open_engine(url(tmp_path / "p.db")) as engine:
        shell = held_by_a_shell(tmp_path / "p.db")
        write = asyncio.create_task(engine.write(learn, "a"))
        await asyncio.sleep(0.2)  # ends before the write does
        assert await engine.read(count) == 0
        assert not write.done()
        shell.close()
        await write
        assert await engine.read(count) == 1


async def test_a_shell_that_never_lets_go_makes_writes_fail_until_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCKED_S", 0.1)
    async with open_engine(url(tmp_path / "p.db")) as engine:
        shell = held_by_a_shell(tmp_path / "p.db")
        answers = await asyncio.gather(
            *(engine.write(learn, f"{n}") for n in range(3)), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [Busy] * 3
        shell.close()
        await engine.write(learn, "a")
        assert await engine.read(count) == 1


# Deleted is deleted


async def test_after_a_scrub_no_file_holds_what_was_deleted(tmp_path: Path) -> None:
    secret = "the-secret-word"
    async with open_engine(url(tmp_path / "p.db")) as engine:
        await asyncio.gather(*(engine.write(learn, f"{secret}-{n}") for n in range(200)))
        await engine.write(lambda tx: tx.changed("delete from learned_ratios"))
        await engine.scrub()
        for file in tmp_path.iterdir():
            assert secret.encode() not in file.read_bytes(), file


async def test_what_a_reader_keeps_in_a_file_goes_after_it_though_nothing_more_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SCRUB_TIMEOUT_MS", 0)
    monkeypatch.setattr(writer, "SCRUB_AGAIN_S", 0.1)
    file, wal = tmp_path / "p.db", tmp_path / "p.db-wal"
    async with open_engine(url(file)) as engine:
        await engine.write(learn, "the-secret-word")
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("begin")
            reader.execute("select * from learned_ratios").fetchall()
            await engine.write(lambda tx: tx.changed("delete from learned_ratios"))
            await engine.scrub()
            assert b"the-secret-word" in wal.read_bytes()
        await until(lambda: b"the-secret-word" not in wal.read_bytes() + file.read_bytes())


# What sqlite3 raises


def tree(kind: type[BaseException]) -> list[type[BaseException]]:
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in tree(child))]


@pytest.mark.parametrize("kind", tree(sqlite3.Error))
def test_every_error_of_sqlite3_becomes_one_of_ours(kind: type[sqlite3.Error]) -> None:
    raised = kind("words")
    error = map_error(raised, Path("p.db"))
    assert isinstance(error, (StorageError, SetupError))
    assert error.__cause__ is raised


CODES = [
    (name, getattr(sqlite3, name))
    for name in dir(sqlite3)
    if name.startswith("SQLITE_")
    and name.removeprefix("SQLITE_").split("_")[0]
    in {"BUSY", "LOCKED", "FULL", "IOERR", "CORRUPT", "NOTADB", "READONLY", "CANTOPEN", "CONSTRAINT", "NOMEM"}
]


@pytest.mark.parametrize(("name", "code"), CODES, ids=[name for name, _ in CODES])
def test_every_result_code_and_its_extensions_have_a_meaning(name: str, code: int) -> None:
    raised = sqlite3.OperationalError(name)
    raised.sqlite_errorcode = code
    expected = {"CONSTRAINT": Conflict}.get(
        name.split("_")[1],
        SetupError if name.split("_")[1] in ("CORRUPT", "NOTADB", "READONLY", "CANTOPEN") else Busy,
    )
    assert type(map_error(raised, Path("p.db"))) is expected
