"""A factory network in a network namespace of the host, with one tap device for each interface of a machine.

    server and dnsmasq -- bridge "factory" (10.77.0.1) -- tap0, tap1, ... -- the machine's interfaces

It is not connected to any other network of the host. Needs root and /dev/net/tun.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count

from gprov.apps.host.lab.machine import VIRTIO, Machine, VirtualNic
from gprov.apps.host.lab.nics import NICS
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.ports.process import Processes

BRIDGE = "factory"
ADDRESS = "10.77.0.1"
NETMASK = "255.255.255.0"
FIRST, LAST = "10.77.0.100", "10.77.0.200"

_TUN = "/dev/net/tun"
_ROMS = "/usr/lib/ipxe/qemu"
_SECONDS = 30.0
_number = count()


@dataclass(frozen=True, slots=True)
class FactoryNetwork:
    """``name``: that of the network namespace."""

    name: str

    def attach(self, machine: Machine) -> Machine:
        """Return the same machine with its interfaces on this network, bootable by its firmware."""
        nics = (
            replace(nic, tap=f"tap{index}", rom=_option_rom(machine.firmware, nic))
            for index, nic in enumerate(machine.nics)
        )
        return replace(machine, nics=tuple(nics), namespace=self.name)


def _option_rom(firmware: FirmwareKind, nic: VirtualNic) -> str:
    """Return the path of the interface's option ROM. OVMF has a built-in driver for virtio ("")."""
    if firmware is FirmwareKind.UEFI and nic.model == VIRTIO:
        return ""
    kind = "pxe" if firmware is FirmwareKind.BIOS else "efi"
    return f"{_ROMS}/{kind}-{NICS[nic.model].rom}.rom"


def inside(namespace: str) -> tuple[str, ...]:
    """Return the command prefix that runs a program in a namespace ("": no prefix)."""
    return ("ip", "netns", "exec", namespace) if namespace else ()


@contextmanager
def factory_network(processes: Processes, wires: int) -> Iterator[FactoryNetwork]:
    """Yield a network that is removed at the end of the context. Raises DeviceMissing, DeviceFault (not root),
    ToolFailed."""
    if os.geteuid() != 0:
        raise DeviceFault("network namespace", "cannot create it without root; run as root")
    if not os.path.exists(_TUN):
        raise DeviceMissing(_TUN, "is needed for network boot; load the kernel module tun")
    name = f"gprov-lab-{os.getpid()}-{next(_number)}"

    def ip(*words: str) -> None:
        processes.run(("ip", *words), timeout=_SECONDS)

    with ExitStack() as stack:
        ip("netns", "add", name)
        stack.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")
        # Ports of a bridge forward at once without the spanning tree protocol: firmware does not wait for it.
        ip("-n", name, "link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
        ip("-n", name, "addr", "add", f"{ADDRESS}/24", "dev", BRIDGE)
        for index in range(wires):
            processes.run((*inside(name), "ip", "tuntap", "add", f"tap{index}", "mode", "tap"), timeout=_SECONDS)
            ip("-n", name, "link", "set", f"tap{index}", "master", BRIDGE, "up")
        ip("-n", name, "link", "set", BRIDGE, "up")
        yield FactoryNetwork(name)
