"""Network port: addresses from busybox' DHCP client, with one client on each interface."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

from typing_extensions import override

from gprov.adapters.linux.net.configure import Configurator, write_whole
from gprov.adapters.linux.net.dhcp_client import DhcpClient, start_client
from gprov.adapters.linux.net.interfaces import bring_up, physical_nics
from gprov.adapters.linux.net.lease import script
from gprov.adapters.linux.net.lease_keeper import LeaseKeeper
from gprov.domain.errors import DeviceFault, NetworkFault
from gprov.domain.unit.dhcp import ClearAddresses, Outcome, follow
from gprov.domain.unit.lease import Lease
from gprov.domain.unit.nics import Nic
from gprov.ports.background import Background
from gprov.ports.clock import Clock, Deadline
from gprov.ports.network import Network, Report
from gprov.ports.process import Processes

_POLL_SECONDS = 0.1  # seconds


class UdhcpcNetwork(Network):
    """The client of the configured interface keeps running and renews the lease until ``close``: the server must not
    assign the address to the next unit while this one is being provisioned. Every flow that connects ends in a reboot,
    which ends client and keeper; a flow that continues to switch root must call ``close`` first.

    Needs the kernel's packet sockets (CONFIG_PACKET), and the programs udhcpc and ip, or busybox.
    """

    def __init__(
        self,
        processes: Processes,
        clock: Clock,
        background: Background,
        *,
        sysfs: str = "/sys",
        resolv_conf: str = "/etc/resolv.conf",
    ) -> None:
        self._processes = processes
        self._clock = clock
        self._background = background
        self._sysfs = sysfs
        self._configurator = Configurator(processes, resolv_conf)
        self._active_client = ExitStack()

    @override
    def nics(self) -> tuple[Nic, ...]:
        return physical_nics(self._sysfs)

    @override
    def connect(self, nics: Sequence[Nic], seconds: float, report: Report) -> Lease:
        self.close()
        if not nics:
            raise NetworkFault("network", "there is no interface to use")
        names = ", ".join(nic.name for nic in nics)
        with ExitStack() as stack:
            clients, reasons = self._start_all(nics, stack)
            outcome, lease, winner = self._first_lease(clients, reasons, Deadline(self._clock, seconds), names)
            for client in clients:
                if client is not winner:
                    client.close()
                    self._configurator.carry_out([ClearAddresses(client.interface)])
            warnings = self._configurator.carry_out(outcome.actions)
            for note in (outcome.note, *(f"{lease.interface}: {warning}" for warning in warnings)):
                if note:
                    report(note)
            keeper = LeaseKeeper(winner, lease, self._configurator, report)
            stack.callback(keeper.close)
            keeper.start(self._background)
            self._active_client = stack.pop_all()
        return lease

    def close(self) -> None:
        """End the DHCP client. The interface keeps its configuration."""
        self._active_client.close()

    def _start_all(self, nics: Sequence[Nic], stack: ExitStack) -> tuple[list[DhcpClient], list[str]]:
        """Start a client on each interface that can be enabled. Also returns the errors of the other interfaces."""
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gprov-dhcp-"))
        program = f"{folder}/udhcpc-events.sh"  # longer than any name of an interface: their pipes are beside it
        write_whole(program, script(self._shell()), 0o700)
        clients: list[DhcpClient] = []
        reasons: list[str] = []
        for nic in nics:
            try:
                bring_up(nic.name)
            except DeviceFault as exc:
                reasons.append(str(exc))
                continue
            client = start_client(self._processes, nic.name, folder, program)
            stack.callback(client.close)
            clients.append(client)
        return clients, reasons

    def _first_lease(
        self, clients: Sequence[DhcpClient], reasons: list[str], deadline: Deadline, names: str
    ) -> tuple[Outcome, Lease, DhcpClient]:
        """The first outcome with a lease, that lease and its client."""
        waiting = list(clients)
        while waiting and not deadline.passed:
            for client in tuple(waiting):
                outcome = _latest(client)
                if outcome.lease is not None:
                    return outcome, outcome.lease, client
                reason = outcome.note or client.ended
                if reason:
                    reasons.append(reason)
                    waiting.remove(client)
            self._clock.sleep(_POLL_SECONDS)
        if waiting:
            reasons.append(f"no DHCP lease within {deadline.seconds:g} s")
        raise NetworkFault(names, "; ".join(reasons))

    def _shell(self) -> str:
        return self._processes.which("sh") or f"{self._processes.which('busybox') or '/bin/busybox'} sh"


def _latest(client: DhcpClient) -> Outcome:
    """State of the lease after all events so far, on an interface that gprov has not configured yet."""
    outcome = Outcome(None)
    for event, environment in client.events():
        outcome = follow(None, client.interface, event, environment)
    return outcome
