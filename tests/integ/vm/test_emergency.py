"""Units that are restored from USB sticks, with the file systems that people format sticks with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, DiskBus, Machine, VirtualDisk
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import HANDOVER, INIT_STARTED, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import partitions, raw_view
from gprov.domain.boot.firmware import FirmwareKind
from tests.integ.vm.erased import recovery
from tests.integ.vm.person import disktags

pytestmark = [pytest.mark.vm, pytest.mark.nightly]

RunStage = Callable[..., StageResult]

MIB = 1 << 20
STICK_BYTES = 128 * MIB
PREFIX = "EmergencyFile_"
OLDER = "WIDGET.LNX.SHINY.2023-05-01.3.upd"
OTHER = "WIDGET.LNX.SHINY.2023-06-01.4.upd"
NEWEST = "WIDGET.LNX.SHINY.2025-01-01.5.upd"
# The restore from the stick fails before anything is written, and the system starts.
REFUSED = replace(STARTED, milestones=(INIT_STARTED, "FR_STARTED", "FR_FAILED", HANDOVER), seconds=600.0)


@pytest.fixture(params=list(FirmwareKind))
def unit(
    request: pytest.FixtureRequest,
    container: LabContainer,
    small_prepared_as: Callable[..., VirtualUnit],
    tmp_path: Path,
) -> Iterator[VirtualUnit]:
    made = small_prepared_as(unit_spec("sata", request.param))
    yield made.overlay(str(tmp_path / "unit"), container.processes())
    shutil.rmtree(tmp_path / "unit")


def tool(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{argv}: {done.stderr}"


def fuse_mounted(program: str, image: Path, folder: Path, copy: Callable[[Path], None]) -> None:
    """File systems in user space: the kernels of build machines lack these file systems."""
    folder.mkdir()
    done = subprocess.run(
        ("losetup", "--find", "--show", str(image)), capture_output=True, text=True, timeout=60, check=True
    )
    device = done.stdout.strip()
    try:
        tool(program, device, str(folder))
        try:
            copy(folder)
        finally:
            tool("umount", str(folder))
    finally:
        tool("losetup", "--detach", device)
    folder.rmdir()


def with_partition(raw: Path, files: dict[str, Path]) -> None:
    """A partition table, and in its only partition ext4 with these files."""
    content = raw.with_suffix(".content")
    content.mkdir()
    for name, source in files.items():
        shutil.copyfile(source, content / name)
    subprocess.run(["sfdisk", "--quiet", str(raw)], input=f"start={MIB // 512}, type=83\n", text=True, check=True)
    size = f"{(STICK_BYTES - 2 * MIB) // 1024}k"
    tool("mkfs.ext4", "-q", "-F", "-E", f"offset={MIB}", "-d", str(content), str(raw), size)
    shutil.rmtree(content)


def make_stick(folder: Path, kind: str, files: dict[str, Path]) -> str:
    """A qcow2 image of a stick that holds these files, without a partition table except with ext4."""
    raw, made = folder / f"{kind}-{len(os.listdir(folder))}.raw", folder / f"{len(os.listdir(folder))}.qcow2"
    with open(raw, "wb") as file:
        file.truncate(STICK_BYTES)

    def copy(root: Path) -> None:
        for name, source in files.items():
            shutil.copyfile(source, root / name)

    match kind:
        case "vfat":
            tool("mkfs.vfat", str(raw))
            for name, source in files.items():
                tool("mcopy", "-i", str(raw), str(source), f"::/{name}")
        case "exfat":
            tool("mkfs.exfat", str(raw))
            fuse_mounted("mount.exfat-fuse", raw, folder / "exfat", copy)
        case "ntfs":
            tool("mkfs.ntfs", "-q", "-F", str(raw))
            fuse_mounted("ntfs-3g", raw, folder / "ntfs", copy)
        case "ext4":
            with_partition(raw, files)
        case _:
            raise AssertionError(kind)
    tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(raw), str(made))
    raw.unlink()
    return str(made)


def with_sticks(machine: Machine, kernel: str, *files: str, policy: str = "images") -> Machine:
    """Started with more time for the search than the boot entry gives: emulated processors are slow."""
    sticks = tuple(
        VirtualDisk(name=f"stick{index}", file=file, bus=DiskBus.USB, serial=f"STICK{index}")
        for index, file in enumerate(files)
    )
    emergency = ("PROVISION_EMERGENCY_WAIT=120", f"PROVISION_EMERGENCY={policy}")
    arguments = ("quiet", "real_root=LABEL=PRIMARY", *UNIT_ARGUMENTS, *emergency)
    started = machine.booting(DirectKernel(kernel, arguments))
    return replace(started, disks=(*machine.disks, *sticks))


def console(unit: VirtualUnit, stage: str) -> str:
    return Path(unit.serial_log(stage)).read_text(errors="replace")


def damage_recovery(unit: VirtualUnit) -> None:
    """Overwrite all superblocks of RECOVERY's file system; the ESP beside it stays."""
    processes = SystemProcesses()
    with raw_view(processes, unit.recovery, writable=True) as view:
        part = partitions(processes, view)[-1]
        with open(view, "r+b") as file:
            for offset in range(0, min(part.size, 512 * MIB), MIB):
                file.seek(part.start + offset)
                file.write(bytes(8192) if offset else bytes(MIB))


def without_recovery(machine: Machine) -> Machine:
    return replace(machine, disks=tuple(disk for disk in machine.disks if disk.name != "recovery"))


def test_a_unit_is_restored_from_sticks(
    unit: VirtualUnit, run_stage: RunStage, small_products: Products, tmp_path: Path
) -> None:
    image, kernel = Path(small_products.image), small_products.normal_kernel
    damaged = tmp_path / "damaged"
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    sticks = tmp_path / "sticks"
    sticks.mkdir()
    machine = unit.machine()

    # Older than the image that the unit runs, on exFAT: used all the same, and once only.
    exfat = make_stick(sticks, "exfat", {f"{PREFIX}{OLDER}": image})
    run_stage("emergency", unit, RESTORED, with_sticks(machine, kernel, exfat))
    assert disktags(unit) == [OLDER]
    started = run_stage("emergency-boot", unit, STARTED, with_sticks(machine, kernel, exfat))
    assert started.system
    assert started.system.facts["disktag"] == OLDER.removesuffix(".upd") + ".disktag"
    assert "is ignored: this unit was restored" in console(unit, "emergency-boot")

    # A damaged file alone: the unit starts its system.
    ntfs = make_stick(sticks, "ntfs", {f"{PREFIX}{NEWEST}": damaged})
    run_stage("damaged", unit, REFUSED, with_sticks(machine, kernel, ntfs))
    assert "Not restored from removable media" in console(unit, "damaged")

    # Two sticks: the newer image is damaged.
    vfat = make_stick(sticks, "vfat", {f"{PREFIX}{OTHER}": image, "readme.txt": Path(__file__)})
    run_stage("two", unit, RESTORED, with_sticks(machine, kernel, ntfs, vfat))
    assert disktags(unit) == [OTHER]

    # Without RECOVERY. On BIOS the unit starts from its own disk; on UEFI the ESP is on RECOVERY's.
    if unit.spec.firmware is FirmwareKind.BIOS:
        machine = without_recovery(machine)
    else:
        damage_recovery(unit)
    again = make_stick(sticks, "vfat", {f"{PREFIX}_{OLDER}": image})
    run_stage("no-recovery", unit, RESTORED, with_sticks(machine, kernel, again))
    assert disktags(unit) == [OLDER]
    run_stage("no-recovery-boot", unit, STARTED, machine)


def test_of_doubled_media_one_image_is_restored(
    unit: VirtualUnit, run_stage: RunStage, small_products: Products, tmp_path: Path
) -> None:
    """The same image on two sticks, and on one of them an older one: all of them count as used."""
    image = Path(small_products.image)
    sticks = tmp_path / "sticks"
    sticks.mkdir()
    files = [
        make_stick(sticks, "ext4", {f"{PREFIX}{OTHER}": image, f"{PREFIX}{OLDER}": image}),
        make_stick(sticks, "vfat", {f"{PREFIX}{OTHER}": image}),
    ]
    machine = with_sticks(unit.machine(), small_products.normal_kernel, *files)
    run_stage("doubled", unit, RESTORED, machine)
    assert disktags(unit) == [OTHER]
    run_stage("doubled-boot", unit, STARTED, machine)


def test_options_on_a_stick_request_a_restore_only_where_they_are_trusted(
    unit: VirtualUnit, run_stage: RunStage, small_products: Products, tmp_path: Path
) -> None:
    sticks = tmp_path / "sticks"
    sticks.mkdir()
    options = tmp_path / "options"
    options.write_text(json.dumps({"BootArgs": "from_the_stick=1"}))
    stick = make_stick(sticks, "ext4", {f"{PREFIX}options.json": options})
    machine, kernel = unit.machine(), small_products.normal_kernel

    run_stage("untrusted", unit, STARTED, with_sticks(machine, kernel, stick))
    assert "trusts no unsigned ones" in console(unit, "untrusted")
    kept = "/boot.args"
    with recovery(unit) as volume:
        assert not volume.has(kept) or "from_the_stick" not in volume.read(kept).decode()

    # Two such files contradict each other.
    other = make_stick(sticks, "vfat", {f"{PREFIX}other.json": options})
    run_stage("contradicting", unit, STARTED, with_sticks(machine, kernel, stick, other, policy="all"))

    trusting = with_sticks(machine, kernel, stick, policy="all")
    run_stage("trusted", unit, RESTORED, trusting)
    assert disktags(unit) == [small_products.image_name]
    with recovery(unit) as volume:
        assert "from_the_stick=1" in volume.read(kept).decode().split()
    run_stage("trusted-boot", unit, STARTED, trusting)
    assert "is ignored: this unit was restored" in console(unit, "trusted-boot")
