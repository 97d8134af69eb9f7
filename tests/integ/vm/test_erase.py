"""Units in virtual machines erase their data disks; other tools search every sector of these for what was there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.argv import block_node, disk_device
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.external_tools import ext_problems
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, DiskBus, Durability, Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ExtVolume, ext_volume, partitions, raw_view
from gprov.domain.boot.firmware import FirmwareKind

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]
OverlayAs = Callable[[VirtualUnitSpec], VirtualUnit]
Prepare = Callable[..., VirtualUnit]

SECTOR, BLOCK = 512, 1 << 20
# Overwriting and reading a disk of 1 GiB, emulated, on a busy host.
ERASED = Expectation(Ending.RESET, (INIT_STARTED,), 1500.0)
REPORT = "/log/erase_report.json"
CERTIFICATE = f"{REPORT}.certificate.json"
RECORD = "/log/erase.json"
MARKER = b"THIS-TEXT-IS-CONFIDENTIAL"
RAW_CANARIES = 64
# Of a disk whose overwrite then takes long enough to be cut in the middle: bytes per second, no other limits.
SLOW = {"bps": 40 << 20} | dict.fromkeys(("bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
# Ctrl-N: the next entry of GRUB's menu.
NEXT = b"\x0e"


@dataclass(frozen=True, kw_only=True)
class Former:
    """What a unit held before. ``sectors``: hash of each sector that is not one repeated byte, of all data disks;
    ``images``: SHA-256 of RECOVERY's images by name; ``canaries``: their offsets on the first disk, in bytes."""

    sectors: frozenset[int]
    images: dict[str, str]
    canaries: tuple[int, ...]


@contextmanager
def recovery(unit: VirtualUnit) -> Iterator[ExtVolume]:
    with raw_view(SystemProcesses(), unit.recovery) as view:
        number = partitions(SystemProcesses(), view)[-1].number
    with ext_volume(SystemProcesses(), unit.recovery, number) as volume:
        yield volume


def images_on_recovery(unit: VirtualUnit) -> dict[str, str]:
    with recovery(unit) as volume:
        return {name: hashlib.sha256(volume.read(f"/Image/{name}")).hexdigest() for name in volume.names("/Image")}


def sectors(image: str) -> Iterator[int]:
    """The hash of each sector of a disk that is not one repeated byte."""
    with raw_view(SystemProcesses(), image) as view, open(view, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            if block.count(block[0]) != len(block):
                for start in range(0, len(block), SECTOR):
                    sector = block[start : start + SECTOR]
                    if sector.count(sector[0]) != SECTOR:
                        yield hash(sector)


def lines_with_marker(image: str) -> int:
    with raw_view(SystemProcesses(), image) as view:
        argv = ["grep", "--count", "--text", "--fixed-strings", MARKER.decode(), view]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode in (0, 1), done.stderr
    return int(done.stdout)


def canary(seed: int) -> bytes:
    """4 KiB: the marker, then bytes that no drive and no file system makes up."""
    return MARKER + b"\n" + random.Random(seed).randbytes(4096 - len(MARKER) - 1)


def plant(unit: VirtualUnit, folder: Path) -> Former:
    """Write a file of canaries into the system (not on an array, which only md can mount), and canaries onto unused
    blocks of each disk, those after the partition table and the last one among them; then note what is there."""
    places = [_plant_on(unit, index, folder) for index in range(len(unit.spec.primaries))]
    found = frozenset(one for index in range(len(places)) for one in sectors(unit.primary(index)))
    assert len(found) > 10_000
    return Former(sectors=found, images=images_on_recovery(unit), canaries=tuple(places[0]))


def _plant_on(unit: VirtualUnit, index: int, folder: Path) -> list[int]:
    processes = SystemProcesses()
    with raw_view(processes, unit.primary(index), writable=True) as view:
        if len(unit.spec.primaries) == 1:
            content = folder / "confidential"
            content.write_bytes(canary(0) * 512)
            ExtVolume(processes, view, partitions(processes, view)[-1].start).add(str(content), "/confidential")
        with open(view, "r+b") as file:
            places = unused(file.fileno(), unit.spec.primary_size)
            for number, offset in enumerate(places, 1):
                os.pwrite(file.fileno(), canary(number + 1000 * index), offset)
    assert lines_with_marker(unit.primary(index)) >= RAW_CANARIES
    return places


def unused(disk: int, size: int) -> list[int]:
    """Offsets of blocks of zeros: random ones, both ends of the gap after the partition table, and the last block
    before the backup of a GPT."""
    dice = random.Random("erase")
    ends = [40 * SECTOR, BLOCK - 4096, size - 40 * SECTOR - 4096]
    free = [
        offset
        for offset in [*ends, *(dice.randrange(256, size // 4096 - 16) * 4096 for _ in range(20 * RAW_CANARIES))]
        if os.pread(disk, 4096, offset) == bytes(4096)
    ]
    assert len(free) >= RAW_CANARIES
    return free[:RAW_CANARIES]


def remains(unit: VirtualUnit, former: Former) -> list[str]:
    """What a search of every sector finds of the former content."""
    problems = []
    for index in range(len(unit.spec.primaries)):
        if lines := lines_with_marker(unit.primary(index)):
            problems.append(f"disk {index}: the marker is in {lines} lines")
        if known := sum(one in former.sectors for one in sectors(unit.primary(index))):
            problems.append(f"disk {index}: {known} sectors are as before")
    return problems


def report(unit: VirtualUnit) -> dict[str, Any]:
    with recovery(unit) as volume:
        document: dict[str, Any] = json.loads(volume.read(REPORT))
    return document


def assert_recovery_is_intact(unit: VirtualUnit, former: Former) -> None:
    processes = SystemProcesses()
    with raw_view(processes, unit.recovery) as view:
        start = partitions(processes, view)[-1].start
        assert list(ext_problems(processes, f"{view}?offset={start}")) == []
    assert images_on_recovery(unit) == former.images


def erasing(machine: Machine, unit: VirtualUnit, products: Products, *more: str) -> Machine:
    words = ("DATA_ERASE=1", f"DATA_ERASE_SERIAL={unit.spec.serial}", *UNIT_ARGUMENTS, *more)
    return machine.booting(DirectKernel(products.normal_kernel, words))


def console(result: StageResult) -> str:
    return Path(result.serial_log).read_text(errors="replace")


def assert_erased(unit: VirtualUnit, former: Former) -> dict[str, Any]:
    """Nothing is left on any disk, RECOVERY is as before and states it. Returns the report."""
    assert remains(unit, former) == []
    assert_recovery_is_intact(unit, former)
    with recovery(unit) as volume:
        assert not volume.has(RECORD)
    found = report(unit)
    assert [disk["verdict"] for disk in found["disks"]] == ["erased"] * len(unit.spec.primaries)
    assert found["verdict"] == "erased"
    return found


def assert_restores_itself(unit: VirtualUnit, run_stage: RunStage) -> None:
    run_stage("restore", unit, RESTORED)
    run_stage("boot", unit, STARTED)


@pytest.fixture
def overlay_as(container: LabContainer, small_prepared_as: Prepare, tmp_path: Path) -> Iterator[OverlayAs]:
    folder = tmp_path / "unit"
    yield lambda spec: small_prepared_as(spec).overlay(str(folder), container.processes())
    shutil.rmtree(folder, ignore_errors=True)


def test_an_erased_unit_holds_nothing_of_its_system_gets_a_certificate_and_restores_itself(
    container: LabContainer,
    overlay_as: OverlayAs,
    small_products: Products,
    run_stage: RunStage,
    tmp_path: Path,
) -> None:
    unit = overlay_as(unit_spec("small"))
    former = plant(unit, tmp_path)
    with factory_for(container.processes(), unit, "") as factory:
        machine = erasing(factory.machine(unit), unit, small_products, f"PROVISION_XLOG={factory.server.guest_url}")
        result = run_stage("erase", unit, ERASED, machine)
    assert "Data erase done" in console(result)
    [disk] = assert_erased(unit, former)["disks"]
    assert (disk["technique"], disk["achieved"], disk["verification"]["method"]) == (
        "overwrite",
        "clear",
        "full read-back",
    )
    assert disk["verification"]["examined"] == unit.spec.primary_size
    with recovery(unit) as volume:
        certificate = json.loads(volume.read(CERTIFICATE))
        assert volume.has(f"{CERTIFICATE}.sig")
        assert certificate["report_sha256"] == hashlib.sha256(volume.read(REPORT)).hexdigest()
    assert_restores_itself(unit, run_stage)


SHAPES = {
    "BIOS": unit_spec("small", FirmwareKind.BIOS),
    "virtio": replace(unit_spec("small"), primaries=(DiskBus.VIRTIO,)),
    "RAID 1": unit_spec("smallraid1"),
    "BIOS, RAID 1": unit_spec("smallraid1", FirmwareKind.BIOS),
}


@pytest.mark.nightly
@pytest.mark.parametrize("shape", SHAPES)
def test_other_units_are_overwritten_and_restore_themselves(
    overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path, shape: str
) -> None:
    unit = overlay_as(SHAPES[shape])
    former = plant(unit, tmp_path)
    run_stage("erase", unit, ERASED, erasing(unit.machine(), unit, small_products))
    found = assert_erased(unit, former)
    assert {disk["technique"] for disk in found["disks"]} == {"overwrite"}
    assert_restores_itself(unit, run_stage)


@pytest.mark.nightly
def test_an_emulated_nvme_drive_is_formatted_and_checked(
    overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path
) -> None:
    """QEMU's drive has no Sanitize and ignores the setting of a secure erase, but writes zeros to all blocks."""
    unit = overlay_as(replace(unit_spec("small"), primaries=(DiskBus.NVME,)))
    former = plant(unit, tmp_path)
    run_stage("erase", unit, ERASED, erasing(unit.machine(), unit, small_products))
    [disk] = assert_erased(unit, former)["disks"]
    assert (disk["technique"], disk["achieved"]) == ("nvme-format-user", "clear")
    assert disk["verification"]["method"] == "canaries and former content"
    assert {"nvme-sanitize-block", "nvme-sanitize-crypto"} <= {one["technique"] for one in disk["refusals"]}
    assert list(sectors(unit.primary())) == []
    assert_restores_itself(unit, run_stage)


@pytest.mark.nightly
def test_a_power_cut_in_the_middle_of_the_overwrite_is_resumed_by_the_next_start(
    container: LabContainer, overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path
) -> None:
    unit = overlay_as(unit_spec("small"))
    former = plant(unit, tmp_path)
    machine = erasing(unit.machine(Durability.HONOUR_FLUSH), unit, small_products)
    enough = allocated(unit) + (300 << 20)
    with container.runner().start(machine, unit.serial_log("cut")) as live:
        live.qmp.execute("block_set_io_throttle", {"id": "primary0-device", **SLOW})
        assert live.wait_end(ERASED.seconds, lambda: allocated(unit) < enough) is Ending.TIMEOUT
        live.cut_power()
    assert allocated(unit) < unit.spec.primary_size
    assert remains(unit, former)

    result = run_stage("resumed", unit, ERASED)
    assert "Data erase goes on after an interruption" in console(result)
    assert_erased(unit, former)
    assert_restores_itself(unit, run_stage)


def allocated(unit: VirtualUnit) -> int:
    """Bytes that the first disk's file takes on this machine."""
    return os.stat(unit.primary()).st_blocks * 512


@pytest.mark.nightly
@pytest.mark.parametrize("bus", [DiskBus.AHCI, DiskBus.VIRTIO])
def test_a_bad_sector_is_the_only_one_that_is_left_and_the_report_names_it(
    overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path, bus: DiskBus
) -> None:
    unit = overlay_as(replace(unit_spec("small"), primaries=(bus,)))
    former = plant(unit, tmp_path)
    bad = former.canaries[-1]
    machine = with_bad_sector(unit.machine(), bad)
    result = run_stage("erase", unit, ERASED, erasing(machine, unit, small_products))
    assert "ONLY PARTLY" in console(result)
    found = report(unit)
    [disk] = found["disks"]
    assert (found["verdict"], disk["verdict"], disk["achieved"]) == ("partial", "partial", "not classified")
    place = {"bytes": SECTOR, "ranges": [{"start": bad, "end": bad + SECTOR}]}
    assert disk["passes"][-1]["unwritten"] == place
    assert disk["verification"]["unreadable"] == place
    assert remains(unit, former) == ["disk 0: the marker is in 1 lines", "disk 0: 1 sectors are as before"]
    assert_recovery_is_intact(unit, former)

    result = run_stage("refused", unit, ERASED, machine)
    assert "An earlier data erase of this unit FAILED" in console(result)
    assert not [each.name for each in result.milestones if each.name == "FR_STARTED"]
    assert report(unit) == found


def with_bad_sector(machine: Machine, offset: int) -> Machine:
    """The same machine; the first disk can neither write nor read the sector at ``offset``."""
    disk = machine.disks[0]
    image = {**block_node(disk), "node-name": "image"}
    rules = [
        {"event": "none", "iotype": kind, "sector": offset // SECTOR, "errno": 5, "once": False}
        for kind in ("read", "write")
    ]
    node = {"driver": "blkdebug", "node-name": disk.name, "image": image, "inject-error": rules}
    arguments = ("-blockdev", json.dumps(node), "-device", json.dumps(disk_device(disk)))
    return replace(machine, disks=machine.disks[1:], extra=(*machine.extra, *arguments))


def lacks(log: Path, text: str) -> bool:
    return text not in log.read_text(errors="replace")


@pytest.mark.nightly
def test_grubs_menu_erases_after_a_person_confirmed_on_the_serial_console(
    overlay_as: OverlayAs, run_stage: RunStage, tmp_path: Path
) -> None:
    """Only the time for which the menu is shown is changed: units of the lab do not wait for keys."""
    unit = overlay_as(unit_spec("small", FirmwareKind.BIOS))
    former = plant(unit, tmp_path)
    with ext_volume(SystemProcesses(), unit.primary(), 1, writable=True) as boot:
        menu = boot.read("/gprov/normal.cfg").decode()
        shown = menu.replace("timeout_style=hidden", "timeout_style=menu", 1).replace("timeout=0", "timeout=300", 1)
        assert shown != menu
        (tmp_path / "normal.cfg").write_text(shown)
        boot.remove("/gprov/normal.cfg")
        boot.add(str(tmp_path / "normal.cfg"), "/gprov/normal.cfg")
    titles = re.findall(r'^(?:menuentry|submenu) "(.*?)"', menu, re.MULTILINE)
    down = titles.index("Data Erase (DANGER!)")

    def answer(live: RunningMachine) -> None:
        log = Path(unit.serial_log("erase"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as keys:
            keys.connect(live.console)
            for text, typed in (
                ("Data Erase (DANGER!)", NEXT * down + b"\r"),
                ("Yes, erase all data", NEXT + b"\r"),
                ("Erase 1 disk", b"yes\r"),
                ("cannot be undone", b"yes\r"),
            ):
                assert live.wait_end(300.0, partial(lacks, log, text)) is Ending.TIMEOUT
                assert not lacks(log, text), f"{text!r} was not shown"
                keys.sendall(typed)

    result = run_stage("erase", unit, ERASED, None, answer)
    assert "Data erase done" in console(result)
    assert_erased(unit, former)
    assert_restores_itself(unit, run_stage)
