"""Power lost at every operation of a unit that starts from BIOS: loaders, menus and kernels too must always bring it
back, whichever disk the BIOS starts."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.uefi import choose_entry
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.cuts import cut_at, operations_of, settle
from gprov.apps.host.simulation.invariants import recovery_problems
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.platform.model import RaidLevel

NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
FLAG = "/boot.normal"
BOOT_FILES = ("/gprov/normal.cfg", "/norm_boot")
# How many disks PRIMARY is on, and the order in which the BIOS tries disks.
UNITS = {
    "one disk, primary first": (1, ("primary0", "recovery")),
    "RAID 1, RECOVERY first": (2, ("recovery", "primary1", "primary0")),
}
# What names the array, which every restore makes anew.
ARRAY_FILES = ("/etc/mdadm/mdadm.conf", "/etc/provisioning/array.json")


def system(world: World) -> dict[str, Node | None]:
    """What PRIMARY holds, without the UUIDs of boot partitions and array, which every restore makes anew."""
    tree = world.machine.tree("PRIMARY")
    counts = ("/boots_started", "_budget.json")  # cuts only delay them
    found = {path: tree.get(path) for path in tree.paths() if path not in ARRAY_FILES and not path.endswith(counts)}
    fstab = found.get("/etc/fstab")
    if fstab is not None:
        found["/etc/fstab"] = replace(fstab, content=re.sub(rb"UUID=\S+ /mnt/BOOT", b"/mnt/BOOT", fstab.content))
    return found


def boot_volumes(world: World) -> list[FakeVolume]:
    return [volume for disk in world.machine.disks for volume in disk.volumes() if volume.label == "BOOT"]


def put(world: World, label: str, path: str, data: bytes) -> None:
    world.machine.tree(label).put(path, Node(type=FileType.FILE, content=data))
    world.machine.flush()


def drop(world: World, label: str, path: str) -> None:
    world.machine.tree(label).drop(path)
    world.machine.flush()


def build_number(node: Node | None) -> int | None:
    assert node is not None
    return parse_bzimage(node.content).build_number


def check_unit(world: World, build: int) -> None:
    """What must hold whenever a unit has come to rest: all copies of the kernel are the newest one."""
    recovery = world.machine.tree("RECOVERY")
    volumes = boot_volumes(world)
    assert len(volumes) == len(world.machine.disks) - 1
    kernels = [recovery.get("/norm_boot"), recovery.get("/gprov/norm_boot")]
    kernels += [volume.current.get("/norm_boot") for volume in volumes]
    assert [build_number(kernel) for kernel in kernels] == [build] * len(kernels)
    assert all(volume.current.get("/gprov/normal.cfg") for volume in volumes)
    assert recovery.get("/gprov/recovery.cfg") is not None


@pytest.fixture(scope="module", params=UNITS)
def blank(request: pytest.FixtureRequest) -> World:
    disks, order = UNITS[request.param]
    level = RaidLevel.RAID1 if disks > 1 else None
    world = new_world(firmware=FirmwareKind.BIOS, level=level, disks=disks)
    world.machine.bios_order = order
    return world


@pytest.fixture(scope="module")
def provisioned(blank: World) -> World:
    world = deepcopy(blank)
    assert world.provision() is Stop.REBOOT
    return world


@pytest.fixture(scope="module")
def running(provisioned: World) -> World:
    world = deepcopy(provisioned)
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture(scope="module")
def asked(running: World) -> World:
    """A unit with a newer image and a system that would boot."""
    world = deepcopy(running)
    put(world, "RECOVERY", f"/Image/{NEWER}", build_image(build_kernel(101), extra={"etc/newer": b"yes"}))
    return world


@pytest.fixture(scope="module")
def updated(asked: World) -> World:
    """A unit whose next start restores a newer image with a newer kernel."""
    world = deepcopy(asked)
    drop(world, "PRIMARY", FLAG)
    return world


@pytest.fixture(scope="module")
def new_system(updated: World) -> dict[str, Node | None]:
    copy = deepcopy(updated)
    assert settle(copy)[-1] == "switched root"
    check_unit(copy, 101)
    return system(copy)


@pytest.mark.parametrize("torn", [False, True])
def test_a_restore_that_is_cut_anywhere_ends_in_the_whole_new_system(
    updated: World, new_system: dict[str, Node | None], torn: bool
) -> None:
    names = operations_of(copy := deepcopy(updated), copy.boot)
    assert len(names) > 40
    for at, name in enumerate(names):
        world = deepcopy(updated)
        world.machine.torn_cuts = torn
        assert cut_at(world, world.boot, at) == name
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        assert system(world) == new_system, f"cut at {name}"
        check_unit(world, 101)


def test_a_restore_on_request_that_is_cut_anywhere_ends_in_the_old_or_the_new_system(
    asked: World, new_system: dict[str, Node | None]
) -> None:
    """Until the old partition table goes, the unit still has its old system, which would boot."""
    old = system(asked)
    requested = deepcopy(asked)
    choose_entry(requested.machine, requested.branding.restore_entry)
    names = operations_of(copy := deepcopy(requested), copy.boot)
    ends = []
    for at, name in enumerate(names):
        world = deepcopy(requested)
        cut_at(world, world.boot, at)
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        ends.append([old, new_system].index(system(world)))
        check_unit(world, 101 if ends[-1] else 100)
    assert ends == sorted(ends)
    assert set(ends) == {0, 1}


def test_a_provisioning_that_is_cut_anywhere_starts_again_or_completes(blank: World) -> None:
    names = operations_of(copy := deepcopy(blank), copy.provision)
    for at, name in enumerate(names):
        world = deepcopy(blank)
        world.machine.torn_cuts = True
        assert cut_at(world, world.provision, at) == name
        history = settle(world, in_factory=True)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        check_unit(world, 100)
        assert list(world.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}: {history}"


def test_a_used_unit_whose_provisioning_is_cut_anywhere_is_the_old_one_or_a_new_one(
    asked: World, new_system: dict[str, Node | None]
) -> None:
    """As long as its old PRIMARY starts by itself, it has its old RECOVERY; and when that is all it has, it is restored
    from it."""
    names = operations_of(copy := deepcopy(asked), copy.provision)
    ends = []
    for at, name in enumerate(names):
        world = deepcopy(asked)
        world.factory.documents.clear()
        cut_at(world, world.provision, at)
        history = settle(world, in_factory=True)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        ends.append(bool(world.factory.documents))
        if ends[-1]:
            assert world.machine.tree("PRIMARY").get("/etc/newer") is None, f"cut at {name}"
            check_unit(world, 100)
        else:
            assert system(world) in (system(asked), new_system), f"cut at {name}"
            assert recovery_problems(world) == [], f"cut at {name}"
    assert ends == sorted(ends)
    assert set(ends) == {False, True}


@given(cuts=st.lists(st.integers(0, 75), min_size=2, max_size=4), torn=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=25, deadline=None, print_blob=False)
def test_cuts_upon_cuts(
    updated: World, new_system: dict[str, Node | None], cuts: list[int], torn: bool, seed: int
) -> None:
    """Also the start that repairs what a cut left can be cut, and the one after that."""
    world = deepcopy(updated)
    world.machine.torn_cuts = torn
    world.machine.random = SeededRandomness(seed)
    places = [cut_at(world, world.boot, at) for at in cuts]
    history = settle(world)
    assert history[-1] == "switched root", f"cut at {places}: {history}"
    assert system(world) == new_system, f"cut at {places}"
    check_unit(world, 101)


@pytest.mark.parametrize("path", BOOT_FILES)
def test_a_unit_whose_boot_partitions_lost_a_file_restores_itself(running: World, path: str) -> None:
    world = deepcopy(running)
    for volume in boot_volumes(world):
        volume.current.drop(path)
        volume.sync()
    assert settle(world) == ("reboot", "switched root")
    check_unit(world, 100)


def test_a_unit_whose_boot_partitions_are_wiped_restores_itself(running: World) -> None:
    world = deepcopy(running)
    for disk in world.machine.disks:
        for part in disk.partitions:
            if part.volume is not None and part.volume.label == "BOOT":
                part.volume = None
    assert settle(world) == ("reboot", "switched root")
    check_unit(world, 100)


def test_what_the_boot_loader_could_not_see_for_a_moment_is_not_restored(running: World) -> None:
    """The BIOS did not find the primary disks, so RECOVERY's kernel started; that finds them."""
    world = deepcopy(running)
    writes = [disk.writes for disk in world.machine.disks]
    assert world.boot({"PROVISION_LOADER_FALLBACK": "1", "quiet": ""}) is Stop.SWITCHED_ROOT
    assert [disk.writes for disk in world.machine.disks] == writes


@pytest.mark.parametrize(
    "where", ["mount /dev/sda1", "read /mnt/BOOT/norm_boot", "unmount /mnt/BOOT", "probe /dev/sda1"]
)
def test_boot_files_that_cannot_be_read_for_a_moment_are_no_reason_to_restore(running: World, where: str) -> None:
    world = deepcopy(running)
    world.machine.tree("PRIMARY").put("/srv/data", Node(type=FileType.FILE, content=b"years of work"))
    world.machine.flush()
    disks = [disk.name for disk in world.machine.disks if disk.serial.startswith("primary")]
    world.machine.faults += [
        Fault(kind=FaultKind.IO_ERROR, where=where.replace("sda", name), times=4) for name in disks
    ]
    assert world.boot({"PROVISION_LOADER_FALLBACK": "1", "quiet": ""}) is Stop.SWITCHED_ROOT
    assert world.machine.tree("PRIMARY").get("/srv/data") is not None


def test_a_unit_without_its_primary_disks_says_so_and_restores_nothing(running: World) -> None:
    world = deepcopy(running)
    world.machine.bios_order = ("recovery",)
    for disk in world.machine.disks[:-1]:
        disk.appears_at = 1e9
    assert world.boot() is Stop.REBOOT
    assert all(disk.partitions for disk in world.machine.disks)


def test_a_damaged_kernel_on_one_disk_is_passed_over(running: World) -> None:
    world = deepcopy(running)
    first = next(disk for name in world.machine.bios_order for disk in world.machine.disks if disk.serial == name)
    if first.serial == "recovery":
        first = world.machine.disks[0]
    volume = next(volume for volume in first.volumes() if volume.label == "BOOT")
    volume.current.put("/norm_boot", Node(type=FileType.FILE, content=b"no kernel"))
    volume.sync()
    if len(boot_volumes(world)) > 1:
        assert world.boot() is Stop.SWITCHED_ROOT
    else:
        assert settle(world) == ("reboot", "switched root")
        check_unit(world, 100)


def test_restores_in_a_row_leave_recovery_as_it_was(running: World) -> None:
    world = deepcopy(running)

    def kept() -> dict[str, Node | None]:
        counts = ("/log/recovery_history.json", "/log/start_budget.json")
        tree = world.machine.tree("RECOVERY")
        return {path: tree.get(path) for path in tree.paths() if not path.startswith(counts)}

    before = kept()
    for _ in range(3):
        drop(world, "PRIMARY", FLAG)
        assert settle(world) == ("reboot", "switched root")
        world.machine.restart()
    assert kept() == before


def test_a_recovery_that_is_worn_out_still_restores(updated: World, new_system: dict[str, Node | None]) -> None:
    """It keeps its older kernel and menu; the boot partitions get the newer kernel."""
    world = deepcopy(updated)
    world.machine.disks[-1].write_protected = True
    assert settle(world) == ("reboot", "switched root")
    assert system(world) == new_system
    assert build_number(world.machine.tree("RECOVERY").get("/norm_boot")) == 100
    assert [build_number(volume.current.get("/norm_boot")) for volume in boot_volumes(world)] == [101] * len(
        boot_volumes(world)
    )


def test_a_kernel_override_takes_recovery_s_kernel_everywhere(updated: World) -> None:
    world = deepcopy(updated)
    assert world.boot({"real_root": "LABEL=PRIMARY", "KERNEL_OVERRIDE": "recovery"}) is Stop.REBOOT
    check_unit(world, 100)
