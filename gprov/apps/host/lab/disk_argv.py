"""QEMU's options for a disk, as JSON objects: its block node and its device. Pure.

Source: QEMU 7.2, qapi/block-core.json.
"""

from __future__ import annotations

from collections.abc import Mapping

from gprov.apps.host.lab.machine import DiskBus, Durability, VirtualDisk

Options = Mapping[str, object]


def block_node(disk: VirtualDisk) -> Options:
    """Return the block node (host side) of a disk."""
    cache = {"no-flush": disk.durability is Durability.IGNORE_FLUSH}
    image = {
        "driver": "qcow2",
        "discard": "unmap",
        "detect-zeroes": "unmap",  # keeps the file sparse when a guest clears a disk
        "cache": cache,
        "file": {"driver": "file", "filename": disk.file, "cache": cache},
    }
    if not disk.write_log:
        return {"node-name": disk.name, **image}
    log = {"driver": "file", "filename": disk.write_log, "discard": "unmap", "detect-zeroes": "unmap"}
    return {"node-name": disk.name, "driver": "blklogwrites", "discard": "unmap", "file": image, "log": log}


def disk_device(disk: VirtualDisk, port: int = 0, boot_index: int | None = None) -> Options:
    """Return the device (guest side) of a disk. ``port``: of the AHCI controller. ``boot_index``: position in the
    firmware's boot order."""
    common: dict[str, object] = {"id": f"{disk.name}-device", "drive": disk.name}
    if boot_index is not None:
        common["bootindex"] = boot_index
    if disk.serial:
        common["serial"] = disk.serial
    match disk.bus:
        case DiskBus.AHCI:
            return {"driver": "ide-hd", "bus": f"ide.{port}", **common}
        case DiskBus.NVME:
            return {"driver": "nvme", **common, "serial": disk.serial or disk.name}
        case DiskBus.VIRTIO:
            return {"driver": "virtio-blk-pci", **common}
        case DiskBus.SCSI:
            return {"driver": "scsi-hd", "bus": "scsi0.0", **common}
        case DiskBus.USB:
            return {"driver": "usb-storage", "bus": "usb0.0", "removable": True, **common}
