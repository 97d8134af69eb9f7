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
from gprov.ports.network import Report

_LOOK_EVERY = 10_000  # milliseconds: whether the client still runs


class LeaseKeeper:
    """Follows the events of one client in a thread, until ``close``."""

    def __init__(self, client: DhcpClient, lease: Lease, configurator: Configurator, report: Report) -> None:
        self._client = client
        self._held: Lease | None = lease
        self._configurator = configurator
        self._report = report
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="gprov-lease", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Waits for what is being configured."""
        os.close(self._waker)
        self._thread.join()
        os.close(self._wake)

    def _run(self) -> None:
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
