"""Simulated units as gprovision left them, with gprov's kernel and image copied to RECOVERY."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.grub4dos import GRUB4DOS_CODE
from gprov.adapters.fake.machine.storage import FakeDisk, FakeVolume, Node
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.disk.plan_layout import primary_table, recovery_table
from gprov.domain.files import FileType
from gprov.domain.formats.efi.boot_variables import (
    BOOT_ORDER,
    NV_BS_RT,
    boot_entries,
    entry_name,
    serialise_numbers,
)
from gprov.domain.formats.efi.device_nodes import FilePath, gpt_partition
from gprov.domain.formats.efi.load_option import LoadOption, serialise_load_option
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.plan.system_files import MOUNT_POINTS
from tests.gprovision.menus import fallback_menu, first_menu, primary_menu
from tests.gprovision.volumes import ADMIN, LOGS, PLAIN_TEXT, PRIMARY_UUID
from tests.gprovision.volumes import HISTORY as EARLIER_HISTORY
from tests.unit.flow import units
from tests.unit.flow.driver import HISTORY, UnitDriver

_SECTOR = GRUB4DOS_CODE.ljust(510, b"\0") + b"\x55\xaa"
_LINK = b"ESP/norm_boot"
FIRST_MENU = first_menu()
FALLBACK_MENU = fallback_menu()
PRIMARY_MENU = primary_menu(PRIMARY_UUID)

# A system of gprovision that may start.
_SYSTEM = {
    "/boot.normal": b"",
    "/WIDGET.LNX.SHINY.2019-05-01.3.disktag": b"",
    "/usr/lib/systemd/systemd": b"\x7fELF",
    **{f"/{name}/.keep": b"" for name in MOUNT_POINTS},
    "/srv/data": b"years of work",
}


def with_grub4dos(unit: UnitDriver) -> None:
    """Give a BIOS unit the loader of gprovision on RECOVERY, which its BIOS starts first."""
    unit.machine.disks[-1].areas[0] = _SECTOR
    unit.machine.bios_order = ("recovery",)
    unit.volume("RECOVERY").kind = FileSystemKind.EXT3
    _put(unit, "RECOVERY", {"/grldr": b"grub4dos", "/menu.lst": FIRST_MENU, "/GPROVFBK.boot": FALLBACK_MENU})


def bios_unit(order: tuple[str, ...]) -> UnitDriver:
    """``order``: serial numbers of the disks that the BIOS tries first. The system on PRIMARY may start."""
    unit = _bios_unit().copy()
    unit.machine.bios_order = order
    return unit


@cache
def _bios_unit() -> UnitDriver:
    unit = units.blank(firmware=FirmwareKind.BIOS)
    primary, recovery = unit.machine.disks
    _partition(unit, recovery, recovery_table(FirmwareKind.BIOS, recovery.size))
    _partition(unit, primary, primary_table(FirmwareKind.BIOS, primary.size, raid=False))
    for disk in (primary, recovery):
        disk.areas[0] = _SECTOR
    kernel = build_kernel(100)
    _fill(unit, recovery, 0, FileSystemKind.EXT3, "RECOVERY")
    _fill(unit, primary, 0, FileSystemKind.EXT3, "boot0")
    _fill(unit, primary, 1, FileSystemKind.EXT4, "PRIMARY", PRIMARY_UUID)
    loader = {"/grldr": b"grub4dos", "/menu.lst": FIRST_MENU, "/norm_boot": kernel}
    _put(unit, "RECOVERY", {**loader, "/GPROVFBK.boot": FALLBACK_MENU, **_on_recovery(kernel)})
    _put(unit, "boot0", {**loader, "/GPROVHDD.boot": PRIMARY_MENU})
    _put(unit, "PRIMARY", _SYSTEM)
    return unit


@cache
def _uefi_unit() -> UnitDriver:
    unit = units.blank()
    primary, recovery = unit.machine.disks
    _partition(unit, recovery, recovery_table(FirmwareKind.UEFI, recovery.size))
    _partition(unit, primary, primary_table(FirmwareKind.UEFI, primary.size, raid=False))
    kernel = build_kernel(100)
    _fill(unit, recovery, 0, FileSystemKind.VFAT, "ESP", "1234-ABCD")
    _fill(unit, recovery, 1, FileSystemKind.EXT3, "RECOVERY")
    _fill(unit, primary, 0, FileSystemKind.EXT4, "PRIMARY", PRIMARY_UUID)
    _put(unit, "ESP", {"/norm_boot": kernel})
    # The name is that of a kernel on BIOS units.
    for path, node in (
        ("/ESP", Node(type=FileType.FOLDER)),
        ("/norm_boot", Node(type=FileType.SYMLINK, content=_LINK)),
    ):
        unit.put("RECOVERY", path, node)
    _put(unit, "RECOVERY", _on_recovery(kernel))
    _put(unit, "PRIMARY", _SYSTEM)
    esp = recovery.partitions[0]
    location = gpt_partition(1, esp.start // 512, esp.size // 512, esp.uuid)
    # In this order gprovision made them. Only the last one is in BootOrder; efibootmgr stored no NUL.
    arguments = ("DATA_ERASE=1", "quiet", "quiet real_root=LABEL=PRIMARY ")
    names = Branding()
    for number, (name, text) in enumerate(
        zip((names.erase_entry, names.restore_entry, names.normal_entry), arguments, strict=True)
    ):
        option = LoadOption(name, (location, FilePath("\\norm_boot")), text.encode("utf-16-le"))
        unit.machine.nvram[VariableName(entry_name(number))] = Variable(NV_BS_RT, serialise_load_option(option))
    unit.machine.nvram[VariableName(BOOT_ORDER)] = Variable(NV_BS_RT, serialise_numbers([2]))
    return unit


def uefi_unit() -> UnitDriver:
    """The system on PRIMARY may start."""
    return _uefi_unit().copy()


def entries(unit: UnitDriver) -> dict[int, bytes]:
    """Boot entries in NVRAM by number."""
    variables = {name.name: variable for name, variable in unit.machine.nvram.items()}
    return {number: variable.data for number, variable in boot_entries(variables).items()}


def _on_recovery(kernel: bytes) -> dict[str, bytes]:
    return {
        f"/Image/{IMAGE_NAME}": build_image(kernel),
        "/insecure.storage": PLAIN_TEXT,
        HISTORY: EARLIER_HISTORY,
        **LOGS,
        "/platform.ident": b"QEMU-mfg-test",
    }


def _partition(unit: UnitDriver, disk: FakeDisk, table: PartitionTable) -> None:
    disk.table = table
    disk.partitions = [
        unit.machine.new_partition(part.number, part.start, part.size, part.label) for part in table.partitions
    ]


def _fill(unit: UnitDriver, disk: FakeDisk, index: int, kind: FileSystemKind, label: str, uuid: str = "") -> None:
    part = disk.partitions[index]
    part.volume = FakeVolume(kind=kind, label=label, uuid=uuid or unit.machine.new_uuid(), size=part.size)


def _put(unit: UnitDriver, label: str, files: dict[str, bytes]) -> None:
    """A restore of gprovision makes all of RECOVERY admin's, and readable by every user."""
    owner = ADMIN if label == "RECOVERY" else 0
    for path, content in files.items():
        unit.put(label, path, Node(type=FileType.FILE, content=content, mode=0o644, uid=owner, gid=owner))
    if owner:
        tree = unit.machine.volume_tree(label)
        for path in ("/", *tree.below("/")):
            unit.put(label, path, replace(unit.node(label, path), uid=owner, gid=owner))
