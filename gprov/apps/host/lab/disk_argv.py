"""QEMU's options for a disk, as JSON objects: its block node and its device. Pure.

Source: QEMU 7.2, qapi/block-core.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zlib import crc32

from gprov.apps.host.lab.controllers import CONTROLLERS
from gprov.apps.host.lab.machine import DiskBus, Durability, VirtualDisk

Options = Mapping[str, object]
# For sticks and serial adapters.
USB_BUS = "usb0.0"
_NAA_5 = 0x5000_0000_0000_0000


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


def adapter_devices(disks: Sequence[VirtualDisk]) -> Iterator[Options]:
    """Return the controllers of these disks, except the board's own and those that are disks at the same time."""
    adapters = {_adapter(disk): CONTROLLERS[disk.bus].adapter for disk in disks if CONTROLLERS[disk.bus].adapter}
    for name, driver in adapters.items():
        yield {"driver": driver, "id": name}
    for disk in disks:
        if disk.bus is DiskBus.SDHCI:  # has one slot
            yield {"driver": "sdhci-pci", "id": f"{disk.name}-slot"}
        if disk.bus is DiskBus.UAS:  # at USB 2: SeaBIOS refuses UAS at USB 3
            serial = {"serial": disk.serial} if disk.serial else {}
            yield {"driver": "usb-ehci", "id": f"{disk.name}-usb"}
            yield {"driver": "usb-uas", "id": f"{disk.name}-bridge", "bus": f"{disk.name}-usb.0", **serial}


def disk_device(disk: VirtualDisk, port: int = 0, boot_index: int | None = None) -> Options:
    """Return the device (guest side) of a disk. ``port``: of the AHCI controller. ``boot_index``: position in the
    firmware's boot order."""
    common: dict[str, object] = {"id": f"{disk.name}-device", "drive": disk.name}
    if disk.bus is DiskBus.SDHCI:  # QEMU 7.2 has no boot index and no serial number for a card
        return {"driver": "sd-card", "bus": f"pcie.0/{disk.name}-slot/sd-bus", **common}
    if boot_index is not None:
        common["bootindex"] = boot_index
    if disk.serial:
        common["serial"] = disk.serial
    if CONTROLLERS[disk.bus].adapter:
        # Linux finds a disk of a SAS controller by its address, which QEMU takes from the WWN.
        name = {"wwn": _NAA_5 | crc32(disk.name.encode())} if disk.bus is DiskBus.MPTSAS else {}
        return {"driver": "scsi-hd", "bus": f"{_adapter(disk)}.0", **common, **name}
    match disk.bus:
        case DiskBus.NVME:
            return {"driver": "nvme", **common, "serial": disk.serial or disk.name}
        case DiskBus.VIRTIO:
            return {"driver": "virtio-blk-pci", **common}
        case DiskBus.USB:
            return {"driver": "usb-storage", "bus": USB_BUS, "removable": True, **common}
        case DiskBus.UAS:
            return {"driver": "scsi-hd", "bus": f"{disk.name}-bridge.0", **common}
        case _:
            return {"driver": "ide-hd", "bus": f"ide.{port}", **common}


def _adapter(disk: VirtualDisk) -> str:
    return f"{disk.name if CONTROLLERS[disk.bus].each else disk.bus.value}-adapter"
