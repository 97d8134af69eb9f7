"""Builds QEMU's command line from a machine. Pure.

Devices and block nodes are given as JSON, since QEMU's key=value syntax needs escapes and differs between options; the
same JSON objects plug a device into a running machine through QMP. Source: QEMU 7.2, qemu-options and
qapi/block-core.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from gprov.apps.host.lab.disk_argv import USB_BUS, Options, adapter_devices, block_node, disk_device
from gprov.apps.host.lab.machine import NO_TIMER_CHECK, REPORT_PORT, DiskBus, Machine, Smbios, VirtualNic
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.layout import MIB
from gprov.domain.errors import BadInput, Problem

QEMU = "qemu-system-x86_64"
# A fixed name, so that the processor in the hardware specification does not depend on the accelerator.
CPU_NAME = "GPROV virtual CPU"
_AHCI_PORTS = 6  # of the board's built-in controller


class Accelerator(Enum):
    """The values are those of QEMU's ``-accel``."""

    TCG = "tcg,thread=multi"
    KVM = "kvm"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEndpoints:
    """Paths on the host that connect a running machine: Unix sockets, and files that QEMU writes.

    ``serial_log`` receives the output of the serial console, ``report`` that of the report port. ``firmware_code`` is
    OVMF's read-only part. ``bmc_port``: TCP port of the simulated management controller on the loopback device;
    ``tpm``: socket of the simulated TPM.
    """

    accelerator: Accelerator
    qmp: str
    console: str
    lcd: str
    serial_log: str
    report: str
    firmware_code: str
    bmc_port: int = 0
    tpm: str = ""


def qemu_arguments(machine: Machine, endpoints: HostEndpoints) -> tuple[str, ...]:
    """Return the whole command line. Raises BadInput if QEMU cannot run such a machine."""
    _check(machine)
    return (
        *(QEMU, "-name", "gprov-lab", "-nodefaults", "-no-user-config", "-display", "none"),
        *_accelerator(machine, endpoints),
        *_board(machine, endpoints),
        *_smbios(machine.smbios),
        *_console(endpoints),
        *_report(machine, endpoints),
        *_disks(machine),
        *_lcd(machine, endpoints),
        *_nics(machine),
        *_bmc(machine, endpoints),
        *_tpm(machine, endpoints),
        *_kernel(machine),
        # The machine stops when the guest resets it or powers off, so that the reason can be read.
        *("-no-reboot", "-no-shutdown"),
        *machine.extra,
    )


def _accelerator(machine: Machine, endpoints: HostEndpoints) -> Iterator[str]:
    if machine.instruction_clock is None:
        yield from ("-accel", endpoints.accelerator.value)
    else:
        yield from ("-accel", "tcg,thread=single", "-icount", f"shift={machine.instruction_clock}")


def _board(machine: Machine, endpoints: HostEndpoints) -> Iterator[str]:
    # With Secure Boot the store of variables is writable in system management mode only, so that no system can bypass
    # the firmware's checks.
    board = "q35,smm=on" if machine.secure_boot else "q35,smm=off"
    if machine.secure_boot:
        yield from ("-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1")
    if machine.firmware is FirmwareKind.UEFI:
        for name, file, read_only in (("code", endpoints.firmware_code, True), ("variables", machine.variables, False)):
            node = {"driver": "file", "filename": file}
            yield from _json("-blockdev", {"driver": "raw", "node-name": name, "read-only": read_only, "file": node})
        board += ",pflash0=code,pflash1=variables"
    yield from ("-machine", board)
    accelerator = endpoints.accelerator if machine.instruction_clock is None else Accelerator.TCG
    yield from ("-cpu", f"{processor(accelerator)},model-id={CPU_NAME}")
    yield from ("-smp", f"{machine.cpus},sockets=1,cores={machine.cpus},threads=1")
    yield from ("-m", str(machine.memory // MIB))


def processor(accelerator: Accelerator) -> str:
    """Return the model for QEMU's ``-cpu``.

    A model whose features belong together: software derives some from others, and ends with an illegal instruction
    on features that no processor combines (Linux' crc32 uses SSE4.1 wherever PCLMULQDQ is there). With TCG one without
    AVX, which QEMU 7.2 emulates slowly, and of AMD's kind: on Intel's of that age Linux isolates page tables, and each
    system call costs a flush of the emulated TLB."""
    match accelerator:
        case Accelerator.TCG:
            return "max,avx=off,avx2=off"
        case Accelerator.KVM:
            return "max"


def _smbios(smbios: Smbios) -> Iterator[str]:
    facts = {"manufacturer": smbios.manufacturer, "product": smbios.product, "serial": smbios.serial}
    system = facts | ({"sku": smbios.sku} if smbios.sku else {})
    for number, values in ((1, system), (2, facts)):
        yield "-smbios"
        yield ",".join([f"type={number}", *(f"{key}={_escaped(value)}" for key, value in values.items())])


def _console(endpoints: HostEndpoints) -> Iterator[str]:
    yield from ("-chardev", _server_socket("qmp", endpoints.qmp))
    yield from ("-mon", "chardev=qmp,mode=control")
    yield from ("-chardev", f"{_server_socket('console', endpoints.console)},logfile={_escaped(endpoints.serial_log)}")
    yield from ("-serial", "chardev:console")


def _report(machine: Machine, endpoints: HostEndpoints) -> Iterator[str]:
    if machine.reports:
        yield from ("-chardev", f"file,id=report,path={_escaped(endpoints.report)}")
        yield from _json("-device", {"driver": "virtio-serial-pci", "id": "ports"})
        port = {"driver": "virtserialport", "chardev": "report", "name": REPORT_PORT}
        yield from _json("-device", port)


def _disks(machine: Machine) -> Iterator[str]:
    if machine.lcd is not None or any(disk.bus is DiskBus.USB for disk in machine.disks):
        yield from _json("-device", {"driver": "qemu-xhci", "id": "usb0"})
    for adapter in adapter_devices(machine.disks):
        yield from _json("-device", adapter)
    order = _boot_order(machine)
    port = 0
    for disk in machine.disks:
        yield from _json("-blockdev", block_node(disk))
        if not disk.hotplugged:
            yield from _json("-device", disk_device(disk, port, order.get(disk.name)))
        port += disk.bus is DiskBus.AHCI


def _lcd(machine: Machine, endpoints: HostEndpoints) -> Iterator[str]:
    """A serial adapter (FTDI's ids, manufacturer "QEMU"), which is plugged as long as a program is connected to the
    socket. The socket has the bytes of the line without any framing."""
    if machine.lcd is not None:
        yield from ("-chardev", _server_socket("lcd", endpoints.lcd))
        yield from _json("-device", {"driver": "usb-serial", "id": "lcd-device", "bus": USB_BUS, "chardev": "lcd"})


def _bmc(machine: Machine, endpoints: HostEndpoints) -> Iterator[str]:
    """A KCS interface to a controller outside of QEMU, in OpenIPMI's VM protocol."""
    if machine.bmc:
        address = f"host=127.0.0.1,port={endpoints.bmc_port},reconnect=1"
        yield from ("-chardev", f"socket,id=bmc,{address}")
        yield from _json("-device", {"driver": "ipmi-bmc-extern", "id": "bmc-device", "chardev": "bmc"})
        yield from _json("-device", {"driver": "isa-ipmi-kcs", "bmc": "bmc-device"})


def _tpm(machine: Machine, endpoints: HostEndpoints) -> Iterator[str]:
    if machine.tpm:
        yield from ("-chardev", f"socket,id=tpm,path={_escaped(endpoints.tpm)}")
        yield from ("-tpmdev", "emulator,id=tpm0,chardev=tpm")
        yield from _json("-device", {"driver": "tpm-tis", "tpmdev": "tpm0"})


def _boot_order(machine: Machine) -> Mapping[str, int]:
    """Return the boot index by name of the disk. Empty on UEFI, which keeps its boot order in variables, and if the
    first is an SD card, for which QEMU has none: any disk with an index would be before it."""
    if machine.firmware is FirmwareKind.UEFI:
        return {}
    if any(disk.bios_bootable and disk.bus is DiskBus.SDHCI for disk in machine.disks):
        return {}
    first = [disk.name for disk in machine.disks if disk.bios_bootable]
    rest = [disk.name for disk in machine.disks if not disk.bios_bootable and not disk.hotplugged]
    # QEMU uses index 0 for a kernel from the host.
    return {name: index for index, name in enumerate(first + rest, start=1)}


def _nics(machine: Machine) -> Iterator[str]:
    behind_disks = len(_boot_order(machine)) + 1
    for index, nic in enumerate(machine.nics):
        net = {"type": "tap", "ifname": nic.tap, "script": "no", "downscript": "no"} if nic.tap else {"type": "user"}
        yield from _json("-netdev", {"id": f"net{index}", **net})
        yield from _json("-device", _nic_device(nic, index) | _nic_order(machine, nic, behind_disks + index))


def _nic_device(nic: VirtualNic, index: int) -> dict[str, object]:
    # Without an option ROM the firmware does not try to boot from the network.
    return {"driver": nic.model, "netdev": f"net{index}", "mac": nic.mac, "romfile": nic.rom}


def _nic_order(machine: Machine, nic: VirtualNic, index: int) -> dict[str, object]:
    """BIOS boots from the network after all disks. UEFI keeps its order in variables."""
    return {"bootindex": index} if nic.tap and machine.firmware is FirmwareKind.BIOS else {}


def _kernel(machine: Machine) -> Iterator[str]:
    if machine.kernel is not None:
        arguments = dict.fromkeys((*machine.kernel.arguments, NO_TIMER_CHECK))
        yield from ("-kernel", machine.kernel.file, "-append", " ".join(arguments))
        if machine.kernel.initramfs:
            yield from ("-initrd", machine.kernel.initramfs)


def _check(machine: Machine) -> None:
    problems = [
        Problem(f"disk {disk.name}", f"cannot be hot-plugged on {disk.bus.value}")
        for disk in machine.disks
        if disk.hotplugged and not disk.bus.pluggable
    ]
    ahci = [disk for disk in machine.disks if disk.bus is DiskBus.AHCI]
    problems += [Problem(f"disk {disk.name}", f"AHCI has {_AHCI_PORTS} ports only") for disk in ahci[_AHCI_PORTS:]]
    if machine.instruction_clock is not None and machine.cpus > 1:
        problems.append(Problem("instruction_clock", "with it Linux starts on one processor only"))
    names = [disk.name for disk in machine.disks]
    problems += [Problem(f"disk {name}", "name is used twice") for name in sorted(set(names)) if names.count(name) > 1]
    if machine.firmware is FirmwareKind.UEFI and not machine.variables:
        problems.append(Problem("variables", "UEFI firmware needs a variable store"))
    if machine.secure_boot and machine.firmware is not FirmwareKind.UEFI:
        problems.append(Problem("Secure Boot", "BIOS has none"))
    if machine.bmc and machine.namespace:
        problems.append(Problem("management controller", "its simulator is not reachable from a network namespace"))
    if problems:
        raise BadInput("virtual machine", problems)


def _server_socket(name: str, path: str) -> str:
    return f"socket,id={name},path={_escaped(path)},server=on,wait=off"


def _json(option: str, value: Options) -> tuple[str, str]:
    return option, json.dumps(value)


def _escaped(text: str) -> str:
    """A value in QEMU's key=value syntax, where a comma is doubled."""
    return text.replace(",", ",,")
