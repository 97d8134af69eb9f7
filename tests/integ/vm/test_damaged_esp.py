"""A UEFI unit whose ESP was damaged: the firmware finds another way in, the system starts, and a restore repairs it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.stage import StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume, partitions, raw_view, remove_flag

pytestmark = pytest.mark.vm

RunStage = Callable[..., StageResult]
# Without arguments nothing is said on the serial line, but the system reports to the lab that it is up.
SILENTLY_STARTED, SILENTLY_RESTORED = replace(STARTED, milestones=()), replace(RESTORED, milestones=())
KERNEL, FALLBACK = "::/norm_boot", "::/EFI/BOOT/BOOTX64.EFI"


def mtools(unit: VirtualUnit, tool: str, *arguments: str, writable: bool = False) -> None:
    """One of the mtools on the unit's ESP."""
    processes = SystemProcesses()
    with raw_view(processes, unit.recovery, writable=writable) as view:
        esp = partitions(processes, view)[0]
        argv = [tool, "-i", f"{view}@@{esp.start}", *arguments]
        subprocess.run(argv, check=True, timeout=60, capture_output=True)


def starts(unit: VirtualUnit) -> bytes:
    """How often init started the system on PRIMARY since its restore."""
    with ext_volume(SystemProcesses(), unit.primary(), 1) as root:
        return root.read("/etc/provisioning/boots_started")


def read(unit: VirtualUnit, name: str, folder: Path) -> bytes:
    target = folder / "read"
    mtools(unit, "mcopy", "-n", "-o", name, str(target))
    return target.read_bytes()


def overwrite(unit: VirtualUnit, name: str, content: bytes, folder: Path) -> None:
    source = folder / "written"
    source.write_bytes(content)
    mtools(unit, "mcopy", "-o", str(source), name, writable=True)


@pytest.mark.parametrize(
    "damage",
    [
        "no header",
        pytest.param("cut short", marks=pytest.mark.nightly),
        pytest.param("gone", marks=pytest.mark.nightly),
    ],
)
def test_a_damaged_kernel_is_passed_over_and_a_restore_repairs_it(
    overlay: VirtualUnit, run_stage: RunStage, small_products: Products, tmp_path: Path, damage: str
) -> None:
    whole = Path(small_products.normal_kernel).read_bytes()
    assert read(overlay, KERNEL, tmp_path) == whole
    if damage == "gone":
        mtools(overlay, "mdel", KERNEL, writable=True)
    else:
        damaged = bytes(4096) + whole[4096:] if damage == "no header" else whole[: len(whole) // 2]
        overwrite(overlay, KERNEL, damaged, tmp_path)

    # The firmware's own fallback passes no arguments: that is no wish for a restore.
    assert starts(overlay) == b"1\n"
    result = run_stage("fallback", overlay, SILENTLY_STARTED)
    log = Path(result.serial_log).read_text(errors="replace")
    assert not re.search(r'BdsDxe: starting Boot[0-9A-F]{4} "Normal Boot"', log)
    assert starts(overlay) == b"2\n"  # the same system; a restore would have begun anew

    remove_flag(SystemProcesses(), overlay)
    run_stage("repair", overlay, SILENTLY_RESTORED)
    assert read(overlay, KERNEL, tmp_path) == whole
    assert read(overlay, FALLBACK, tmp_path) == whole
    # That restore was started without arguments, but RECOVERY keeps them: the system reports on the serial line again.
    again = run_stage("repaired", overlay, STARTED)
    log = Path(again.serial_log).read_text(errors="replace")
    assert re.search(r'BdsDxe: starting Boot[0-9A-F]{4} "Normal Boot"', log)
