"""Units in virtual machines erase their data disks; other tools search every sector of these for what was there."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from virt.firmware.efi.efivar import EfiVar
from virt.firmware.varstore.edk2 import Edk2VarStore

from gprov.adapters.linux.system.process import SystemProcesses
from gprov.apps.host.lab.container import LabContainer
from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.factory import factory_for
from gprov.apps.host.lab.lifecycle import STARTED
from gprov.apps.host.lab.machine import DiskBus
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import RunningMachine
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.volumes import ext_volume
from gprov.domain.boot.firmware import FirmwareKind
from tests.integ.vm.erased import (
    CERTIFICATE,
    ERASED,
    REPORT,
    OverlayAs,
    RunStage,
    assert_erased,
    assert_restores_itself,
    console,
    erasing,
    plant,
    recovery,
    sectors,
)
from tests.integ.vm.serial_line import type_on_console

pytestmark = pytest.mark.vm

# Ctrl-N: the next entry of GRUB's menu.
NEXT = b"\x0e"
NV_BS_RT = 7


def test_an_erased_unit_holds_nothing_of_its_system_gets_a_certificate_and_restores_itself(
    container: LabContainer,
    small_overlay_as: OverlayAs,
    small_products: Products,
    run_stage: RunStage,
    tmp_path: Path,
) -> None:
    unit = small_overlay_as(unit_spec("small"))
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
    run_stage("boot", unit, STARTED)


# SATA and RAID 1 with BIOS: the rows with GRUB's menu.
SHAPES = {
    "UEFI virtio": replace(unit_spec("small"), primaries=(DiskBus.VIRTIO,)),
    "BIOS virtio": replace(unit_spec("small", FirmwareKind.BIOS), primaries=(DiskBus.VIRTIO,)),
    "UEFI RAID 1": unit_spec("smallraid1"),
}


@pytest.mark.nightly
@pytest.mark.parametrize("shape", SHAPES)
def test_other_units_are_overwritten_and_restore_themselves(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path, shape: str
) -> None:
    unit = small_overlay_as(SHAPES[shape])
    former = plant(unit, tmp_path)
    run_stage("erase", unit, ERASED, erasing(unit.machine(), unit, small_products))
    found = assert_erased(unit, former)
    assert {disk["technique"] for disk in found["disks"]} == {"overwrite"}
    assert_restores_itself(unit, run_stage)


@pytest.mark.nightly
@pytest.mark.parametrize("firmware", FirmwareKind)
def test_an_emulated_nvme_drive_is_formatted_and_checked(
    small_overlay_as: OverlayAs,
    small_products: Products,
    run_stage: RunStage,
    tmp_path: Path,
    firmware: FirmwareKind,
) -> None:
    """QEMU's drive has no Sanitize and ignores the setting of a secure erase, but writes zeros to all blocks."""
    unit = small_overlay_as(replace(unit_spec("small", firmware), primaries=(DiskBus.NVME,)))
    former = plant(unit, tmp_path)
    run_stage("erase", unit, ERASED, erasing(unit.machine(), unit, small_products))
    [disk] = assert_erased(unit, former)["disks"]
    assert (disk["technique"], disk["achieved"]) == ("nvme-format-user", "clear")
    assert disk["verification"]["method"] == "canaries and former content"
    assert {"nvme-sanitize-block", "nvme-sanitize-crypto"} <= {one["technique"] for one in disk["refusals"]}
    assert list(sectors(unit.primary())) == []
    assert_restores_itself(unit, run_stage)


def show_menu(unit: VirtualUnit, folder: Path) -> list[str]:
    """Make GRUB show its menu: units of the lab do not wait for keys. Returns the titles of its entries."""
    titles: list[str] = []
    for index in range(len(unit.spec.primaries)):
        with ext_volume(SystemProcesses(), unit.primary(index), 1, writable=True) as boot:
            menu = boot.read("/gprov/normal.cfg").decode()
            shown = menu.replace("timeout_style=hidden", "timeout_style=menu", 1).replace("timeout=0", "timeout=300", 1)
            assert shown != menu
            (folder / "normal.cfg").write_text(shown)
            boot.remove("/gprov/normal.cfg")
            boot.add(str(folder / "normal.cfg"), "/gprov/normal.cfg")
        titles = re.findall(r'^(?:menuentry|submenu) "(.*?)"', menu, re.MULTILINE)
    return titles


def choose_for_next_start(unit: VirtualUnit, title: str) -> None:
    """As a person in the menu of UEFI firmware."""
    store = Edk2VarStore(unit.variables)
    variables = store.get_varlist()
    entries = [name for name in variables if re.fullmatch(r"Boot[0-9A-F]{4}", name)]
    [chosen] = [name for name in entries if f"{title}\0".encode("utf-16-le") in bytes(variables[name].data)]
    variables["BootNext"] = EfiVar("BootNext", attr=NV_BS_RT, data=struct.pack("<H", int(chosen[4:], 16)))
    store.write_varstore(unit.variables, variables)


ENTRY = "Data Erase (DANGER!)"


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("disks", "firmware"),
    [("small", FirmwareKind.UEFI), ("small", FirmwareKind.BIOS), ("smallraid1", FirmwareKind.BIOS)],
)
def test_the_boot_entry_erases_after_a_person_confirmed_on_the_serial_console(
    small_overlay_as: OverlayAs, run_stage: RunStage, tmp_path: Path, disks: str, firmware: FirmwareKind
) -> None:
    unit = small_overlay_as(unit_spec(disks, firmware))
    former = plant(unit, tmp_path)
    in_menu: tuple[tuple[str, bytes], ...] = ()
    if firmware is FirmwareKind.UEFI:
        choose_for_next_start(unit, ENTRY)
    else:
        down = show_menu(unit, tmp_path).index(ENTRY)
        in_menu = ((ENTRY, NEXT * down + b"\r"), ("Yes, erase all data", NEXT + b"\r"))
    question = "Erase 1 disk " if len(unit.spec.primaries) == 1 else "Erase 2 disks "

    def answer(live: RunningMachine) -> None:
        pairs = (*in_menu, (question, b"yes\r"), ("cannot be undone", b"yes\r"))
        type_on_console(live, Path(unit.serial_log("erase")), pairs, 300.0)

    result = run_stage("erase", unit, ERASED, None, answer)
    assert "Data erase done" in console(result)
    assert_erased(unit, former)
    assert_restores_itself(unit, run_stage)
