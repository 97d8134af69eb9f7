"""Units that start from BIOS (SeaBIOS): what is on their disks, and from which of them they come back."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.machine import Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ExtVolume, ext_volume, partitions, raw_view, remove_flag
from gprov.domain.boot.firmware import FirmwareKind

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]

MIB = 1 << 20
GRUB_BOOT = Path("/usr/lib/grub/i386-pc/boot.img")
BOOT, ROOT, STICK = 1, 2, 1


@pytest.fixture(scope="module")
def made(small_prepared_as: Callable[..., VirtualUnit]) -> VirtualUnit:
    return small_prepared_as(unit_spec("small", FirmwareKind.BIOS))


@pytest.fixture
def unit(container: LabContainer, made: VirtualUnit, tmp_path: Path) -> Iterator[VirtualUnit]:
    yield made.overlay(str(tmp_path / "unit"), container.processes())
    shutil.rmtree(tmp_path / "unit")


def tool(*argv: str, stdin: str = "") -> str:
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{argv}: {done.returncode} {done.stderr}"
    return done.stdout


def table(unit: VirtualUnit, image: str) -> dict[str, Any]:
    with raw_view(SystemProcesses(), image) as view:
        found: dict[str, Any] = json.loads(tool("sfdisk", "--json", view))["partitiontable"]
    return found


@contextmanager
def volume(image: str, number: int, *, writable: bool = False) -> Iterator[ExtVolume]:
    with ext_volume(SystemProcesses(), image, number, writable=writable) as found:
        yield found


def superblock(image: str, number: int) -> dict[str, str]:
    processes = SystemProcesses()
    with raw_view(processes, image) as view:
        start = partitions(processes, view)[number - 1].start
        lines = tool("debugfs", "-R", "show_super_stats -h", f"{view}?offset={start}").splitlines()
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines if ":" in line)


def kernels(unit: VirtualUnit) -> set[bytes]:
    """Of all copies, on RECOVERY, on the boot partition, and in the system."""
    found = set()
    for image, number, paths in (
        (unit.recovery, STICK, ("/norm_boot", "/gprov/norm_boot")),
        (unit.primary(), BOOT, ("/norm_boot",)),
        (unit.primary(), ROOT, ("/boot/norm_boot",)),
    ):
        with volume(image, number) as files:
            found |= {files.read(path) for path in paths}
    return found


def started_by(machine: Machine, name: str) -> Machine:
    """With this disk as the first that the BIOS tries."""
    return replace(machine, disks=tuple(replace(disk, bios_bootable=disk.name == name) for disk in machine.disks))


def test_every_stage_passed(made: VirtualUnit) -> None:
    report = json.loads(Path(made.path("report.json")).read_text())
    assert (report["verdict"], report["firmware"]) == ("passed", "bios")
    system = report["stages"][-1]["system"]
    assert (system["verdict"], system["flag"], system["recovery"]) == ("multi-user", True, True)


def test_the_partition_tables(made: VirtualUnit) -> None:
    stick, primary = table(made, made.recovery), table(made, made.primary())
    assert (stick["label"], primary["label"]) == ("dos", "dos")
    assert [(part["type"], part.get("bootable")) for part in stick["partitions"]] == [("83", True)]
    boot, root = primary["partitions"]
    assert (boot["type"], boot["bootable"], boot["start"], boot["size"]) == ("83", True, 2048, 200 * MIB // 512)
    assert (root["type"], root.get("bootable")) == ("83", None)
    assert (root["start"] + root["size"]) * 512 > made.spec.primary_size - 2 * MIB


def test_both_disks_hold_the_same_loader_of_grub(made: VirtualUnit) -> None:
    boot = GRUB_BOOT.read_bytes()
    cores = []
    for image in (made.recovery, made.primary()):
        with raw_view(SystemProcesses(), image) as view, open(view, "rb") as file:
            sector = file.read(512)
            # All but the sector of the core, the drive check, disk signature and partition entries.
            assert sector[:0x5C] == boot[:0x5C]
            assert sector[0x68:440] == boot[0x68:440]
            assert struct.unpack_from("<Q", sector, 0x5C) == (1,)
            start, sectors, segment = struct.unpack_from("<QHH", file.read(512), 500)
            assert (start, segment) == (2, 0x820)
            cores.append(file.read(sectors * 512))
    assert cores[0] == cores[1]
    assert len(cores[0]) > 100_000


def test_the_boot_partition_starts_the_system(made: VirtualUnit, small_products: Products, tmp_path: Path) -> None:
    facts = superblock(made.primary(), BOOT)
    assert (facts["Filesystem volume name"], "has_journal" in facts["Filesystem features"]) == ("BOOT", False)
    with volume(made.primary(), BOOT) as files:
        assert set(files.names("/")) == {"gprov", "lost+found", "norm_boot"}
        menu = files.read("/gprov/normal.cfg").decode()
        assert files.read("/norm_boot") == Path(small_products.normal_kernel).read_bytes()
    (tmp_path / "menu").write_text(menu)
    tool("grub-script-check", str(tmp_path / "menu"))
    uuid = superblock(made.primary(), ROOT)["Filesystem UUID"]
    first = next(line for line in menu.splitlines() if line.strip().startswith("linux "))
    assert f"real_root=UUID={uuid} " in first
    assert "'panic=5'" in first


def test_boot_files_of_recovery(made: VirtualUnit, small_products: Products) -> None:
    kernel = Path(small_products.normal_kernel).read_bytes()
    with volume(made.recovery, STICK) as files:
        assert files.read("/norm_boot") == kernel
        assert files.read("/gprov/norm_boot") == kernel
        assert "LOADER_FALLBACK=1" in files.read("/gprov/recovery.cfg").decode()
        assert not files.has("/ESP")
    assert superblock(made.recovery, STICK)["Filesystem volume name"] == "RECOVERY"


def test_fstab_names_the_boot_partition(made: VirtualUnit) -> None:
    uuid = superblock(made.primary(), BOOT)["Filesystem UUID"]
    with volume(made.primary(), ROOT) as files:
        entries = [line.split() for line in files.read("/etc/fstab").decode().splitlines()]
    assert [entry[1] for entry in entries] == ["/", "/mnt/RECOVERY", "/mnt/BOOT0"]
    source, _, kind, options, *numbers = entries[2]
    assert (source, kind, numbers) == (f"UUID={uuid}", "ext2", ["0", "0"])
    assert options.split(",")[:3] == ["noauto", "relatime", "noexec"]


@pytest.mark.nightly
def test_the_primary_disk_starts_without_recovery(unit: VirtualUnit, run_stage: RunStage) -> None:
    machine = unit.machine()
    alone = replace(machine, disks=tuple(disk for disk in machine.disks if disk.name == "primary0"))
    result = run_stage("alone", unit, STARTED, alone)
    assert result.system is not None
    assert result.system.facts["recovery"] is False


@pytest.mark.parametrize("first", ["primary0", "recovery"])
def test_a_wiped_boot_partition_leads_to_a_restore(first: str, unit: VirtualUnit, run_stage: RunStage) -> None:
    processes = SystemProcesses()
    with raw_view(processes, unit.primary(), writable=True) as view:
        boot = partitions(processes, view)[BOOT - 1]
        with open(view, "r+b") as file:
            file.seek(boot.start)
            file.writelines(bytes(MIB) for _ in range(boot.size // MIB))
    machine = started_by(unit.machine(), first)
    run_stage("wiped", unit, RESTORED, machine)
    with volume(unit.primary(), BOOT) as files:
        assert files.has("/gprov/normal.cfg")
    run_stage("wiped-boot", unit, STARTED, machine)


@pytest.mark.nightly
def test_a_damaged_kernel_on_recovery_is_passed_over(unit: VirtualUnit, run_stage: RunStage) -> None:
    """The second copy starts, restores, and is what the first is repaired from."""
    with volume(unit.recovery, STICK, writable=True) as files:
        files.remove("/norm_boot")
        files.add("/etc/hostname", "/norm_boot")
    with volume(unit.primary(), BOOT, writable=True) as files:
        files.remove("/gprov/normal.cfg")
    run_stage("second-copy", unit, RESTORED)
    assert len(kernels(unit)) == 1
    run_stage("second-copy-boot", unit, STARTED)


@pytest.mark.nightly
def test_every_copy_of_the_kernel_follows_the_higher_build_number(
    unit: VirtualUnit, run_stage: RunStage, newer_image: tuple[str, bytes], small_products: Products
) -> None:
    image, kernel = newer_image
    name = image.rpartition("/")[2]
    assert kernels(unit) == {Path(small_products.normal_kernel).read_bytes()}
    with volume(unit.recovery, STICK, writable=True) as files:
        files.add(image, f"/Image/{name}")
    remove_flag(SystemProcesses(), unit)
    run_stage("newer", unit, RESTORED)
    assert kernels(unit) == {kernel}
    with volume(unit.recovery, STICK, writable=True) as files:
        files.remove(f"/Image/{name}")
    remove_flag(SystemProcesses(), unit)
    run_stage("original", unit, RESTORED)
    assert kernels(unit) == {kernel}  # a lower number replaces nothing
    run_stage("original-boot", unit, STARTED)
