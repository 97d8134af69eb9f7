"""Keeps an interface configured according to its lease, in a thread beside the flow."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterable
from contextlib import suppress

from gprov.adapters.linux.net.configure import Configurator
from gprov.adapters.linux.net.dhcp_client import DhcpClient
from gprov.domain.errors import GprovError
from gprov.domain.unit.dhcp import ClearAddresses, follow
from gprov.domain.unit.lease import Lease
from gprov.ports.background import Background, Task
from gprov.ports.network import Report

_POLL_MILLISECONDS = 10_000  # milliseconds: whether the client still runs


class LeaseKeeper:
    """Processes the events of one client in a thread, from ``start`` until ``close``. The thread ends with the process
    and need not be closed before a reboot."""

    def __init__(self, client: DhcpClient, lease: Lease, configurator: Configurator, report: Report) -> None:
        self._client = client
        self._held: Lease | None = lease
        self._configurator = configurator
        self._report = report
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._task: Task | None = None

    def start(self, background: Background) -> None:
        """Without a free thread the lease is not followed, and a report states that."""
        caller = threading.get_ident()
        self._task = background.start("gprov-lease", lambda: self._run(caller))

    def close(self) -> None:
        """Waits for a configuration in progress: each of its commands has a timeout."""
        os.close(self._waker)
        while self._task is not None and not self._task.wait(_POLL_MILLISECONDS / 1000):
            pass
        os.close(self._wake)

    def _run(self, caller: int) -> None:
        if threading.get_ident() == caller:
            self._report(f"{self._client.interface}: cannot start a thread: changes of its DHCP lease are not applied")
            return
        poll = select.poll()
        poll.register(self._client.pipe, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            if any(descriptor == self._wake for descriptor, _ in poll.poll(_POLL_MILLISECONDS)):
                return
            try:
                self._follow()
            except GprovError as exc:
                self._report(f"{self._client.interface}: {exc}")
            if ended := self._client.ended:
                self._report(f"{ended}: its lease is not renewed any more")
                return

    def _follow(self) -> None:
        for event, environment in self._client.events():
            outcome = follow(self._held, self._client.interface, event, environment)
            self._held = outcome.lease
            if outcome.note:
                self._report(outcome.note)
            try:
                self._warn(self._configurator.carry_out(outcome.actions))
            except GprovError:
                # The state of the interface is unknown: the next lease configures it completely.
                self._held = None
                with suppress(GprovError):  # the first error is the one to report
                    self._configurator.carry_out([ClearAddresses(self._client.interface)])
                raise

    def _warn(self, warnings: Iterable[str]) -> None:
        for warning in warnings:
            self._report(f"{self._client.interface}: {warning}")
