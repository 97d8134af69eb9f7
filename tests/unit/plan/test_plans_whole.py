"""Whole plans as people read them. In a plan order is everything, so each line stands where it is meant to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel, build_loader
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayspec import array_spec
from gprov.domain.disk.layout import GIB, MIB
from gprov.domain.disk.model import Bus, Contents, Disk, FileSystemKind, FileSystemSpec, Partition, Volume
from gprov.domain.errors import BadInput
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.formats.bzimage import KernelFacts, parse_bzimage
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.owner import ROOT, Owner
from gprov.domain.image.name import ImageName
from gprov.domain.image.verify import verify_image
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.disk_operations import MakeFileSystem, MountVolume, StopArray, UpdateBootEntries
from gprov.domain.plan.file_operations import (
    CopyFile,
    CopyKernel,
    MakeFolder,
    MakeSymlink,
    RemovePath,
    ReplacePlainText,
    SetFlag,
    WriteFile,
)
from gprov.domain.plan.kernels import PresentKernels
from gprov.domain.plan.operations import Operation
from gprov.domain.plan.provision import (
    ProvisionFacts,
    plan_make_bootable,
    plan_recovery,
    plan_restore_options,
    plan_secret,
)
from gprov.domain.plan.restore import modules_warning, plan_restore
from gprov.domain.plan.restore_facts import NetworkFiles, RestoreFacts
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import RaidLevel
from gprov.domain.unit.netsaved import SavedFile
from gprov.domain.unit.restore_options import RestoreOptions, serialise_options
from gprov.domain.unit.secret_file import ReplacedSecret, SecretFile

NAMES, MOUNT_POINTS, LOADER = Branding(), MountPoints(), build_loader()
SINGLE = Unit(
    platform=default_table()[0], manufacturer="GPROV_QEMU", product="mfg_test", sku="", serial="S1", by_fallback=True
)
MIRROR = replace(SINGLE, platform=default_table()[2])
ARRAY = array_spec("PRIMARY", "gp-s1", bytes(range(16)), RaidLevel.RAID1)
HASH = "$y$j9T$hAsH"
ADMIN = Owner(1000, 1000)
SHADOW = b"root:*:1:0:99999:7:::\nadmin:!:1:0:99999:7:::\n"
ESP = Partition(name="sdb1", node="/dev/sdb1", device=DeviceNumber(8, 17), number=1, start=MIB, size=200 * MIB)
DATA = Partition(name="sdb2", node="/dev/sdb2", device=DeviceNumber(8, 18), number=2, start=201 * MIB, size=3 * GIB)
BLANK_STICK = Disk(name="sdb", node="/dev/sdb", device=DeviceNumber(8, 16), size=4 * GIB, bus=Bus.USB)
STICK = replace(BLANK_STICK, partitions=(ESP, DATA))
SDC = Disk(name="sdc", node="/dev/sdc", device=DeviceNumber(8, 32), size=20 * GIB)
SDD = Disk(name="sdd", node="/dev/sdd", device=DeviceNumber(8, 48), size=20 * GIB)


def restore_facts(*targets: Disk) -> RestoreFacts:
    """UEFI; the image's kernel is newer than RECOVERY's two."""
    image = verify_image("/mnt/RECOVERY/Image/x.upd", build_image(build_kernel(100)))
    groups = b"shadow:x:42:\nsystemd-journal:x:101:\nsystemd-network:x:998:\n"
    old = parse_bzimage(build_kernel(99))
    return RestoreFacts(
        branding=NAMES,
        mount_points=MOUNT_POINTS,
        firmware=FirmwareKind.UEFI,
        unit=MIRROR if len(targets) == 2 else SINGLE,
        image=replace(image, files=replace(image.files, group=groups, shadow=SHADOW)),
        name=ImageName(date(2026, 1, 1), 1, "1", NAMES.image_prefix),
        targets=targets,
        recovery=Volume(
            disk=STICK,
            node=DATA.node,
            device=DATA.device,
            contents=Contents("ext3", "RECOVERY", "aa-bb"),
            partition=DATA,
        ),
        esp=Volume(
            disk=STICK, node=ESP.node, device=ESP.device, contents=Contents("vfat", "ESP", "CC-DD"), partition=ESP
        ),
        kernels=PresentKernels(main=old, second=old),
        admin_password=PasswordHash(HASH),
        network=NetworkFiles({"b.network": b"[b]", "a.network": b"[a]"}),
        keep_options=False,
        ignore_saved_network=True,
        array=ARRAY if len(targets) == 2 else None,
    )


def on_bios(facts: RestoreFacts) -> RestoreFacts:
    return replace(facts, firmware=FirmwareKind.BIOS, esp=None, loader=LOADER, restore_id="S1 once")


def provision_facts(firmware: FirmwareKind) -> ProvisionFacts:
    loader = LOADER if firmware is FirmwareKind.BIOS else None
    return ProvisionFacts(
        branding=NAMES,
        mount_points=MOUNT_POINTS,
        firmware=firmware,
        unit=SINGLE,
        recovery=BLANK_STICK,
        targets=(SDC,),
        options=RestoreOptions(),
        extra_arguments="console=ttyS0",
        loader=loader,
    )


def told(plan: Iterable[Operation]) -> list[str]:
    return [operation.describe() for operation in plan]


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def files(plan: Iterable[Operation]) -> dict[str, WriteFile]:
    return {operation.path: operation for operation in plan if isinstance(operation, WriteFile)}


CONFIGURATION = """
    make folder /mnt/PRIMARY/dev (755)
    make folder /mnt/PRIMARY/proc (755)
    make folder /mnt/PRIMARY/run (755)
    make folder /mnt/PRIMARY/sys (755)
    write /mnt/PRIMARY/etc/fstab ({fstab} bytes, 644)
    write /mnt/PRIMARY/etc/hostname (6 bytes, 644)
    write /mnt/PRIMARY/etc/hosts (77 bytes, 644)
    write /mnt/PRIMARY/etc/machine-id (33 bytes, 444)
    make /mnt/PRIMARY/etc/localtime a link to /usr/share/zoneinfo/Etc/UTC
    make folder /mnt/PRIMARY/etc/provisioning (755)
    remove /mnt/PRIMARY/etc/provisioning/boots_started
    remove /mnt/PRIMARY/etc/provisioning/boots_confirmed
    remove /mnt/PRIMARY/etc/provisioning/boot_request
    write /mnt/PRIMARY/etc/provisioning/serial (2 bytes, 644)
    write /mnt/PRIMARY/etc/provisioning/platform_facts.json ({platform} bytes, 644)
    make folder /mnt/PRIMARY/var/log/journal (2755)
    write /mnt/PRIMARY/WIDGET.LNX.SHINY.2026-01-01.1.disktag (0 bytes, 444)
    write /mnt/PRIMARY/etc/shadow (55 bytes, 640)
"""
NETWORK = """
    make folder /mnt/PRIMARY/etc/systemd/network-defaults (755)
    write /mnt/PRIMARY/etc/systemd/network-defaults/a.network (3 bytes, 644)
    write /mnt/PRIMARY/etc/systemd/network-defaults/b.network (3 bytes, 644)
    make folder /mnt/PRIMARY/etc/systemd/network (755)
    write /mnt/PRIMARY/etc/systemd/network/a.network (3 bytes, 644)
    write /mnt/PRIMARY/etc/systemd/network/b.network (3 bytes, 644)
"""
MIRROR_ON_UEFI = """
    dismantle arrays on /dev/sdc, /dev/sdd
    clear the first 100 MiB and last 100 MiB of /dev/sdc (21.5 GB, unknown, unnamed)
    clear the first 100 MiB and last 100 MiB of /dev/sdd (21.5 GB, unknown, unnamed)
    write a GPT partition table to /dev/sdc (1: PRIMARY 20.0 GiB)
    write a GPT partition table to /dev/sdd (1: PRIMARY 20.0 GiB)
    dismantle arrays on /dev/sdc, /dev/sdd
    make RAID 1 array gp-s1:PRIMARY of partition 1 of /dev/sdc, partition 1 of /dev/sdd
    format array PRIMARY as ext4, label PRIMARY
    mount array PRIMARY at /mnt/PRIMARY (relatime,discard)
    unpack /mnt/RECOVERY/Image/x.upd (0 MiB) into /mnt/PRIMARY
    {configuration}
    write /mnt/PRIMARY/etc/mdadm/mdadm.conf ({mdadm} bytes, 644)
    write /mnt/PRIMARY/etc/provisioning/array.json ({record} bytes, 644)
    {network}
    set boot entries for the kernel on partition 1 of /dev/sdb
    copy kernel /mnt/PRIMARY/boot/norm_boot to {second}, then to /mnt/RECOVERY/ESP/norm_boot
    flush /mnt/PRIMARY to stable storage
    flush /mnt/RECOVERY/ESP to stable storage
    flush /mnt/RECOVERY to stable storage
    set flag file /mnt/PRIMARY/boot.normal
    flush /mnt/PRIMARY to stable storage
    unmount /mnt/PRIMARY
    stop array PRIMARY
    remove /mnt/RECOVERY/log/netd.tar
    remove /mnt/RECOVERY/fr.data
"""
SINGLE_ON_BIOS = """
    dismantle arrays on /dev/sdc
    clear the first 100 MiB and last 100 MiB of /dev/sdc (21.5 GB, unknown, unnamed)
    write a MBR partition table and a boot loader to /dev/sdc (1: linux 200 MiB, 2: linux 19.8 GiB)
    format partition 1 of /dev/sdc as ext2, label BOOT
    format partition 2 of /dev/sdc as ext4, label PRIMARY
    mount partition 2 of /dev/sdc at /mnt/PRIMARY (relatime,discard)
    unpack /mnt/RECOVERY/Image/x.upd (0 MiB) into /mnt/PRIMARY
    {configuration}
    {network}
    write /mnt/RECOVERY/gprov/recovery.cfg ({recovery_menu} bytes, 644)
    flush /mnt/RECOVERY to stable storage
    copy kernel /mnt/PRIMARY/boot/norm_boot to /mnt/RECOVERY/gprov/norm_boot, then to /mnt/RECOVERY/norm_boot
    mount partition 1 of /dev/sdc at /mnt/BOOT (relatime)
    copy /mnt/PRIMARY/boot/norm_boot to /mnt/BOOT/norm_boot
    flush /mnt/BOOT to stable storage
    write /mnt/BOOT/gprov/normal.cfg ({normal_menu} bytes, 644)
    flush /mnt/BOOT to stable storage
    unmount /mnt/BOOT
    flush /mnt/PRIMARY to stable storage
    flush /mnt/RECOVERY to stable storage
    set flag file /mnt/PRIMARY/boot.normal
    flush /mnt/PRIMARY to stable storage
    unmount /mnt/PRIMARY
    remove /mnt/RECOVERY/log/netd.tar
    remove /mnt/RECOVERY/fr.data
"""


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [(restore_facts(SDC, SDD), MIRROR_ON_UEFI), (on_bios(restore_facts(SDC)), SINGLE_ON_BIOS)],
)
def test_a_restore(facts: RestoreFacts, wanted: str) -> None:
    plan = plan_restore(facts)
    size = {path.rsplit("/", 1)[1]: len(file.content) for path, file in files(plan).items()}
    configuration = CONFIGURATION.format(fstab=size["fstab"], platform=size["platform_facts.json"])
    text = wanted.format(
        configuration=configuration.strip(),
        network=NETWORK.strip(),
        second="/mnt/RECOVERY/ESP/EFI/BOOT/BOOTX64.EFI",
        mdadm=size.get("mdadm.conf"),
        record=size.get("array.json"),
        recovery_menu=size.get("recovery.cfg"),
        normal_menu=size.get("normal.cfg"),
    )
    assert told(plan) == lines(text)


def test_what_a_restore_writes_into_the_system() -> None:
    plan = plan_restore(restore_facts(SDC))
    written = {path.removeprefix("/mnt/PRIMARY/"): file for path, file in files(plan).items()}
    assert written["etc/hostname"].content == b"gp-s1\n"
    assert b"gp-s1" in written["etc/hosts"].content.splitlines()[0].split()
    assert len(bytes.fromhex(written["etc/machine-id"].content.decode())) == 16
    assert written["etc/provisioning/serial"].content == b"S1"
    assert written["etc/shadow"].content.splitlines()[0] == SHADOW.splitlines()[0]
    assert written["etc/shadow"].content.splitlines()[1].startswith(f"admin:{HASH}:".encode())
    assert written["etc/shadow"].owner == Owner(0, 42)
    assert written["etc/systemd/network/a.network"].content == b"[a]"
    assert [line.split()[:3] for line in written["etc/fstab"].content.decode().splitlines() if line[:1] != "#"][:3] == [
        ["LABEL=PRIMARY", "/", "ext4"],
        ["UUID=aa-bb", "/mnt/RECOVERY", "ext3"],
        ["UUID=CC-DD", "/mnt/RECOVERY/ESP", "vfat"],
    ]
    journal = next(one for one in plan if isinstance(one, MakeFolder) and one.path.endswith("journal"))
    assert journal.owner == Owner(0, 101)
    made = [one.spec for one in plan if isinstance(one, MakeFileSystem)]
    assert made == [FileSystemSpec(kind=FileSystemKind.EXT4, label="PRIMARY", reserved_percent=1, encrypt=True)]


def test_what_is_needed_on_the_way_to_the_flag_and_what_is_not() -> None:
    plan = plan_restore(restore_facts(SDC, SDD))
    optional = [
        type(one)
        for one in plan
        if isinstance(one, WriteFile | CopyKernel | RemovePath | StopArray | UpdateBootEntries) and not one.required
    ]
    assert optional == [UpdateBootEntries, CopyKernel, StopArray, RemovePath, RemovePath]


def test_options_and_saved_network_configuration_stay_if_they_are_to() -> None:
    plan = plan_restore(replace(restore_facts(SDC), keep_options=True, ignore_saved_network=False))
    assert told(plan)[-1] == "unmount /mnt/PRIMARY"


def test_only_flash_is_told_what_is_free() -> None:
    facts = restore_facts(SDC)
    spinning = replace(facts.unit, platform=replace(facts.unit.platform, disk_is_ssd=False))
    mounts = [one for one in plan_restore(replace(facts, unit=spinning)) if isinstance(one, MountVolume)]
    assert [one.options for one in mounts] == [("relatime",)]


def test_without_groups_or_credentials_files_are_for_root_alone() -> None:
    facts = restore_facts(SDC)
    bare = replace(facts, image=replace(facts.image, files=replace(facts.image.files, group=None)))
    plan = plan_restore(bare)
    shadow = files(plan)["/mnt/PRIMARY/etc/shadow"]
    assert (shadow.mode, shadow.owner) == (0o600, ROOT)
    journal = next(one for one in plan if isinstance(one, MakeFolder) and one.path.endswith("journal"))
    assert (journal.mode, journal.owner) == (0o2755, ROOT)
    locked = files(plan_restore(replace(facts, admin_password=None)))["/mnt/PRIMARY/etc/shadow"]
    assert b"\nadmin:!:" in b"\n" + locked.content


def test_preserved_network_configuration_replaces_what_the_image_has() -> None:
    saved = {
        "b.network": SavedFile(b"key", 0o640, "systemd-network"),
        "a.network": SavedFile(b"", mask=True),
        "c.network": SavedFile(b"?", 0o600, "nobody-knows"),
    }
    plan = plan_restore(replace(restore_facts(SDC), network=NetworkFiles({"d.network": b"[d]"}, saved)))
    start = plan.index(MakeFolder("/mnt/PRIMARY/etc/systemd/network-defaults", owner=ADMIN))
    folder = "/mnt/PRIMARY/etc/systemd/network"
    assert plan[start + 1 : start + 8] == (
        WriteFile(path=f"{folder}-defaults/d.network", content=b"[d]", owner=ADMIN),
        RemovePath(folder),
        MakeFolder(folder),
        MakeSymlink(f"{folder}/a.network", "/dev/null"),
        WriteFile(path=f"{folder}/b.network", content=b"key", mode=0o640, owner=Owner(0, 998)),
        WriteFile(path=f"{folder}/c.network", content=b"?", mode=0o600, owner=ROOT),
        WriteFile(path=f"{folder}/.config-preserved", content=b""),
    )


def test_an_image_with_network_files_of_its_own_gets_the_defaults_only_to_copy_from() -> None:
    facts = restore_facts(SDC)
    own = replace(facts, image=replace(facts.image, files=replace(facts.image.files, has_network=True)))
    written = [path for path in files(plan_restore(own)) if "/systemd/" in path]
    folder = "/mnt/PRIMARY/etc/systemd/network-defaults"
    assert written == [f"{folder}/a.network", f"{folder}/b.network"]


def test_the_line_of_the_machine_in_hosts_is_edited() -> None:
    facts = restore_facts(SDC)
    hosts = b"127.0.0.1 localhost\n127.0.1.1 builder\n10.0.0.7 files\n"
    own = replace(facts, image=replace(facts.image, files=replace(facts.image.files, hosts=hosts)))
    assert files(plan_restore(own))["/mnt/PRIMARY/etc/hosts"].content == hosts.replace(b"builder", b"gp-s1")


NEWER, OLDER = (parse_bzimage(build_kernel(build)) for build in (101, 99))
MAIN, SECOND, IN_IMAGE = (
    "/mnt/RECOVERY/ESP/norm_boot",
    "/mnt/RECOVERY/ESP/EFI/BOOT/BOOTX64.EFI",
    "/mnt/PRIMARY/boot/norm_boot",
)


@pytest.mark.parametrize(
    ("main", "second", "copies"),
    [
        (OLDER, OLDER, [CopyKernel(IN_IMAGE, (SECOND, MAIN), required=False)]),
        (OLDER, None, [CopyKernel(IN_IMAGE, (SECOND, MAIN), required=False)]),
        (None, OLDER, [CopyKernel(IN_IMAGE, (MAIN, SECOND), required=False)]),
        (None, None, [CopyKernel(IN_IMAGE, (MAIN, SECOND), required=True)]),
        (NEWER, NEWER, [CopyFile(MAIN, IN_IMAGE)]),
        (NEWER, None, [CopyFile(MAIN, IN_IMAGE), CopyKernel(MAIN, (SECOND,), required=False)]),
    ],
)
def test_the_newer_kernel_replaces_the_other_and_a_damaged_copy_goes_first(
    main: KernelFacts | None, second: KernelFacts | None, copies: list[Operation]
) -> None:
    facts = replace(restore_facts(SDC), kernels=PresentKernels(main=main, second=second))
    assert [one for one in plan_restore(facts) if isinstance(one, CopyFile | CopyKernel)] == copies


@pytest.mark.parametrize("second", [OLDER, None])
def test_recoverys_kernel_wins_if_a_person_says_so(second: KernelFacts | None) -> None:
    facts = replace(restore_facts(SDC), force_recovery_kernel=True, kernels=PresentKernels(main=OLDER, second=second))
    repair = [] if second else [CopyKernel(MAIN, (SECOND,), required=False)]
    copies = [one for one in plan_restore(facts) if isinstance(one, CopyFile | CopyKernel)]
    assert copies == [CopyFile(MAIN, IN_IMAGE), *repair]


OWN, OTHER = "6.1.0-gprov.100.aaaaaaaa", "6.1.0-gprov.101.bbbbbbbb"


def modules_text(modules: str, kernel: str) -> str:
    lost = "it loads none of them, and what only they drive or provide does not work"
    return f"modules of {modules}, none of kernel {kernel}: {lost}"


@pytest.mark.parametrize(
    ("recovery", "modules", "said"),
    [
        ((101, OTHER), (), ""),  # no modules: nothing that could be lost
        ((99, OTHER), (OWN,), ""),  # the image's kernel is the newer one
        ((101, OTHER), (OWN, OTHER), ""),
        ((100, OWN), (OWN,), ""),
        (
            (101, OTHER),
            (OWN,),
            f"RECOVERY's kernel {OTHER} #101 stays; the image has {OWN} #100 and holds {modules_text(OWN, OTHER)}",
        ),
        (  # the same number, of another configuration: neither replaces the other
            (100, OTHER),
            (OWN,),
            f"RECOVERY's kernel {OTHER} #100 stays; the image has {OWN} #100 and holds {modules_text(OWN, OTHER)}",
        ),
        (
            (99, OTHER),
            (OTHER,),
            f"the image holds {modules_text(OTHER, OWN)}",
        ),
    ],
)
def test_what_the_kernel_that_stays_means_for_modules(
    recovery: tuple[int, str], modules: tuple[str, ...], said: str
) -> None:
    facts = restore_facts(SDC)
    captured = replace(facts.image.files, kernel_start=build_kernel(100, OWN), module_releases=modules)
    kernel = parse_bzimage(build_kernel(*recovery))
    facts = replace(
        facts, image=replace(facts.image, files=captured), kernels=PresentKernels(main=kernel, second=kernel)
    )
    assert modules_warning(facts) == said


def test_on_bios_the_images_kernel_starts_unless_recoverys_is_newer() -> None:
    facts = replace(restore_facts(SDC), firmware=FirmwareKind.BIOS)
    captured = replace(facts.image.files, kernel_start=build_kernel(100, OWN), module_releases=(OWN,))
    facts = replace(facts, image=replace(facts.image, files=captured))
    for build, told in ((99, False), (100, False), (101, True)):
        kernel = parse_bzimage(build_kernel(build, OTHER))
        assert (modules_warning(replace(facts, kernels=PresentKernels(main=kernel, second=kernel))) != "") == told


def test_recoverys_kernel_by_order_of_a_person_means_the_same_for_modules() -> None:
    facts = restore_facts(SDC)
    captured = replace(facts.image.files, kernel_start=build_kernel(100, OWN), module_releases=(OWN,))
    image = replace(facts.image, files=captured)
    assert modules_warning(replace(facts, image=image)) == ""
    forced = replace(facts, image=image, force_recovery_kernel=True)
    assert modules_warning(forced).startswith("RECOVERY's kernel 6.1.0 #99 stays; the image has")


RECOVERY_ON_UEFI = """
    clear the first 16 MiB and last 16 MiB of /dev/sdb (4.3 GB, usb, unnamed)
    write a GPT partition table to /dev/sdb (1: ESP 200 MiB, 2: RECOVERY 3.8 GiB)
    format partition 1 of /dev/sdb as vfat, label ESP
    format partition 2 of /dev/sdb as ext4, label RECOVERY
    mount partition 2 of /dev/sdb at /mnt/RECOVERY (relatime)
    make folder /mnt/RECOVERY/ESP (755)
    mount partition 1 of /dev/sdb at /mnt/RECOVERY/ESP (relatime)
    make folder /mnt/RECOVERY/Image (755)
    make folder /mnt/RECOVERY/log (755)
"""
RECOVERY_ON_BIOS = """
    clear the first 1 MiB and last 1 MiB of /dev/sdc (21.5 GB, unknown, unnamed)
    clear the first 16 MiB and last 16 MiB of /dev/sdb (4.3 GB, usb, unnamed)
    write a MBR partition table and a boot loader to /dev/sdb (1: linux 4.0 GiB)
    format partition 1 of /dev/sdb as ext4, label RECOVERY
    mount partition 1 of /dev/sdb at /mnt/RECOVERY (relatime)
    make folder /mnt/RECOVERY/Image (755)
    make folder /mnt/RECOVERY/log (755)
"""
FINISH_ON_UEFI = """
    make /mnt/RECOVERY/norm_boot a link to ESP/norm_boot
    write /mnt/RECOVERY/fr.data ({options} bytes, 600)
    write /mnt/RECOVERY/boot.args (14 bytes, 600)
    write /mnt/RECOVERY/platform.ident (14 bytes, 644)
    flush /mnt/RECOVERY/ESP to stable storage
    flush /mnt/RECOVERY to stable storage
"""
FINISH_ON_BIOS = """
    write /mnt/RECOVERY/fr.data ({options} bytes, 600)
    write /mnt/RECOVERY/boot.args (14 bytes, 600)
    write /mnt/RECOVERY/platform.ident (14 bytes, 644)
    flush /mnt/RECOVERY to stable storage
"""
START_ON_UEFI = """
    clear the first 100 MiB and last 100 MiB of /dev/sdc (21.5 GB, unknown, unnamed)
    copy /mnt/RECOVERY/ESP/norm_boot to /mnt/RECOVERY/ESP/EFI/BOOT/BOOTX64.EFI
    flush /mnt/RECOVERY/ESP to stable storage
    set boot entries for the kernel on partition 1 of /dev/sdb with 'console=ttyS0'
"""
START_ON_BIOS = """
    clear the first 100 MiB and last 100 MiB of /dev/sdc (21.5 GB, unknown, unnamed)
    copy /mnt/RECOVERY/norm_boot to /mnt/RECOVERY/gprov/norm_boot
    flush /mnt/RECOVERY to stable storage
    write /mnt/RECOVERY/gprov/recovery.cfg ({menu} bytes, 644)
    flush /mnt/RECOVERY to stable storage
"""


@pytest.mark.parametrize(
    ("firmware", "recovery", "finish", "start"),
    [
        (FirmwareKind.UEFI, RECOVERY_ON_UEFI, FINISH_ON_UEFI, START_ON_UEFI),
        (FirmwareKind.BIOS, RECOVERY_ON_BIOS, FINISH_ON_BIOS, START_ON_BIOS),
    ],
)
def test_a_provisioning(firmware: FirmwareKind, recovery: str, finish: str, start: str) -> None:
    facts = provision_facts(firmware)
    assert told(plan_recovery(facts)) == lines(recovery)
    options = serialise_options(RestoreOptions())
    last = plan_restore_options(facts)
    assert told(last) == lines(finish.format(options=len(options)))
    assert files(last)["/mnt/RECOVERY/fr.data"].content == options
    assert files(last)["/mnt/RECOVERY/boot.args"].content == b"console=ttyS0\n"
    assert files(last)["/mnt/RECOVERY/platform.ident"].content == b"QEMU-mfg-test\n"
    begun = plan_make_bootable(facts)
    menu = files(begun).get("/mnt/RECOVERY/gprov/recovery.cfg")
    assert told(begun) == lines(start.format(menu=len(menu.content) if menu is not None else None))
    assert menu is None or b"console=ttyS0" in menu.content
    assert all(one.required for one in begun if isinstance(one, UpdateBootEntries | WriteFile))


@pytest.mark.parametrize(
    ("firmware", "arguments"),
    [(FirmwareKind.BIOS, "a='b'"), (FirmwareKind.UEFI, 'a="b\nc"'), (FirmwareKind.UEFI, "x" * 2048)],
)
def test_arguments_that_cannot_be_stored_are_refused_before_recovery_is_made(
    firmware: FirmwareKind, arguments: str
) -> None:
    """The menu, or the boot entries, are written last of all: that would be too late."""
    with pytest.raises(BadInput):
        plan_recovery(replace(provision_facts(firmware), extra_arguments=arguments))


def test_kernels_are_readable_by_all_and_those_on_recovery_can_be_started() -> None:
    plan = plan_restore(replace(restore_facts(SDC), kernels=PresentKernels(main=NEWER, second=NEWER)))
    assert [one.mode for one in plan if isinstance(one, CopyFile)] == [0o644]
    begun = plan_make_bootable(provision_facts(FirmwareKind.UEFI))
    assert [one.mode for one in begun if isinstance(one, CopyFile)] == [0o755]


def test_targets_stay_as_they_are_if_nothing_is_to_be_wiped() -> None:
    for firmware, recovery, start in (
        (FirmwareKind.UEFI, RECOVERY_ON_UEFI, START_ON_UEFI),
        (FirmwareKind.BIOS, RECOVERY_ON_BIOS, START_ON_BIOS),
    ):
        facts = provision_facts(firmware)
        wanted = [[line for line in lines(text) if "/dev/sdc" not in line] for text in (recovery, start)]
        assert told(plan_recovery(facts, wipe=False)) == wanted[0]
        assert told(plan_make_bootable(facts, wipe=False))[:2] == wanted[1][:2]


def test_a_platform_that_was_identified_by_itself_needs_no_note() -> None:
    facts = provision_facts(FirmwareKind.UEFI)
    plan = plan_restore_options(replace(facts, unit=replace(facts.unit, by_fallback=False)))
    assert "/mnt/RECOVERY/platform.ident" not in files(plan)


def test_of_the_credentials_the_hash_stays_for_root_alone() -> None:
    file = SecretFile("admin.hash", f"{HASH}\n".encode())
    plan = plan_secret(provision_facts(FirmwareKind.UEFI), file)
    assert plan == (
        MakeFolder("/mnt/RECOVERY/secrets", 0o700),
        WriteFile(path="/mnt/RECOVERY/secrets/admin.hash", content=f"{HASH}\n".encode(), mode=0o600),
    )


def test_a_password_in_plain_text_is_replaced_by_its_hash_before_the_flag() -> None:
    facts = restore_facts(SDC)
    assert not [one for one in plan_restore(facts) if isinstance(one, ReplacePlainText)]
    file = SecretFile("admin.hash", f"{HASH}\n".encode())
    plan = plan_restore(replace(facts, replaced_secrets=(ReplacedSecret(file, "insecure.storage"),)))
    [at] = [at for at, one in enumerate(plan) if isinstance(one, ReplacePlainText)]
    assert plan[at] == ReplacePlainText(
        path="/mnt/RECOVERY/secrets/admin.hash",
        content=f"{HASH}\n".encode(),
        plain_text="/mnt/RECOVERY/insecure.storage",
        required=False,
    )
    assert next(index for index, one in enumerate(plan) if isinstance(one, SetFlag)) > at
    assert HASH not in repr(plan[at]) + plan[at].describe()


@pytest.mark.parametrize(
    ("kept", "arguments", "written"),
    [
        (b"", "", None),
        (b"a b\n", "a b", None),
        (None, "a b", None),  # it may be readable again one day, and know more
        (b"", "a b", b"a b\n"),
        (b"a b\n", "", b""),
        (b"\0\0", "a b", b"a b\n"),
    ],
)
@pytest.mark.parametrize("firmware", list(FirmwareKind))
def test_arguments_are_kept_before_what_gave_them_goes(
    firmware: FirmwareKind, kept: bytes | None, arguments: str, written: bytes | None
) -> None:
    facts = replace(
        restore_facts(SDC), firmware=firmware, loader=LOADER, extra_arguments=arguments, kept_arguments=kept
    )
    plan = plan_restore(facts)
    if written is None:
        assert "/mnt/RECOVERY/boot.args" not in files(plan)
        return
    operation = files(plan)["/mnt/RECOVERY/boot.args"]
    assert (operation.content, operation.mode, operation.required) == (written, 0o600, False)
    [options] = [at for at, each in enumerate(plan) if isinstance(each, RemovePath) and each.path.endswith("fr.data")]
    assert plan.index(operation) < options
