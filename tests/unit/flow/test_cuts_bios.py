"""Power lost at every operation of a unit that starts from BIOS: it must always come back by itself, with its loaders,
menus and kernels whole, whichever disk the BIOS starts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.invariants import recovery_problems
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.platform.model import RaidLevel
from tests.unit.flow import units
from tests.unit.flow.driver import NEVER, NORMAL, UnitDriver

BOOT_FILES = ("/gprov/normal.cfg", "/norm_boot")
# How many disks PRIMARY is on, and the order in which the BIOS tries disks.
UNITS = {
    "one disk, primary first": (1, ("primary0", "recovery")),
    "RAID 1, RECOVERY first": (2, ("recovery", "primary1", "primary0")),
}
# What names the array, which every restore makes anew.
ARRAY_FILES = ("/etc/mdadm/mdadm.conf", "/etc/provisioning/array.json")


def system(unit: UnitDriver) -> dict[str, Node | None]:
    """What PRIMARY holds, without the UUIDs of boot partitions and array, which every restore makes anew."""
    found = {path: node for path, node in unit.files("PRIMARY").items() if path not in ARRAY_FILES}
    fstab = found.get("/etc/fstab")
    if fstab is not None:
        found["/etc/fstab"] = replace(fstab, content=re.sub(rb"UUID=\S+ /mnt/BOOT", b"/mnt/BOOT", fstab.content))
    return found


def kernels_on_boot_partitions(unit: UnitDriver) -> list[int | None]:
    """Their build numbers."""
    nodes = [volume.current.get("/norm_boot") for volume in unit.volumes("BOOT")]
    return [parse_bzimage(node.content if node is not None else b"").build_number for node in nodes]


def check_unit(unit: UnitDriver, build: int) -> None:
    """What must hold whenever a unit has come to rest: all copies of the kernel are the newest one."""
    volumes = unit.volumes("BOOT")
    assert len(volumes) == len(unit.machine.disks) - 1
    on_recovery = [unit.build_number("RECOVERY", path) for path in ("/norm_boot", "/gprov/norm_boot")]
    assert [*on_recovery, *kernels_on_boot_partitions(unit)] == [build] * (2 + len(volumes))
    assert all(volume.current.get("/gprov/normal.cfg") for volume in volumes)
    assert unit.exists("RECOVERY", "/gprov/recovery.cfg")


@pytest.fixture(scope="module", params=UNITS)
def blank(request: pytest.FixtureRequest) -> UnitDriver:
    disks, order = UNITS[request.param]
    unit = units.blank(firmware=FirmwareKind.BIOS, level=RaidLevel.RAID1 if disks > 1 else None, disks=disks)
    unit.machine.bios_order = order
    return unit


@pytest.fixture(scope="module")
def running(blank: UnitDriver) -> UnitDriver:
    unit = blank.copy()
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return unit


@pytest.fixture
def unit(running: UnitDriver) -> UnitDriver:
    """A unit that restored itself, started its system once, and is switched off."""
    return running.copy()


@pytest.fixture(scope="module")
def new_system(updating: UnitDriver) -> dict[str, Node | None]:
    copy = updating.copy()
    assert copy.settle()[-1] == "switched root"
    check_unit(copy, 101)
    return system(copy)


@pytest.mark.parametrize("torn", [False, True])
def test_a_restore_that_is_cut_anywhere_ends_in_the_whole_new_system(
    updating: UnitDriver, new_system: dict[str, Node | None], torn: bool
) -> None:
    assert len(updating.operations()) > 40
    for name, unit in updating.cut_everywhere(torn=torn):
        assert system(unit) == new_system, f"cut at {name}"
        check_unit(unit, 101)


def test_a_restore_on_request_that_is_cut_anywhere_ends_in_the_old_or_the_new_system(
    updatable: UnitDriver, new_system: dict[str, Node | None]
) -> None:
    """Until the old partition table goes, the unit still has its old system, which would boot."""
    old = system(updatable)
    requested = updatable.copy()
    requested.choose_restore()
    ends = []
    for _, unit in requested.cut_everywhere():
        ends.append([old, new_system].index(system(unit)))
        check_unit(unit, 101 if ends[-1] else 100)
    assert ends == sorted(ends)
    assert set(ends) == {0, 1}


def test_a_provisioning_that_is_cut_anywhere_starts_again_or_completes(blank: UnitDriver) -> None:
    for name, unit in blank.cut_everywhere(UnitDriver.provision, torn=True, in_factory=True):
        check_unit(unit, 100)
        assert list(unit.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}"


def test_a_used_unit_whose_provisioning_is_cut_anywhere_is_the_old_one_or_a_new_one(
    updatable: UnitDriver, new_system: dict[str, Node | None]
) -> None:
    """As long as its old PRIMARY starts by itself, it has its old RECOVERY; and when that is all it has, it is restored
    from it."""
    used = updatable.copy()
    used.factory.documents.clear()
    ends = []
    for name, unit in used.cut_everywhere(UnitDriver.provision, in_factory=True):
        ends.append(bool(unit.factory.documents))
        if ends[-1]:
            assert not unit.exists("PRIMARY", "/etc/newer"), f"cut at {name}"
            check_unit(unit, 100)
        else:
            assert system(unit) in (system(updatable), new_system), f"cut at {name}"
            assert recovery_problems(unit.world) == [], f"cut at {name}"
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


@given(cuts=st.lists(st.integers(0, 75), min_size=2, max_size=4), torn=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=25, deadline=None, print_blob=False)
def test_starts_that_are_cut_one_after_the_other_end_in_the_whole_new_system(
    updating: UnitDriver, new_system: dict[str, Node | None], cuts: list[int], torn: bool, seed: int
) -> None:
    """Also the start that repairs what a cut left can be cut, and the one after that."""
    unit = updating.copy()
    unit.machine.torn_cuts = torn
    unit.machine.random = SeededRandomness(seed)
    places = [unit.cut(at) for at in cuts]
    history = unit.settle()
    assert history[-1] == "switched root", f"cut at {places}: {history}"
    assert system(unit) == new_system, f"cut at {places}"
    check_unit(unit, 101)


@pytest.mark.parametrize("path", BOOT_FILES)
def test_a_unit_whose_boot_partitions_lost_a_file_restores_itself(unit: UnitDriver, path: str) -> None:
    for volume in unit.volumes("BOOT"):
        volume.current.drop(path)
        volume.sync()
    assert unit.settle() == ("reboot", "switched root")
    check_unit(unit, 100)


def test_a_unit_whose_boot_partitions_are_wiped_restores_itself(unit: UnitDriver) -> None:
    for disk in unit.machine.disks:
        for part in disk.partitions:
            if part.volume is not None and part.volume.label == "BOOT":
                part.volume = None
    assert unit.settle() == ("reboot", "switched root")
    check_unit(unit, 100)


def test_a_start_from_recovery_that_finds_the_primary_disks_restores_nothing(unit: UnitDriver) -> None:
    """The BIOS did not find the primary disks, so RECOVERY's kernel started; that finds them."""
    writes = unit.writes()
    assert unit.boot({"PROVISION_LOADER_FALLBACK": "1", "quiet": ""}) is StopReason.SWITCHED_ROOT
    assert unit.writes() == writes


@pytest.mark.parametrize(
    "where", ["mount /dev/sda1", "read /mnt/BOOT/norm_boot", "unmount /mnt/BOOT", "probe /dev/sda1"]
)
def test_boot_files_that_cannot_be_read_for_a_moment_start_no_restore(unit: UnitDriver, where: str) -> None:
    unit.put("PRIMARY", "/srv/data", b"years of work")
    disks = [disk.name for disk in unit.machine.disks if disk.serial.startswith("primary")]
    unit.machine.faults += [Fault(kind=FaultKind.IO_ERROR, where=where.replace("sda", name), times=4) for name in disks]
    assert unit.boot({"PROVISION_LOADER_FALLBACK": "1", "quiet": ""}) is StopReason.SWITCHED_ROOT
    assert unit.exists("PRIMARY", "/srv/data")


def test_a_unit_without_its_primary_disks_reboots_and_restores_nothing(unit: UnitDriver) -> None:
    unit.machine.bios_order = ("recovery",)
    for disk in unit.machine.disks[:-1]:
        disk.appears_at = NEVER
    assert unit.boot() is StopReason.REBOOT
    assert all(disk.partitions for disk in unit.machine.disks)


def test_a_damaged_kernel_on_one_disk_does_not_stop_the_unit_from_starting(unit: UnitDriver) -> None:
    first = next(disk for name in unit.machine.bios_order for disk in unit.machine.disks if disk.serial == name)
    if first.serial == "recovery":
        first = unit.machine.disks[0]
    volume = next(volume for volume in first.volumes() if volume.label == "BOOT")
    volume.current.put("/norm_boot", Node(type=FileType.FILE, content=b"no kernel"))
    volume.sync()
    if len(unit.volumes("BOOT")) > 1:
        assert unit.boot() is StopReason.SWITCHED_ROOT
    else:
        assert unit.settle() == ("reboot", "switched root")
        check_unit(unit, 100)


def test_restores_in_a_row_leave_recovery_as_it_was(unit: UnitDriver) -> None:
    before = unit.kept_on_recovery()
    for _ in range(3):
        unit.remove_flag()
        assert unit.settle() == ("reboot", "switched root")
        unit.machine.restart()
    assert unit.kept_on_recovery() == before


def test_a_write_protected_recovery_still_restores(updating: UnitDriver, new_system: dict[str, Node | None]) -> None:
    """It keeps its older kernel and menu; the boot partitions get the newer kernel."""
    unit = updating.copy()
    unit.machine.disks[-1].write_protected = True
    assert unit.settle() == ("reboot", "switched root")
    assert system(unit) == new_system
    assert unit.build_number("RECOVERY", "/norm_boot") == 100
    assert kernels_on_boot_partitions(unit) == [101] * len(unit.volumes("BOOT"))


def test_with_a_kernel_override_all_kernels_are_that_of_recovery(updating: UnitDriver) -> None:
    unit = updating.copy()
    assert unit.boot({**NORMAL, "KERNEL_OVERRIDE": "recovery"}) is StopReason.REBOOT
    check_unit(unit, 100)
