"""Disk controllers of lab units: QEMU's device, and which firmware can start a unit from their disks. Pure.

Which firmware has a driver: for OVMF, the modules in its firmware volume; for SeaBIOS 1.16, its directory ``src/hw``.
``tests/integ/boot/test_firmware_drivers.py`` compares with the installed files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gprov.apps.host.lab.machine import DiskBus
from gprov.domain.boot.firmware import FirmwareKind

_BOTH = frozenset(FirmwareKind)
_BIOS = frozenset({FirmwareKind.BIOS})
_NONE: frozenset[FirmwareKind] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """``adapter``: QEMU's device of a SCSI host adapter, whose disks are ``scsi-hd``; "" for other controllers.
    ``starts``: firmware that can start a system from its disks. ``removable``: Linux cannot tell whether such a disk
    stays in the machine, so gprov makes RECOVERY on it and never PRIMARY. ``each``: every disk has an adapter of its
    own. (OVMF connects only the disk of the first boot entry that names one behind a virtio-scsi adapter, and then does
    not find the others behind it.)"""

    description: str
    adapter: str = ""
    starts: frozenset[FirmwareKind] = _BOTH
    removable: bool = False
    each: bool = False


CONTROLLERS: Mapping[DiskBus, Controller] = {
    DiskBus.AHCI: Controller(description="SATA, the board's AHCI controller"),
    DiskBus.NVME: Controller(description="NVMe"),
    DiskBus.VIRTIO: Controller(description="virtio-blk"),
    DiskBus.SCSI: Controller(description="virtio-scsi", adapter="virtio-scsi-pci", each=True),
    DiskBus.MEGASAS: Controller(description="LSI MegaRAID SAS 1078", adapter="megasas", starts=_BIOS),
    DiskBus.MEGASAS_GEN2: Controller(description="LSI MegaRAID SAS 2108", adapter="megasas-gen2", starts=_BIOS),
    DiskBus.MPTSAS: Controller(description="LSI SAS 1068", adapter="mptsas1068", starts=_BIOS),
    DiskBus.PVSCSI: Controller(description="VMware PVSCSI", adapter="pvscsi", starts=_BIOS),
    DiskBus.LSI_895A: Controller(description="LSI 53C895A", adapter="lsi53c895a", starts=_BIOS),
    DiskBus.LSI_810: Controller(description="LSI 53C810", adapter="lsi53c810", starts=_NONE),
    DiskBus.ESP: Controller(description="AMD Am53C974", adapter="am53c974", starts=_BIOS),
    DiskBus.SDHCI: Controller(description="SD card", starts=_BIOS, removable=True),
    DiskBus.USB: Controller(description="USB stick", removable=True),
    DiskBus.UAS: Controller(description="USB 2 disk with UAS", starts=_BIOS, removable=True),
}
