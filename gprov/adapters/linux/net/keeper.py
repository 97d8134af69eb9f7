"""Keeping an interface as its lease says, beside the flow that uses it."""

from __future__ import annotations

import os
import select
import threading

from gprov.adapters.linux.net.client import DhcpClient
from gprov.adapters.linux.net.configure import Configurator
from gprov.domain.errors import GprovError
from gprov.domain.unit.dhcp import follow
from gprov.domain.unit.lease import Lease
from gprov.ports.background import Background, Task
from gprov.ports.network import Report

_LOOK_EVERY = 10_000  # milliseconds: whether the client still runs


class LeaseKeeper:
    """Follows the events of one client beside the flow, from ``start`` until ``close``. It ends with the process, too,
    and needs no closing before a reboot."""

    def __init__(self, client: DhcpClient, lease: Lease, configurator: Configurator, report: Report) -> None:
        self._client = client
        self._held: Lease | None = lease
        self._configurator = configurator
        self._report = report
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._task: Task | None = None

    def start(self, background: Background) -> None:
        """Where the work cannot be done beside the flow, the lease is not followed, and a report says so."""
        caller = threading.get_ident()
        self._task = background.start("gprov-lease", lambda: self._run(caller))

    def close(self) -> None:
        """Waits for what is being configured: each step of it has a deadline of its own."""
        os.close(self._waker)
        while self._task is not None and not self._task.wait(_LOOK_EVERY / 1000):
            pass
        os.close(self._wake)

    def _run(self, caller: int) -> None:
        if threading.get_ident() == caller:
            self._report(f"{self._client.interface}: no thread is left: changes of its lease are not followed")
            return
        poll = select.poll()
        poll.register(self._client.pipe, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            if any(descriptor == self._wake for descriptor, _ in poll.poll(_LOOK_EVERY)):
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
                self._configurator.carry_out(outcome.actions)
            except GprovError:
                # What the interface has is unknown: the next lease configures it from the beginning.
                self._held = None
                raise
