"""What a unit tells the factory server and asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gprov.domain.events import Event, ProcessState
from gprov.domain.unit.credentials import Credentials


class Factory(Protocol):
    """Every method raises NetworkFault if the server cannot be reached or refuses; none retries for ever."""

    def events(self, serial: str, events: Sequence[Event]) -> None:
        """Deliver log events, oldest first."""

    def state(self, serial: str, state: ProcessState) -> None: ...

    def code_name(self, serial: str, code_name: str) -> None: ...

    def macs(self, serial: str, nics: Mapping[str, str], bmc: Sequence[str]) -> None:
        """``nics``: interface name → MAC, in order; ``bmc``: MACs of the management controller."""

    def document(self, serial: str, name: str, content: str) -> None:
        """A QA document; the server holds it until the unit's first restore succeeded."""

    def time_ns(self) -> int:
        """UTC, nanoseconds since 1970."""

    def credentials(self, serial: str, endpoint: str = "") -> Credentials:
        """Passwords of this one unit; the same again if asked again. ``endpoint``: another server, "" for this."""
