"""Attachment and identity of a disk, from its sysfs folder.

Each transport stores vendor, model and serial in another place: SCSI and ATA in the SCSI device and its VPD page, USB
bridges in the parent USB device, NVMe in the controller, virtio in the disk's folder, MMC in the card.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import NamedTuple

from gprov.domain.disk.model import Bus

# (folder, attribute) → content, b"" if there is none
ReadAttribute = Callable[[str, str], bytes]

_BUSES = (
    (Bus.USB, re.compile(r"/usb\d+/")),
    (Bus.ATA, re.compile(r"/ata\d+/")),
    (Bus.NVME, re.compile(r"/nvme\d+/|/nvme-subsystem/")),
    (Bus.MMC, re.compile(r"/mmc_host/")),
    # Before virtio: virtio-scsi disks are SCSI disks. SAS, Fibre Channel, iSCSI have ports between host and target.
    (Bus.SCSI, re.compile(r"/host\d+/(?:[^/]+/)*?target\d+")),
    (Bus.VIRTIO, re.compile(r"/virtio\d+/")),
)
# World-wide names. Others ("t10.ATA …") consist of model and serial, which are read separately.
_WWN = re.compile(r"(?:naa|eui|uuid|nvme)\.\S+")
_VPD_HEADER = 4


class Identity(NamedTuple):
    vendor: str = ""
    model: str = ""
    serial: str = ""
    wwn: str = ""


def bus_of(folder: str) -> Bus:
    return next((bus for bus, pattern in _BUSES if pattern.search(folder)), Bus.UNKNOWN)


def is_removable(read: ReadAttribute, folder: str) -> bool:
    """Whether the medium can be taken out without opening the machine. The kernel never says so of MMC devices (Linux
    drivers/mmc/core/block.c): an eMMC is soldered, and cards of any other type are in a slot."""
    if bus_of(folder) is Bus.MMC:
        return _text(read(folder, "device/type")) != "MMC"
    return _text(read(folder, "removable")) == "1"


def identity_of(read: ReadAttribute, folder: str) -> Identity:
    """Identity of the disk; "" for missing values."""
    bus = bus_of(folder)
    wwn = _text(read(folder, "wwid")) or _text(read(folder, "device/wwid"))
    if not _WWN.fullmatch(wwn) or not _assigned(wwn):
        wwn = ""
    model = _text(read(folder, "device/model"))
    if bus is Bus.VIRTIO:  # its device/vendor is the number of the virtio transport
        return Identity("", model, _text(read(folder, "serial")), wwn)
    if bus is Bus.MMC:
        return Identity("", _text(read(folder, "device/name")), _text(read(folder, "device/serial")), wwn)
    serial = _text(read(folder, "device/serial")) or _vpd_serial(read(folder, "device/vpd_pg80"))
    if bus is Bus.USB:
        serial = _usb_serial(read, folder) or serial
    return Identity(_text(read(folder, "device/vendor")), model, serial, wwn)


def _assigned(wwn: str) -> bool:
    """Whether the maker assigned the name: all zeros or all ones (after the digit for the type of name) are
    placeholders."""
    kind, _, digits = wwn.lower().partition(".")
    plain = "".join(digit for digit in digits if digit.isalnum())
    return len(set(plain[1:] if kind == "naa" else plain)) > 1


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \t\n\0")


def _vpd_serial(page: bytes) -> str:
    """SPC-4, 7.8.15: unit serial number page, length in its last two header bytes."""
    if len(page) < _VPD_HEADER or page[1] != 0x80:
        return ""
    return _text(page[_VPD_HEADER:][: int.from_bytes(page[2:4])])


def _usb_serial(read: ReadAttribute, folder: str) -> str:
    """Serial number of the USB device to which the disk's interface belongs. (A hub above it has its own.)"""
    above = posixpath.dirname(folder)
    while above not in ("/", ""):
        if read(above, "idVendor"):
            return _text(read(above, "serial"))
        above = posixpath.dirname(above)
    return ""
