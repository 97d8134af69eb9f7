"""Runs DHCP and TFTP of the lab's factory: dnsmasq with the configuration that `gprov server dnsmasq` prints."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from gprov.apps.host.initramfs.hostfiles import read_file, write_file
from gprov.apps.host.lab.namespace import BRIDGE, FIRST, LAST, NETMASK, FactoryNetwork, inside
from gprov.domain.errors import DeviceMissing, ToolFailed, ToolMissing
from gprov.domain.factory.dnsmasq import BIOS_LOADER, TFTP_ROOT, AddressRange, NetbootService, dnsmasq_configuration
from gprov.ports.process import Processes, Running

_PROGRAM = "dnsmasq"
_READY = b"DHCP, IP range"
_START_SECONDS = 20.0


def configuration(server: str) -> str:
    """``server``: URL of the factory server."""
    addresses = AddressRange(IPv4Address(FIRST), IPv4Address(LAST), IPv4Address(NETMASK))
    return dnsmasq_configuration(NetbootService(BRIDGE, server, addresses))


@contextmanager
def netboot_service(
    processes: Processes, network: FactoryNetwork, server: str, folder: str, log: str
) -> Iterator[None]:
    """Run dnsmasq in the network while the context lasts. ``folder``: for its configuration and leases. Raises
    ToolMissing, DeviceMissing, ToolFailed."""
    if processes.which(_PROGRAM) is None:
        raise ToolMissing(_PROGRAM, "apt-get install dnsmasq-base")
    if not os.path.exists(f"{TFTP_ROOT}/{BIOS_LOADER}"):
        raise DeviceMissing(f"{TFTP_ROOT}/{BIOS_LOADER}", "is not installed; apt-get install ipxe")
    file = os.path.join(folder, "dnsmasq.conf")
    write_file(file, configuration(server).encode())
    write_file(log, b"")
    argv = (
        *(*inside(network.name), _PROGRAM, "--keep-in-foreground", f"--conf-file={file}", "--user=root", "--no-ping"),
        *(f"--dhcp-leasefile={folder}/dnsmasq.leases", f"--pid-file={folder}/dnsmasq.pid", "--log-facility=-"),
    )
    with processes.start(argv, log=log) as running:
        _wait_ready(running, log)
        yield


def _wait_ready(running: Running, log: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and running.poll() is None:
        if _READY in read_file(log):
            return
        time.sleep(0.05)
    raise ToolFailed(_PROGRAM, "did not start", output=read_file(log).decode(errors="replace"))
