"""Disks and partitions from ``/sys/class/block`` (Linux ``Documentation/ABI/stable/sysfs-block``).

The disk of a partition is determined from sysfs (``partition`` attribute, parent folder), not from names: nvme0n1p1,
mmcblk0p1 and sda10 follow different patterns.
"""

from __future__ import annotations

import os
import posixpath
from typing import NamedTuple

from gprov.adapters.linux.disk.attachment import bus_of, identity_of, is_removable
from gprov.adapters.linux.disk.slots import Sysfs, slot_of
from gprov.adapters.linux.system.os_errors import fault_from_oserror
from gprov.domain.disk.model import Disk, Partition
from gprov.domain.formats.disk.device_number import DeviceNumber

# sysfs has sizes and offsets in units of 512 bytes for any sector size.
_UNIT = 512
_LOOP = 7
# ram, floppy, loop, md, SCSI CD-ROM, nbd (Linux Documentation/admin-guide/devices.txt): none that can be a target.
_SKIPPED_MAJORS = frozenset({1, 2, _LOOP, 9, 11, 43})
_VIRTUAL = "/devices/virtual/block/"
# Peripheral device type of direct access devices (SPC-4)
_TYPE_DISK = "0"


class _Tree:
    """sysfs below one root. ``links``: name of each block device → its folder, as an absolute path in sysfs."""

    def __init__(self, sysfs: str) -> None:
        self.sysfs = sysfs
        block = f"{sysfs}/class/block"
        try:
            names = os.listdir(block)
        except OSError as exc:
            raise fault_from_oserror(block, "cannot list block devices", exc) from exc
        self.links: dict[str, str] = {}
        for name in names:
            try:
                target = os.readlink(f"{block}/{name}")
            except OSError:  # removed since it was listed
                continue
            self.links[name] = posixpath.normpath(f"/class/block/{target}")

    def text(self, folder: str, attribute: str) -> str:
        """An attribute without surrounding blanks and zeros; "" if it is missing or unreadable."""
        return self.raw(folder, attribute).decode(errors="replace").strip(" \t\n\0")

    def raw(self, folder: str, attribute: str) -> bytes:
        try:
            fd = os.open(f"{self.sysfs}{folder}/{attribute}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.read(fd, 4096)
        except OSError:  # the device does not answer, or was removed
            return b""
        finally:
            os.close(fd)

    def number(self, folder: str, attribute: str) -> int:
        text = self.text(folder, attribute)
        return int(text) if text.isascii() and text.isdigit() else 0

    def device(self, folder: str) -> DeviceNumber | None:
        major, _, minor = self.text(folder, "dev").partition(":")
        return DeviceNumber(int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None

    def holders(self, folder: str) -> tuple[DeviceNumber, ...]:
        """Arrays and mappings built on a device, also indirectly."""
        found: dict[DeviceNumber, None] = {}
        for name in sorted(self.names(f"{folder}/holders")):
            inner = self.links.get(name)
            device = self.device(inner) if inner else None
            if inner and device is not None:
                found[device] = None
                found.update(dict.fromkeys(self.holders(inner)))
        return tuple(found)

    def names(self, folder: str) -> list[str]:
        """Names in a folder, empty if it cannot be read."""
        try:
            return os.listdir(f"{self.sysfs}{folder}")
        except OSError:
            return []


def scan_disks(sysfs: str, dev: str, *, include_loop: bool = False) -> tuple[Disk, ...]:
    """Whole disks with a medium, by name, each with its partitions by number. Raises DeviceFault without sysfs."""
    tree = _Tree(sysfs)
    parts: dict[str, list[Partition]] = {}
    wholes: list[tuple[str, str]] = []
    folders = frozenset(tree.links.values())
    for name, folder in sorted(tree.links.items()):
        number = tree.number(folder, "partition")
        parent = posixpath.dirname(folder)
        if number:
            partition = _partition(tree, dev, name, folder, number)
            if partition is not None:
                parts.setdefault(parent, []).append(partition)
        elif parent not in folders:  # otherwise a hardware area of another disk, like the boot areas of an eMMC
            wholes.append((name, folder))
    disks = (_disk(tree, dev, name, folder, parts.get(folder, []), include_loop) for name, folder in wholes)
    return tuple(disk for disk in disks if disk is not None)


class DiskWithoutSize(NamedTuple):
    """``folder``: in sysfs, without its root. ``names``: vendor, model and serial number, as far as they are known."""

    node: str
    folder: str
    names: str


def scan_disks_without_size(sysfs: str, dev: str) -> tuple[DiskWithoutSize, ...]:
    """Built-in SCSI disks of which the kernel has no capacity, by name. Raises DeviceFault without sysfs."""
    tree = _Tree(sysfs)
    found = []
    for name, folder in sorted(tree.links.items()):
        if folder.startswith(_VIRTUAL) or tree.number(folder, "size") or tree.text(folder, "removable") == "1":
            continue
        # An optical drive has another type; a disk that is no SCSI disk has none.
        if tree.text(folder, "device/type") != _TYPE_DISK or tree.number(folder, "partition"):
            continue
        identity = identity_of(tree.raw, folder)
        names = " ".join(part for part in (identity.vendor, identity.model, identity.serial) if part)
        found.append(DiskWithoutSize(_node(dev, name), folder, names or "unnamed"))
    return tuple(found)


def _partition(tree: _Tree, dev: str, name: str, folder: str, number: int) -> Partition | None:
    device = tree.device(folder)
    if device is None:
        return None
    event = dict(line.partition("=")[::2] for line in tree.text(folder, "uevent").splitlines())
    return Partition(
        name=name,
        node=_node(dev, name),
        device=device,
        number=number,
        start=tree.number(folder, "start") * _UNIT,
        size=tree.number(folder, "size") * _UNIT,
        label=event.get("PARTNAME", ""),
        uuid=event.get("PARTUUID", "").lower(),
        holders=tree.holders(folder),
    )


def _disk(
    tree: _Tree, dev: str, name: str, folder: str, partitions: list[Partition], include_loop: bool
) -> Disk | None:
    """None for virtual or hidden disks (a path of a multipath NVMe disk), disks without medium, and removed disks."""
    device = tree.device(folder)
    size = tree.number(folder, "size") * _UNIT
    if device is None or not size or tree.text(folder, "hidden") == "1":
        return None
    loop = include_loop and device.major == _LOOP
    if not loop and (device.major in _SKIPPED_MAJORS or folder.startswith(_VIRTUAL)):
        return None
    identity = identity_of(tree.raw, folder)
    return Disk(
        name=name,
        node=_node(dev, name),
        device=device,
        size=size,
        sector_size=tree.number(folder, "queue/logical_block_size") or _UNIT,
        bus=bus_of(folder),
        vendor=identity.vendor,
        model=identity.model,
        serial=identity.serial,
        wwn=identity.wwn,
        path=folder,
        slot=slot_of(folder, Sysfs(tree.raw, tree.names)),
        removable=is_removable(tree.raw, folder),
        read_only=tree.text(folder, "ro") == "1",
        partitions=tuple(sorted(partitions, key=lambda part: part.number)),
        holders=tree.holders(folder),
        sequence=tree.number(folder, "diskseq"),
        namespace=tree.number(folder, "nsid"),
    )


def _node(dev: str, name: str) -> str:
    """The kernel replaces the slash in a device node's name with ``!`` (cciss!c0d0)."""
    return f"{dev}/{name.replace('!', '/')}"
