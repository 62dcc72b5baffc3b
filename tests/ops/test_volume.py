"""Whether a volume is seen to be encrypted, on trees like Linux shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.ops.volume import is_volume_encrypted

CRYPT, LVM = "CRYPT-LUKS2-0123-secure", "LVM-abcd"


class Machine:
    """A /proc and a /sys as they are on a machine of some kind."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.system, self.mounts = folder, folder / "sys", folder / "mountinfo"
        self.system.mkdir()
        self.mounts.write_text("", "utf-8")
        self.home = folder / "data"
        self.home.mkdir()

    def device(self, name: str, number: str = "", *, uuid: str = "", on: tuple[str, ...] = ()) -> None:
        block = self.system / "devices" / name
        (block / "slaves").mkdir(parents=True)
        if uuid:
            (block / "dm").mkdir()
            (block / "dm" / "uuid").write_text(uuid + "\n", "ascii")
        for one in on:
            (block / "slaves" / one).symlink_to(self.system / "devices" / one)
        for folder, link in (("dev/block", number), ("class/block", name)):
            (self.system / folder).mkdir(parents=True, exist_ok=True)
            if link:
                (self.system / folder / link).symlink_to(block)

    def mount(self, number: str, kind: str = "ext4", source: str = "/dev/x", at: Path | None = None) -> None:
        point = str(at or self.folder).replace(" ", "\\040")
        line = f"36 35 {number} / {point} rw,noatime master:1 - {kind} {source} rw,errors=continue\n"
        self.mounts.write_text(self.mounts.read_text("utf-8") + line, "utf-8")

    def tells(self) -> bool:
        return is_volume_encrypted(self.home / "parley.db", mounts=self.mounts, system=self.system)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_volume_of_luks_is_encrypted(machine: Machine) -> None:
    machine.device("sda2", "8:2")
    machine.device("dm-0", "253:0", uuid=CRYPT, on=("sda2",))
    machine.mount("253:0")
    assert machine.tells()


def test_lvm_on_luks_is_encrypted_and_luks_beside_a_plain_disk_is_not(machine: Machine) -> None:
    machine.device("sda2")
    machine.device("dm-0", uuid=CRYPT, on=("sda2",))
    machine.device("dm-1", "253:1", uuid=LVM, on=("dm-0",))
    machine.device("dm-2", "253:2", uuid=LVM, on=("dm-0", "sda2"))
    machine.mount("253:1")
    assert machine.tells()
    machine.mount("253:2")
    assert not machine.tells()


def test_of_a_plain_disk_it_cannot_be_told(machine: Machine) -> None:
    machine.device("sda1", "8:1")
    machine.mount("8:1")
    assert not machine.tells()


def test_the_deepest_mount_counts_and_of_several_there_the_last(machine: Machine) -> None:
    machine.device("sda1", "8:1")
    machine.device("dm-0", "253:0", uuid=CRYPT)
    machine.mount("253:0", at=machine.home)
    machine.mount("8:1")
    assert machine.tells()
    machine.mount("8:1", at=machine.home)
    assert not machine.tells()


def test_a_folder_whose_name_only_begins_alike_is_another(machine: Machine) -> None:
    machine.device("sda1", "8:1")
    machine.device("dm-0", "253:0", uuid=CRYPT)
    machine.mount("8:1")
    machine.mount("253:0", at=machine.folder / "dat")
    assert not machine.tells()


def test_names_with_blanks_are_read(machine: Machine) -> None:
    machine.home = machine.folder / "our data"
    machine.device("dm-0", "253:0", uuid=CRYPT)
    machine.mount("253:0", at=machine.home)
    assert machine.tells()


def test_a_file_system_that_hides_its_number_is_found_by_its_device(machine: Machine) -> None:
    machine.device("dm-0", "253:0", uuid=CRYPT)
    machine.mount("0:42", "btrfs", "/dev/dm-0")
    assert machine.tells()


@pytest.mark.parametrize("kind", ["ecryptfs", "fuse.gocryptfs"])
def test_a_file_system_that_encrypts_by_itself_is_enough(machine: Machine, kind: str) -> None:
    machine.mount("0:50", kind, "/home/.private")
    assert machine.tells()


@pytest.mark.parametrize("kind", ["overlay", "nfs4", "tmpfs", "zfs", "9p"])
def test_what_has_no_device_cannot_be_told(machine: Machine, kind: str) -> None:
    machine.mount("0:60", kind, "somewhere:/export")
    assert not machine.tells()


def test_where_there_is_no_linux_it_cannot_be_told(tmp_path: Path) -> None:
    assert not is_volume_encrypted(tmp_path / "p.db", mounts=tmp_path / "none", system=tmp_path / "none")


@pytest.mark.parametrize("text", ["", "\n", "nonsense", "1 2 3 4 5", "a b c d e - ", "\udcff - - -"])
def test_a_table_of_another_shape_is_not_believed(machine: Machine, text: str) -> None:
    machine.mounts.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert not machine.tells()


def test_devices_that_stand_on_each_other_in_a_circle_end(machine: Machine) -> None:
    machine.device("dm-0", "253:0", uuid=LVM, on=("dm-1",))
    machine.device("dm-1", "253:1", uuid=LVM, on=("dm-0",))
    machine.mount("253:0")
    assert not machine.tells()
