"""Places of disks, under the names that udev gives its links in ``/dev/disk/by-path``.

Numbers that depend on the order of probing (host7, ata5) are replaced by those of the hardware. Source of the names:
systemd's src/udev/udev-builtin-path_id.c.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gprov.adapters.linux.disk.attachment import ReadAttribute

# folder → names in it, empty if it cannot be read
ListFolder = Callable[[str], Sequence[str]]

_PCI = re.compile(r"/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?=/)")
_USB = re.compile(r"/usb\d+/(?:[^/]+/)*?\d+-([\d.]+)/\d+-[\d.]+:(\d+\.\d+)/")
_SCSI = re.compile(r"/host(\d+)/(?:[^/]+/)*?target[^/]+/\d+:(\d+):(\d+):(\d+)/block/")
_SAS = re.compile(r"/host\d+/(?P<above>.*?)(?P<port>port-[\d:]+)/(?P<end>end_device-[\d:]+)/target")
_EXPANDER = re.compile(r"(expander-[\d:]+)/$")


class Sysfs(NamedTuple):
    """Folders are absolute paths in sysfs."""

    read: ReadAttribute
    names: ListFolder

    def text(self, folder: str, attribute: str) -> str:
        return self.read(folder, attribute).decode("ascii", "replace").strip(" \t\n\0")


def slot_of(folder: str, sysfs: Sysfs) -> str:
    """Path of the disk as in udev's ``/dev/disk/by-path``; "" if it is not below PCI, or udev makes no such name."""
    addresses = list(_PCI.finditer(folder))
    if not addresses:
        return ""
    pci, above, rest = f"pci-{addresses[-1][1]}", folder[: addresses[-1].end()], folder[addresses[-1].end() :]
    if hit := _USB.match(rest):
        return f"{pci}-usb-0:{hit[1]}:{hit[2]}{_scsi_unit(folder, sysfs)}"
    if hit := re.match(r"/(ata\d+)/", rest):
        port = sysfs.text(f"{above}/{hit[1]}/ata_port/{hit[1]}", "port_no")
        return f"{pci}-ata-{port}{_ata_device(rest)}" if port else ""
    if hit := re.match(r"/nvme/nvme\d+/nvme\d+n(\d+)$", rest):
        return f"{pci}-nvme-{hit[1]}"
    if re.match(r"/virtio\d+/block/", rest):
        return pci
    unit = _sas_unit(folder, sysfs) or _scsi_unit(folder, sysfs)
    return f"{pci}{unit}" if unit and re.match(r"(/virtio\d+)?/host\d+/", rest) else ""


def _ata_device(rest: str) -> str:
    """Suffix for devices at a port multiplier (channel) or the second on a cable (target); "" for the only one of a
    port."""
    hit = re.search(r"/target[^/]+/\d+:(\d+):(\d+):\d+/", rest)
    number = (int(hit[1]) or int(hit[2])) if hit else 0
    return f".{number}" if number else ""


def _scsi_unit(folder: str, sysfs: Sysfs) -> str:
    """Host (counted among those of the same controller), channel, target and logical unit."""
    hit = _SCSI.search(folder)
    if hit is None:
        return ""
    hosts = [int(name[4:]) for name in sysfs.names(folder[: hit.start()]) if re.fullmatch(r"host\d+", name)]
    return f"-scsi-{int(hit[1]) - min(hosts, default=int(hit[1]))}:{hit[2]}:{hit[3]}:{hit[4]}"


def _sas_unit(folder: str, sysfs: Sysfs) -> str:
    """Phy of the controller or expander to which a SAS disk is connected; its address if that port has several phys.
    "" for other disks."""
    hit, unit = _SAS.search(folder), _SCSI.search(folder)
    if hit is None or unit is None or int(unit[4]) > 255:
        return ""
    lun = f"lun-{unit[4]}"
    port, end = folder[: hit.end("port")], folder[: hit.end("end")]
    device = f"{end}/sas_device/{hit['end']}"
    if sysfs.text(f"{port}/sas_port/{hit['port']}", "num_phys") != "1":
        address = sysfs.text(device, "sas_address")
        return f"-sas-{address}-{lun}" if address else ""
    phy = sysfs.text(device, "phy_identifier")
    if not phy:
        return ""
    above = _EXPANDER.search(hit["above"])
    if above is None:
        return f"-sas-phy{phy}-{lun}"
    expander = sysfs.text(f"{posixpath.dirname(port)}/sas_device/{above[1]}", "sas_address")
    return f"-sas-exp{expander}-phy{phy}-{lun}"
