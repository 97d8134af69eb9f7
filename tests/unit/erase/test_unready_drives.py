"""SCSI drives that erase themselves while the kernel starts: the Linux adapter on a copy of a part of sysfs, with
simulated drives behind its commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gprov.adapters.fake.drives.scsi import ScsiDrive, ScsiModel
from gprov.adapters.fake.drives.store import MemoryStore
from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.disk.sysfs import scan_disks
from gprov.adapters.linux.disk.unready_drives import ScsiUnreadyDrives
from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply
from gprov.domain.errors import DeviceFault
from gprov.ports.drives import BusyDrive

SANITIZE_BLOCK = ScsiCommand(bytes([0x48, 0x82, *bytes(8)]))


class Bench:
    """A machine with SCSI disks ``sda``, ``sdb`` …, of which the kernel has no capacity."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = FakeClock()
        self.drives: dict[str, ScsiDrive] = {}
        (root / "dev").mkdir()
        (root / "class/block").mkdir(parents=True)

    def add(self, name: str, *, sanitizes: bool = True, size: int = 0, kind: str = "0", removable: str = "0") -> None:
        self.drives[name] = drive = ScsiDrive(self.clock, MemoryStore(bytes(1 << 20)), ScsiModel(sanitize_seconds=100))
        if sanitizes:
            assert drive.scsi(SANITIZE_BLOCK) == ScsiReply(0)
        device = f"devices/pci0000:00/host0/target0:0:{len(self.drives)}/0:0:0:0"
        folder = self.root / device / "block" / name
        folder.mkdir(parents=True)
        (folder / "device").mkdir()
        attributes = {"size": size, "dev": f"8:{len(self.drives)}", "removable": removable, "ro": 0}
        attributes |= {"device/type": kind, "device/rescan": "", "device/model": "Drive", "device/vendor": "Maker"}
        for attribute, value in attributes.items():
            (folder / attribute).write_text(f"{value}\n" if value != "" else "")
        (self.root / "class/block" / name).symlink_to(f"../../{device}/block/{name}")
        (self.root / "dev" / name).touch()

    def sanitizing(self) -> tuple[BusyDrive, ...]:
        return ScsiUnreadyDrives(str(self.root), str(self.root / "dev"), self._send).sanitizing()

    def rescanned(self, name: str) -> bool:
        [path] = self.root.glob(f"devices/**/{name}/device/rescan")
        return path.read_text() == "1"

    def _send(self, fd: int, command: ScsiCommand) -> ScsiReply | NoReply:
        return self.drives[Path(os.readlink(f"/proc/self/fd/{fd}")).name].scsi(command)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_drive_that_erases_itself_is_recognised_and_its_capacity_asked_for_at_the_end(bench: Bench) -> None:
    bench.add("sda")
    assert scan_disks(str(bench.root), "/dev") == ()
    bench.clock.advance(40)
    [drive] = bench.sanitizing()
    assert drive.name == f"{bench.root}/dev/sda (Maker Drive)"
    assert drive.done == pytest.approx(0.4, abs=0.01)
    assert not bench.rescanned("sda")
    bench.clock.advance(70)
    assert bench.sanitizing() == ()
    assert bench.rescanned("sda")


def test_other_drives_are_left_alone(bench: Bench) -> None:
    bench.add("sda", size=2048)
    bench.add("sdb", removable="1")
    bench.add("sr0", kind="5")
    assert bench.sanitizing() == ()
    # Nothing but the start of the operation was sent.
    assert [len(drive.received) for drive in bench.drives.values()] == [1, 1, 1]


def test_a_drive_that_cannot_be_opened_is_not_waited_for(bench: Bench) -> None:
    bench.add("sda")
    (bench.root / "dev/sda").unlink()
    assert bench.sanitizing() == ()
    assert not bench.rescanned("sda")


def test_a_kernel_that_cannot_ask_again_is_reported(bench: Bench) -> None:
    bench.add("sda", sanitizes=False)
    [path] = bench.root.glob("devices/**/rescan")
    path.unlink()
    path.mkdir()
    with pytest.raises(DeviceFault, match="capacity cannot be asked for again"):
        bench.sanitizing()
