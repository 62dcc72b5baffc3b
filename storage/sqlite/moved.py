"""The mark of a database whose rows moved away (storage/transfer.py): a file beside it.

The database stays as it was, and whoever takes the mark off can go on with it.
"""

from __future__ import annotations

from pathlib import Path

from bot.core.errors import SetupError


def mark_moved(path: Path, to: str) -> None:
    """A bot that starts on this file says from now on where its rows are."""
    _mark(path).write_text(to, "utf-8")


def refuse_moved(path: Path) -> None:
    """SetupError when everything in it is elsewhere."""
    try:
        to = _mark(path).read_text("utf-8")
    except FileNotFoundError:
        return
    advice = f"to go on with this one, as it was then: parley move --undo sqlite:///{path}"
    raise SetupError(
        [f"database {path}: everything in it moved to {to}. Set PARLEY_DATABASE to that; {advice}"]
    )


def unmark_moved(path: Path) -> bool:
    """Takes the mark off; whether there was one."""
    there = _mark(path).exists()
    _mark(path).unlink(missing_ok=True)
    return there


def _mark(path: Path) -> Path:
    return path.with_name(path.name + "-moved")
