"""What the agent works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.unit.credentials import Secret
from gprov.domain.update.config import UpdateConfig
from gprov.ports.archive import Archives
from gprov.ports.clock import Clock
from gprov.ports.files import Files
from gprov.ports.signatures import SignatureVerifier
from gprov.ports.update import LocalTime, PartFiles, Restart, UpdateServer


@dataclass(frozen=True, kw_only=True)
class UpdatePorts:
    """``server_for``: makes the connection that a configuration describes; raises BadInput, DeviceFault for its CA.
    ``archives`` and ``verifier`` are made when they are needed. ``is_mounted``: whether a volume is mounted at a
    folder."""

    files: Files
    parts: PartFiles
    clock: Clock
    local_time: LocalTime
    restart: Restart
    server_for: Callable[[UpdateConfig], UpdateServer]
    archives: Callable[[], Archives]
    verifier: Callable[[], SignatureVerifier]
    is_mounted: Callable[[str], bool]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Of the unit, from the facts that its restore has written. ``token``: for the server, None if it wants none."""

    serial: str
    code_name: str
    controller: str
    token: Secret | None
