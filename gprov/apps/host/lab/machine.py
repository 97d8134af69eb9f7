"""Values that describe a virtual machine. Sizes are bytes, paths are those of the host."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import GIB
from gprov.domain.formats.lcd.models import Model

TIB = 1 << 40

# Name of the virtio port on which the operating system of a lab unit reports (see docs/how-to/lab.md).
REPORT_PORT = "gprov.lab"

# Argument for every Linux kernel on an emulated machine. Early in its start Linux waits some ten milliseconds for
# interrupts of the timer, and panics without them ("IO-APIC + timer doesn't work!"): on a busy host, QEMU delivers them
# later. Under KVM, Linux omits this check by itself. Source: Linux 6.1, arch/x86/kernel/apic/io_apic.c (check_timer).
NO_TIMER_CHECK = "no_timer_check"

# QEMU's names of network interface models.
E1000E = "e1000e"
VIRTIO = "virtio-net-pci"


class DiskBus(Enum):
    """How a virtual disk is attached: the controller, or the interface of a disk that is its own controller (NVMe,
    virtio-blk). ``controllers`` has what is known of each. Only disks on SCSI (virtio-scsi) and USB sticks can be
    plugged while the machine runs."""

    AHCI = "ahci"
    NVME = "nvme"
    VIRTIO = "virtio"
    SCSI = "virtio-scsi"
    MEGASAS = "megasas"
    MEGASAS_GEN2 = "megasas-gen2"
    MPTSAS = "mptsas1068"
    PVSCSI = "pvscsi"
    LSI_895A = "lsi53c895a"
    LSI_810 = "lsi53c810"
    ESP = "am53c974"
    SDHCI = "sdhci"
    USB = "usb"
    UAS = "uas"

    @property
    def pluggable(self) -> bool:
        return self in (DiskBus.SCSI, DiskBus.USB)


class Durability(Enum):
    """Treatment of the guest's flushes. IGNORE_FLUSH is faster: the file is complete after QEMU has ended in an orderly
    way, and undefined if QEMU was killed. HONOUR_FLUSH is for tests that cut the power. The values are fixed names."""

    IGNORE_FLUSH = "fast"
    HONOUR_FLUSH = "honest"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualDisk:
    """``name`` identifies it inside QEMU; ``file`` is a qcow2 image. ``hotplugged``: the machine starts without it.
    ``bios_bootable``: BIOS tries it before other disks. ``write_log``: file in which QEMU records all writes to the
    disk (``writelog``)."""

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
    """By default on a separate user-mode network: the host is 10.0.2.2, no connections to the guest. With ``tap``, on
    the device of that name in the machine's namespace; then the firmware can boot from it with the option ROM in the
    file ``rom``."""

    mac: str
    model: str = E1000E
    tap: str = ""
    rom: str = ""


@dataclass(frozen=True, slots=True)
class Smbios:
    """Fields of types 1 and 2 of the SMBIOS table."""

    manufacturer: str
    product: str
    serial: str
    sku: str = ""


@dataclass(frozen=True, slots=True)
class DirectKernel:
    """A kernel that the firmware loads from the host instead of booting from a disk."""

    file: str
    arguments: tuple[str, ...]
    initramfs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One virtual machine. ``variables``: the firmware's variable store, a file used by this machine only ("" on BIOS).
    ``reports``: has the port on which the operating system reports; with it the system powers off after its report.
    ``namespace``: network namespace in which QEMU runs, "" for that of the host. ``lcd``: model of the display on a
    USB serial adapter. ``bmc``: folder of the simulated management controller, "" without one. ``tpm``: folder with
    the memory of its TPM, "" without one. ``secure_boot``: the firmware is one that enforces Secure Boot as soon as
    ``variables`` has keys. ``instruction_clock``: the guest's time is that of its instructions, 2 **
    ``instruction_clock`` ns each, so that measurements do not depend on the host's load; emulated, also where the
    host has KVM. None: the host's time. ``extra``: further QEMU arguments."""

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
    lcd: Model | None = None
    bmc: str = ""
    tpm: str = ""
    secure_boot: bool = False
    instruction_clock: int | None = None
    extra: tuple[str, ...] = field(default=())

    def booting(self, kernel: DirectKernel) -> Machine:
        """Return the same machine, started with a kernel from the host."""
        return replace(self, kernel=kernel)
