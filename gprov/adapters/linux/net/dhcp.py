"""Network port: addresses from busybox' DHCP client, one on each interface at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from typing_extensions import override

from gprov.adapters.linux.net.interfaces import bring_up, physical_nics
from gprov.adapters.linux.net.lease import LEASE_VARIABLE, parse_lease, resolver_configuration, script
from gprov.adapters.linux.system.os_errors import fault
from gprov.domain.errors import BadInput, DeviceFault, GprovError, NetworkFault, ToolMissing
from gprov.domain.unit.nics import Nic
from gprov.ports.clock import Clock, Deadline
from gprov.ports.network import Lease, Network
from gprov.ports.process import Processes, Running

_LOOK_EVERY = 0.1  # seconds
_RETRY_SECONDS = 2  # between packets: a switch port may stay silent for half a minute after it came up


@dataclass(frozen=True, slots=True)
class _Client:
    nic: Nic
    running: Running
    lease_file: str
    stack: ExitStack


class UdhcpcNetwork(Network):
    """The client of the interface that won keeps running and renews the lease until ``close``: the server must not give
    its address to the next unit while this one is still provisioned.

    Needs the kernel's packet sockets (CONFIG_PACKET), and the programs udhcpc and ip, or busybox.
    """

    def __init__(
        self, processes: Processes, clock: Clock, *, sysfs: str = "/sys", resolv_conf: str = "/etc/resolv.conf"
    ) -> None:
        self._processes = processes
        self._clock = clock
        self._sysfs = sysfs
        self._resolv_conf = resolv_conf
        self._winner = ExitStack()

    @override
    def nics(self) -> tuple[Nic, ...]:
        return physical_nics(self._sysfs)

    @override
    def connect(self, nics: Sequence[Nic], seconds: float) -> Lease:
        self.close()
        if not nics:
            raise NetworkFault("network", "there is no interface to use")
        names = ", ".join(nic.name for nic in nics)
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gprov-dhcp-"))
            program = self._write_script(folder)
            clients, reasons = self._start_all(nics, folder, program, stack)
            lease, winner = self._first_lease(clients, reasons, Deadline(self._clock, seconds), names)
            for client in clients:
                if client is not winner:
                    client.stack.close()
                    self._ip("addr", "flush", "dev", client.nic.name)
            self._configure(lease)
            self._winner = stack.pop_all()
        return lease

    def close(self) -> None:
        """End the DHCP client. The interface stays as it is configured."""
        self._winner.close()

    def _start_all(
        self, nics: Sequence[Nic], folder: str, program: str, stack: ExitStack
    ) -> tuple[list[_Client], list[str]]:
        """A client on each interface that can be switched on, and why the others cannot."""
        clients: list[_Client] = []
        reasons: list[str] = []
        for nic in nics:
            try:
                bring_up(nic.name)
            except DeviceFault as exc:
                reasons.append(str(exc))
                continue
            lease_file = f"{folder}/{nic.name}"
            # udhcpc goes on asking until it is ended, so there is one deadline: ours.
            argv = [*self._program("udhcpc"), "-f", "-i", nic.name, "-s", program]
            argv += ["-t", "10", "-T", str(_RETRY_SECONDS), "-A", str(_RETRY_SECONDS)]
            own = stack.enter_context(ExitStack())
            running = own.enter_context(self._processes.start(argv, env={LEASE_VARIABLE: lease_file}))
            clients.append(_Client(nic, running, lease_file, own))
        return clients, reasons

    def _first_lease(
        self, clients: Sequence[_Client], reasons: list[str], deadline: Deadline, names: str
    ) -> tuple[Lease, _Client]:
        waiting = list(clients)
        while waiting and not deadline.passed:
            for client in tuple(waiting):
                try:
                    lease = parse_lease(client.nic.name, _read(client.lease_file))
                except BadInput as exc:
                    reasons.append(str(exc))
                    waiting.remove(client)
                    continue
                if lease is not None:
                    return lease, client
                if client.running.poll() is not None:
                    output = client.running.wait(1.0).output.decode(errors="replace").split("\n")
                    reasons.append(f"{client.nic.name}: udhcpc ended: {' '.join(output[-2:]).strip()}")
                    waiting.remove(client)
            self._clock.sleep(_LOOK_EVERY)
        if waiting:
            reasons.append(f"no DHCP lease within {deadline.seconds:g} s")
        raise NetworkFault(names, "; ".join(reasons))

    def _configure(self, lease: Lease) -> None:
        name = lease.interface
        self._ip("addr", "flush", "dev", name)
        self._ip("addr", "add", f"{lease.address}/{lease.prefix}", "brd", "+", "dev", name)
        if lease.gateway:
            if ip_address(lease.gateway) not in ip_network(f"{lease.address}/{lease.prefix}", strict=False):
                self._ip("route", "replace", lease.gateway, "dev", name)
            self._ip("route", "replace", "default", "via", lease.gateway, "dev", name)
        _write(self._resolv_conf, resolver_configuration(lease.name_servers))

    def _ip(self, *words: str) -> None:
        try:
            self._processes.run([*self._program("ip"), *words], timeout=10.0)
        except ToolMissing:
            raise
        except GprovError as exc:
            raise NetworkFault(words[-1], f"cannot be configured: {exc}") from exc

    def _program(self, name: str) -> list[str]:
        return [name] if self._processes.which(name) else ["busybox", name]

    def _write_script(self, folder: str) -> str:
        shell = self._processes.which("sh") or f"{self._processes.which('busybox') or '/bin/busybox'} sh"
        path = f"{folder}/script"
        _write(path, script(shell), 0o700)
        return path


def _read(path: str) -> bytes:
    """b"" while there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16)
    except FileNotFoundError:
        return b""
    except OSError as exc:
        raise fault(path, "cannot read", exc) from exc


def _write(path: str, content: bytes, mode: int = 0o644) -> None:
    """Whole or not at all. Not flushed: it lives no longer than this boot."""
    beside = f"{path}.new"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.rename(beside, path)
    except OSError as exc:
        raise fault(path, "cannot write", exc) from exc
