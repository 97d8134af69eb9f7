"""What must hold for plans of units that start from BIOS: in which order disks become startable, and stay so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel, build_loader
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import recovery_menu
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayspec import array_spec
from gprov.domain.disk.layout import GIB, MIB, PartitionRole, TableKind
from gprov.domain.disk.model import Bus, Contents, Disk, FileSystemKind, Partition, Volume
from gprov.domain.errors import BadInput, HardwareMismatch
from gprov.domain.formats.bzimage import KernelFacts, parse_bzimage
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.image.name import ImageName
from gprov.domain.image.verify import verify_image
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.disk_operations import (
    ArrayRef,
    ClearDisk,
    CreatePartitionTable,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    PartitionRef,
    UnmountVolume,
    UpdateBootEntries,
)
from gprov.domain.plan.file_operations import CopyFile, CopyKernel, SetFlag, WriteFile
from gprov.domain.plan.kernels import PresentKernels
from gprov.domain.plan.operations import Operation
from gprov.domain.plan.provision import ProvisionFacts, plan_make_bootable, plan_recovery, plan_restore_options
from gprov.domain.plan.restore import plan_restore
from gprov.domain.plan.restore_facts import NetworkFiles, RestoreFacts
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import RaidLevel
from gprov.domain.unit.restore_options import RestoreOptions

NAMES, MOUNT_POINTS, LOADER = Branding(), MountPoints(), build_loader()
UNIT = Unit(platform=default_table()[0], manufacturer="GPROV_QEMU", product="mfg_test", sku="", serial="S1")
ARRAY = array_spec("PRIMARY", "gp-s1", bytes(range(16)), RaidLevel.RAID5)
IMAGE = verify_image("/mnt/RECOVERY/Image/x.upd", build_image(build_kernel(100)))
STICK = Disk(
    name="sdb",
    node="/dev/sdb",
    device=DeviceNumber(8, 16),
    size=4 * GIB,
    bus=Bus.USB,
    partitions=(
        Partition(name="sdb1", node="/dev/sdb1", device=DeviceNumber(8, 17), number=1, start=MIB, size=4 * GIB - MIB),
    ),
)
MENU = "/mnt/BOOT/gprov/normal.cfg"


def target(index: int, size: int = 20 * GIB) -> Disk:
    return Disk(
        name=f"sd{'cdef'[index]}", node=f"/dev/sd{'cdef'[index]}", device=DeviceNumber(8, 32 + 16 * index), size=size
    )


def kernel(build: int) -> KernelFacts:
    return parse_bzimage(build_kernel(build))


def facts_of(*targets: Disk, build: int = 100, menu: bytes = b"", arguments: str = "") -> RestoreFacts:
    part = STICK.partitions[0]
    return RestoreFacts(
        branding=NAMES,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.BIOS,
        unit=UNIT,
        image=IMAGE,
        name=ImageName(date(2026, 1, 1), 1, "1", NAMES.image_prefix),
        targets=targets,
        recovery=Volume(
            disk=STICK,
            node=part.node,
            device=part.device,
            contents=Contents("ext4", "RECOVERY", "aa-bb"),
            partition=part,
        ),
        esp=None,
        kernels=PresentKernels(main=kernel(build), second=kernel(build)),
        admin_password=None,
        network=NetworkFiles(),
        keep_options=False,
        ignore_saved_network=False,
        extra_arguments=arguments,
        loader=LOADER,
        restore_id="S1 once",
        recovery_menu=menu,
    )


def at(plan: tuple[Operation, ...], wanted: Operation | type[Operation]) -> list[int]:
    """Where this operation is, or every one of this kind."""
    if isinstance(wanted, type):
        return [index for index, operation in enumerate(plan) if isinstance(operation, wanted)]
    return [index for index, operation in enumerate(plan) if operation == wanted]


sizes = st.sampled_from([20 * GIB, 3072 * GIB])


@given(sizes, st.integers(99, 101), st.booleans())
@settings(max_examples=40)
def test_the_menu_is_the_last_that_comes_onto_a_boot_partition(size: int, build: int, told: bool) -> None:
    menu = recovery_menu(NAMES, "").encode() if told else b""
    plan = plan_restore(facts_of(target(0, size), build=build, menu=menu))
    [menu_at] = [index for index, one in enumerate(plan) if isinstance(one, WriteFile) and one.path == MENU]
    before, after = plan[:menu_at], plan[menu_at + 1 :]
    assert before[-2:] == (CopyFile("/mnt/PRIMARY/boot/norm_boot", "/mnt/BOOT/norm_boot"), FlushVolume("/mnt/BOOT"))
    assert after[:2] == (FlushVolume("/mnt/BOOT"), UnmountVolume("/mnt/BOOT"))
    # RECOVERY can be started all the time, and what the boot partition gets is the newest kernel.
    assert all(index < menu_at for index in at(plan, CopyKernel))
    assert all(
        index < menu_at
        for index, one in enumerate(plan)
        if isinstance(one, CopyFile) and one.target == "/mnt/PRIMARY/boot/norm_boot"
    )
    assert menu_at < at(plan, SetFlag)[0]
    assert not at(plan, UpdateBootEntries)


@given(sizes)
@settings(max_examples=4)
def test_no_table_comes_without_its_loader_nor_before_the_old_one_is_gone(size: int) -> None:
    disk = target(0, size)
    plan = plan_restore(facts_of(disk))
    [table_at] = at(plan, CreatePartitionTable)
    written = plan[table_at]
    assert isinstance(written, CreatePartitionTable)
    assert written.loader == LOADER
    assert isinstance(plan[table_at - 1], ClearDisk)
    expected = [PartitionRole.LINUX, PartitionRole.LINUX]
    if size > 2048 * GIB:
        assert written.table.kind is TableKind.GPT
        expected = [PartitionRole.BIOS_BOOT, *expected]
    assert [part.role for part in written.table.partitions] == expected


def test_a_menu_and_kernels_that_are_right_are_not_written_again() -> None:
    plan = plan_restore(facts_of(target(0), menu=recovery_menu(NAMES, "").encode()))
    assert not at(plan, CopyKernel)
    assert not [one for one in plan if isinstance(one, WriteFile) and one.path.startswith(MOUNT_POINTS.recovery)]


def test_with_grub4dos_on_recovery_each_loader_gets_its_menus() -> None:
    """grub4dos looks for ``GPROVHDD.boot`` first: so it comes when the kernel beside it is there."""
    facts = replace(facts_of(target(0), arguments="PROVISION_VERBOSE=1"), grub4dos_menu=b"old")
    plan = plan_restore(facts)
    written = {one.path: one for one in plan if isinstance(one, WriteFile)}
    on_boot, on_recovery = written["/mnt/BOOT/GPROVHDD.boot"], written["/mnt/RECOVERY/GPROVFBK.boot"]
    assert (
        f"kernel /norm_boot quiet real_root=UUID={facts.primary_uuid} PROVISION_VERBOSE=1\n".encode() in on_boot.content
    )
    assert b"real_root" not in on_recovery.content
    for menu in (on_boot, on_recovery):
        assert b"kernel /gprov/norm_boot quiet PROVISION_LOADER_FALLBACK=1 PROVISION_VERBOSE=1\n" in menu.content
    [kernel] = at(plan, CopyFile("/mnt/PRIMARY/boot/norm_boot", "/mnt/BOOT/norm_boot"))
    assert kernel < at(plan, on_boot)[0] < at(plan, written[MENU])[0] < at(plan, SetFlag)[0]
    assert not on_recovery.required
    assert not written["/mnt/RECOVERY/gprov/recovery.cfg"].required
    again = plan_restore(replace(facts, grub4dos_menu=on_recovery.content))
    assert on_recovery not in again
    assert on_boot in again


def test_without_grub4dos_there_are_no_menus_for_it() -> None:
    assert not [one for one in plan_restore(facts_of(target(0))) if isinstance(one, WriteFile) and "GPROV" in one.path]


def test_a_recovery_that_cannot_be_written_keeps_the_menu_that_it_has() -> None:
    def required(menu: bytes) -> bool:
        plan = plan_restore(facts_of(target(0), menu=menu))
        [written] = [one for one in plan if isinstance(one, WriteFile) and one.path.endswith("recovery.cfg")]
        return written.required

    assert not required(b"an older one")
    assert required(b"")


def test_the_kernel_of_a_newer_image_goes_to_recovery_first_and_one_copy_at_a_time() -> None:
    plan = plan_restore(facts_of(target(0), build=99))
    [copied] = [one for one in plan if isinstance(one, CopyKernel)]
    assert copied.targets == ("/mnt/RECOVERY/gprov/norm_boot", "/mnt/RECOVERY/norm_boot")
    assert not copied.required


def test_menu_system_and_fstab_agree_on_uuids() -> None:
    plan = plan_restore(facts_of(target(0)))
    made = {one.spec.label: one.spec for one in plan if isinstance(one, MakeFileSystem)}
    written = {one.path: one.content.decode() for one in plan if isinstance(one, WriteFile)}
    assert made["BOOT"].kind is FileSystemKind.EXT2
    assert f"real_root=UUID={made['PRIMARY'].uuid}\n" in written[MENU]
    assert f"UUID={made['BOOT'].uuid} /mnt/BOOT0 ext2 noauto,relatime,noexec" in written["/mnt/PRIMARY/etc/fstab"]
    again = plan_restore(replace(facts_of(target(0)), restore_id="S1 another time"))
    assert not {one.spec.uuid for one in again if isinstance(one, MakeFileSystem)} & {
        spec.uuid for spec in made.values()
    }


def test_every_disk_of_an_array_can_start_the_unit_and_has_entries_for_the_others() -> None:
    platform = replace(UNIT.platform, raid_level=ARRAY.level, data_disks=3)
    facts = replace(facts_of(*map(target, range(3))), unit=replace(UNIT, platform=platform), array=ARRAY)
    plan = plan_restore(facts)
    tables = [one for one in plan if isinstance(one, CreatePartitionTable)]
    assert [one.loader for one in tables] == [LOADER] * 3
    boots = [one for one in plan if isinstance(one, MakeFileSystem) and one.spec.label == "BOOT"]
    assert [one.where for one in boots] == [PartitionRef(disk, 1) for disk in facts.targets]
    assert len({one.spec.uuid for one in boots}) == 3
    mounted = [one.where for one in plan if isinstance(one, MountVolume) and one.target == MOUNT_POINTS.boot]
    assert mounted == [PartitionRef(disk, 1) for disk in facts.targets]
    menus = [one.content.decode() for one in plan if isinstance(one, WriteFile) and one.path == MENU]
    for own, menu in zip(boots, menus, strict=True):
        others = [one.spec.uuid for one in boots if one is not own]
        assert all(f"--fs-uuid {uuid}" in menu for uuid in others)
        assert own.spec.uuid not in menu
    [system] = [one for one in plan if isinstance(one, MakeFileSystem) and one.spec.label == "PRIMARY"]
    assert isinstance(system.where, ArrayRef)


def test_disks_and_arguments_that_do_not_do_are_refused_before_anything_is_changed() -> None:
    with pytest.raises(HardwareMismatch, match="sectors of 4096"):
        plan_restore(facts_of(replace(target(0), sector_size=4096)))
    with pytest.raises(HardwareMismatch, match="no boot loader"):
        plan_restore(replace(facts_of(target(0)), loader=None))
    with pytest.raises(BadInput, match="quotes"):
        plan_restore(facts_of(target(0), arguments="a='b'"))


def provisioning(*targets: Disk, wipe: bool = True) -> tuple[Operation, ...]:
    facts = ProvisionFacts(
        branding=NAMES,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.BIOS,
        unit=UNIT,
        recovery=replace(STICK, partitions=()),
        targets=targets,
        options=RestoreOptions(),
        loader=LOADER,
    )
    return (*plan_recovery(facts, wipe=wipe), *plan_restore_options(facts), *plan_make_bootable(facts, wipe=wipe))


def test_provisioning_makes_recovery_startable_last() -> None:
    plan = provisioning(target(0))
    menu = WriteFile(path="/mnt/RECOVERY/gprov/recovery.cfg", content=recovery_menu(NAMES, "").encode())
    assert plan[-5:] == (
        ClearDisk(target(0), 100 * MIB, 100 * MIB),
        CopyFile("/mnt/RECOVERY/norm_boot", "/mnt/RECOVERY/gprov/norm_boot", 0o755),
        FlushVolume("/mnt/RECOVERY"),
        menu,
        FlushVolume("/mnt/RECOVERY"),
    )


def test_a_used_unit_does_not_start_by_itself_once_its_recovery_goes() -> None:
    plan = provisioning(target(0), target(1))
    [table] = at(plan, CreatePartitionTable)
    cleared = [one.disk for one in plan[:table] if isinstance(one, ClearDisk)]
    assert cleared == [target(0), target(1), replace(STICK, partitions=())]
    kept = provisioning(target(0), wipe=False)
    assert [one.disk.name for one in kept if isinstance(one, ClearDisk)] == ["sdb"]
