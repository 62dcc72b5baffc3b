"""Whether a file stands on a volume that this machine encrypts, as far as Linux tells.

Encryption by the disk itself or by a cloud's storage is not to be seen from here, so what is not found is
never "not encrypted". Source: the kernel's Documentation/filesystems/proc.rst (mountinfo) and
Documentation/ABI/testing/sysfs-block (dm/uuid), cryptsetup's FAQ (uuids begin with CRYPT-).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# File systems that encrypt by themselves, whatever they stand on.
ENCRYPTING = ("ecryptfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fuse.securefs")
DEEPEST = 16  # volumes upon volumes


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/self/mountinfo."""

    device: str  # "major:minor"
    point: Path
    kind: str
    source: str


def is_volume_encrypted(
    path: Path, *, mounts: Path = Path("/proc/self/mountinfo"), system: Path = Path("/sys")
) -> bool:
    """Whether everything below the file's volume is seen to be encrypted; False where that cannot be told."""
    try:
        mount = find_mount(path.resolve(), read_mounts(mounts.read_text("utf-8", "replace")))
        if mount is None:
            return False
        if mount.kind in ENCRYPTING:
            return True
        block = _find_block(mount, system)
        return block is not None and _is_crypt(block)
    except OSError:
        return False


def read_mounts(text: str) -> Iterator[Mount]:
    """The mounts in the order in which they were made; spaces in names are written as octal numbers."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) >= 5 and len(rest) >= 2:
            yield Mount(fields[2], Path(_plain(fields[4])), rest[0], _plain(rest[1]))


def find_mount(path: Path, mounts: Iterator[Mount]) -> Mount | None:
    """The mount on which a file stands: the deepest, and of several at one place the last."""
    found: Mount | None = None
    for mount in mounts:
        if path.is_relative_to(mount.point) and (
            found is None or len(mount.point.parts) >= len(found.point.parts)
        ):
            found = mount
    return found


def _plain(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field)


def _find_block(mount: Mount, system: Path) -> Path | None:
    """The block device of a mount in /sys; by its name where the file system hides its number (btrfs)."""
    by_number = system / "dev" / "block" / mount.device
    if by_number.exists():
        return by_number.resolve()
    if not mount.source.startswith("/dev/"):
        return None
    by_name = system / "class" / "block" / Path(mount.source).resolve().name
    return by_name.resolve() if by_name.exists() else None


def _is_crypt(block: Path, depth: int = 0) -> bool:
    """Whether a device is dm-crypt's, or stands on such devices alone (LVM, RAID)."""
    uuid = block / "dm" / "uuid"
    if uuid.exists() and uuid.read_text("ascii", "replace").startswith("CRYPT-"):
        return True
    if depth >= DEEPEST:
        return False
    below = block / "slaves"
    slaves = list(below.iterdir()) if below.is_dir() else []
    return bool(slaves) and all(_is_crypt(slave.resolve(), depth + 1) for slave in slaves)
