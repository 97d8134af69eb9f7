"""What rows about data erase share: content that is planted and searched for, and what must be after an erase."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.external_tools import ext_problems
from gprov.apps.host.lab.lifecycle import RESTORED, UNIT_ARGUMENTS
from gprov.apps.host.lab.machine import DirectKernel, Machine
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ExtVolume, ext_volume, partitions, raw_view
from gprov.domain.boot.args import ROOT_DEADLINE_SECONDS
from gprov.domain.boot.decisions import RestoreReason
from gprov.domain.events import ProcessState
from tests.integ.vm.serial_line import type_on_console

RunStage = Callable[..., StageResult]
OverlayAs = Callable[[VirtualUnitSpec], VirtualUnit]

SECTOR, BLOCK = 512, 1 << 20
# Overwriting and reading a disk of 1 GiB, emulated, on a busy host.
ERASED = Expectation(Ending.RESET, (INIT_STARTED,), 1500.0)
# The unit is restarted by a key: the pause after a failure is long.
FAILED = Expectation(Ending.RESET, (INIT_STARTED, ProcessState.INIT_FAILED.value), 1500.0)
REPORT = "/log/erase_report.json"
CERTIFICATE = f"{REPORT}.certificate.json"
RECORD = "/log/erase.json"
MARKER = b"THIS-TEXT-IS-CONFIDENTIAL"
RAW_CANARIES = 64
# Time of a line on the console of a verbose unit.
LOGGED = r"(\d{4}-\d\d-\d\dT[\d:.]+Z)"


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
    """As the firmware starts it."""
    shown = console(run_stage("restore", unit, RESTORED))
    assert_did_not_wait(shown, rf"{LOGGED} LOG factory restore: {RestoreReason.DISKS_UNUSED.value}")


def assert_did_not_wait(shown: str, decided: str) -> None:
    """For a root volume: after that the decision could not come before the deadline. ``shown``: on the console;
    ``decided``: a pattern for the one line of the decision that begins with its time."""
    first, *_ = re.finditer(LOGGED, shown)
    [found] = re.finditer(decided, shown)
    waited = datetime.fromisoformat(found[1]) - datetime.fromisoformat(first[1])
    assert waited.total_seconds() < ROOT_DEADLINE_SECONDS / 2


def allocated(unit: VirtualUnit, index: int = 0) -> int:
    """Bytes that a data disk's file takes on this machine."""
    return os.stat(unit.primary(index)).st_blocks * 512


def press_key(unit: VirtualUnit, live: RunningMachine) -> None:
    """After the erase has failed: the restart does not wait."""
    log, shown = Path(unit.serial_log("erase")), "any key: at once"
    assert live.wait_end(FAILED.seconds, lambda: shown not in log.read_text(errors="replace")) is Ending.TIMEOUT
    type_on_console(live, log, [(shown, b"\r"), ("without waiting any longer", b"yes\r")], 60.0)
