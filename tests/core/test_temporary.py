"""Temporary files have one ceiling together, and go with their block."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bot.core.temporary import MEGABYTE, NoRoomLeft, TemporarySpace, is_disk_full


def test_all_folders_share_one_ceiling_and_give_back_what_they_took() -> None:
    space = TemporarySpace()
    with space.folder(3) as first, space.folder(3) as second:
        first.take(2 * MEGABYTE)
        second.take(MEGABYTE)
        for folder in (first, second):
            with pytest.raises(NoRoomLeft):
                folder.take(1)
    assert space.taken_bytes == 0
    with space.folder(3) as third:
        third.take(3 * MEGABYTE)


def test_a_folder_goes_with_its_block_whatever_happened() -> None:
    space, left = TemporarySpace(), list[Path]()
    with pytest.raises(ValueError, match="no"), space.folder(1) as folder:
        left.append(folder.path)
        (folder.path / "file").write_bytes(b"x")
        folder.take(1)
        raise ValueError("no")
    assert not left[0].exists()
    assert space.taken_bytes == 0


def test_a_full_disk_is_told_from_other_trouble() -> None:
    assert is_disk_full(OSError(errno.ENOSPC, "x"))
    assert is_disk_full(OSError(errno.EDQUOT, "x"))
    assert not is_disk_full(OSError(errno.EACCES, "x"))
