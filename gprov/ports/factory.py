"""What a unit reports to the factory, and what it fetches from there.

One port for each concern, so that each can be served by another system. Every method raises NetworkFault if the server
cannot be reached or refuses, after a bounded number of attempts. ``serial``: the unit's serial number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gprov.domain.events import Event, ProcessState
from gprov.domain.unit.credentials import Credentials


class Telemetry(Protocol):
    def events(self, serial: str, events: Sequence[Event]) -> None:
        """Deliver log events, oldest first. State changes among them are reports of the unit's state."""

    def state(self, serial: str, state: ProcessState) -> None:
        """Report the unit's state at once, without the log."""

    def code_name(self, serial: str, code_name: str) -> None:
        """Report the unit's platform."""

    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        """``nics``: interface name → MAC, in order; ``bmc``: MACs of the management controller."""


class TimeSource(Protocol):
    def time_ns(self) -> int:
        """UTC, nanoseconds since 1970."""


class DocumentStore(Protocol):
    def document(self, serial: str, name: str, content: str) -> None:
        """Deliver a QA document; it is released after the unit's first restore succeeded."""


class CredentialStore(Protocol):
    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        """Passwords of this one unit, the same at every call. ``endpoint``: URL of the server that has them; "" for the
        store's own."""
