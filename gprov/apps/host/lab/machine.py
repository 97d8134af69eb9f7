"""What a virtual machine is made of, as a value. Sizes are bytes, paths are those of the host."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB

TIB = 1 << 40

# Name of the virtio port on which the operating system of a lab unit reports (see docs/lab.md).
REPORT_PORT = "gprov.lab"

# Models of network interfaces, as QEMU calls them.
E1000E = "e1000e"
VIRTIO = "virtio-net-pci"


class DiskBus(Enum):
    """How a virtual disk is attached. Only SCSI and USB disks can be plugged while the machine runs."""

    AHCI = "ahci"
    NVME = "nvme"
    VIRTIO = "virtio"
    SCSI = "scsi"
    USB = "usb"

    @property
    def pluggable(self) -> bool:
        return self in (DiskBus.SCSI, DiskBus.USB)


class Durability(Enum):
    """What of the guest's flushes reaches the host's disk. FAST ignores them: the file is right once QEMU has ended
    in an orderly way, and worthless if it was killed. HONEST obeys them, for scenarios that cut the power."""

    IGNORE_FLUSH = "fast"
    HONOUR_FLUSH = "honest"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualDisk:
    """``name`` identifies it inside QEMU; ``file`` is a qcow2 image. ``hotplugged``: the machine starts without it.
    ``bios_bootable``: BIOS, which knows an order of disks and starts from the first, tries it before others.
    ``write_log``: a file in which QEMU records all that is written to the disk (``writelog``)."""

    name: str
    file: str
    bus: DiskBus
    serial: str = ""
    durability: Durability = Durability.IGNORE_FLUSH
    hotplugged: bool = False
    bios_bootable: bool = False
    write_log: str = ""


@dataclass(frozen=True, slots=True)
class VirtualNic:
    """On a user-mode network of its own: the host is 10.0.2.2, nothing reaches the guest from outside. Or, with
    ``tap``, on a device of that name in the machine's namespace; then the firmware can start from it, by the option ROM
    in the file ``rom``."""

    mac: str
    model: str = E1000E
    tap: str = ""
    rom: str = ""


@dataclass(frozen=True, slots=True)
class Smbios:
    """What types 1 and 2 of the SMBIOS table say."""

    manufacturer: str
    product: str
    serial: str
    sku: str = ""


@dataclass(frozen=True, slots=True)
class DirectKernel:
    """A kernel that the firmware loads from the host instead of booting a disk, as netboot would."""

    file: str
    arguments: tuple[str, ...]
    initramfs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One virtual machine. ``variables``: the firmware's variable store, a file that belongs to this machine alone
    ("" on BIOS). ``reports``: has the port on which the operating system reports and which tells it to power off.
    ``namespace``: network namespace of the host in which it runs, "" for the host's own. ``extra``: further QEMU
    arguments, as they are."""

    firmware: FirmwareKind
    variables: str
    smbios: Smbios
    disks: tuple[VirtualDisk, ...] = ()
    nics: tuple[VirtualNic, ...] = ()
    memory: int = 2 * GIB
    cpus: int = 2
    kernel: DirectKernel | None = None
    reports: bool = True
    namespace: str = ""
    extra: tuple[str, ...] = field(default=())

    def booting(self, kernel: DirectKernel) -> Machine:
        """The same machine, started with a kernel from the host."""
        return replace(self, kernel=kernel)
