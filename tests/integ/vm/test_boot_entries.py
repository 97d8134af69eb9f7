"""Boot entries on real firmware: many restores leave NVRAM as it was, the entries of others, and RECOVERY's usage."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from virt.firmware.efi.efivar import EfiVar
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume, partitions, raw_view, remove_flag

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]
STICK = 2
NV_BS_RT = 7
LOGS_KEPT = 20
# What the restores of one unit may differ by: their logs, a longer history.
SPREAD = 4 << 20
# Two foreign entries, with a path that no machine has (a PCI device 31.7, a file), one of them not active.
PATH = bytes.fromhex("02010c00d041030a00000000 01010600071f 0404 0a00 5c0061000000 7fff0400".replace(" ", ""))
FOREIGN = {
    0x0042: struct.pack("<IH", 1, len(PATH)) + "Another OS".encode("utf-16-le") + b"\0\0" + PATH + b"their data",
    0x0007: struct.pack("<IH", 0, len(PATH)) + "Another tool".encode("utf-16-le") + b"\0\0" + PATH,
}


@dataclass(frozen=True)
class Nvram:
    """``boot``: the boot manager's variables; ``copies``: how often the store holds the name of each Boot####, old
    values included: a variable that is written anew is appended."""

    boot: dict[str, bytes]
    copies: dict[str, int]

    @property
    def order(self) -> list[int]:
        return [number for (number,) in struct.iter_unpack("<H", self.boot["BootOrder"])]

    @property
    def entries(self) -> set[str]:
        return {name for name in self.boot if re.fullmatch(r"Boot[0-9A-F]{4}", name)}


def nvram(unit: VirtualUnit) -> Nvram:
    variables = Edk2VarStore(unit.variables).get_varlist()
    boot = {name: bytes(one.data) for name, one in variables.items() if name.startswith("Boot")}
    raw = Path(unit.variables).read_bytes()
    names = {*boot, "BootOrder"}
    return Nvram(boot, {name: raw.count(f"{name}\0".encode("utf-16-le")) for name in names})


def add_foreign_entries(unit: VirtualUnit) -> None:
    """One in front of everything, one at the end."""
    store = Edk2VarStore(unit.variables)
    variables = store.get_varlist()
    for number, data in FOREIGN.items():
        name = f"Boot{number:04X}"
        variables[name] = EfiVar(name, attr=NV_BS_RT, data=data)
    order = struct.pack("<H", 0x0007) + bytes(variables["BootOrder"].data) + struct.pack("<H", 0x0042)
    variables["BootOrder"] = EfiVar("BootOrder", attr=NV_BS_RT, data=order)
    store.write_varstore(unit.variables, variables)


def recovery_use(unit: VirtualUnit) -> tuple[int, int, dict[str, tuple[str, ...]]]:
    """Bytes and inodes in use on RECOVERY, as its superblock counts them, and what its folders hold."""
    processes = SystemProcesses()
    with raw_view(processes, unit.recovery) as view:
        (part,) = [part for part in partitions(processes, view) if part.number == STICK]
        argv = ("debugfs", "-R", "show_super_stats -h", f"{view}?offset={part.start}")
        text = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    blocks = int(facts["Block count"]) - int(facts["Free blocks"])
    inodes = int(facts["Inode count"]) - int(facts["Free inodes"])
    with ext_volume(processes, unit.recovery, STICK) as stick:
        held = {folder: stick.names(folder) for folder in ("/", "/Image", "/log", "/secrets")}
    return blocks * int(facts["Block size"]), inodes, held


def restored_again(unit: VirtualUnit, run_stage: RunStage, number: int) -> None:
    remove_flag(SystemProcesses(), unit)
    run_stage(f"restore-{number}", unit, RESTORED)
    if number % 3 == 2:  # a unit whose system never runs in between pauses longer and longer before its restores
        run_stage(f"start-{number}", unit, STARTED)


@pytest.mark.parametrize("restores", [1, pytest.param(12, marks=pytest.mark.nightly)])
def test_restores_leave_nvram_and_recovery_as_they_are(
    overlay: VirtualUnit, run_stage: RunStage, restores: int
) -> None:
    add_foreign_entries(overlay)
    # The first start after that: the firmware may tidy up, and our entry must come first again.
    restored_again(overlay, run_stage, 0)
    first, (used, inodes, held) = nvram(overlay), recovery_use(overlay)
    assert first.boot["Boot0042"] == FOREIGN[0x0042]
    assert first.boot["Boot0007"] == FOREIGN[0x0007]
    others = [number for number in first.order if number in FOREIGN]
    assert others == [0x0007, 0x0042]
    assert first.order[0] not in FOREIGN
    for number in range(1, restores + 1):
        restored_again(overlay, run_stage, number)
        now = nvram(overlay)
        assert (now.entries, now.order) == (first.entries, first.order)
        assert {name: now.boot[name] for name in now.entries} == {name: first.boot[name] for name in first.entries}
        assert now.copies == first.copies
        log = Path(overlay.serial_log(f"restore-{number}")).read_text(errors="replace")
        assert "boot entries are right already" in log
        now_used, now_inodes, now_held = recovery_use(overlay)
        assert abs(now_used - used) < SPREAD
        assert abs(now_inodes - inodes) <= LOGS_KEPT
        assert {**now_held, "/log": ()} == {**held, "/log": ()}
        assert len([name for name in now_held["/log"] if name.startswith("recov2")]) <= LOGS_KEPT
    run_stage("last-boot", overlay, STARTED)
    assert nvram(overlay).order == first.order
