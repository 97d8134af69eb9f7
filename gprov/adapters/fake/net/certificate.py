"""The certificate of a simulated server."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.unit.trust import OwnCa


@dataclass(frozen=True, slots=True)
class FakeCertificate:
    """Of all https servers of an origin. ``ca``: None for one of the system's. Valid from ``begins`` to ``ends``, ns
    since the epoch."""

    ca: OwnCa | None
    begins: int = 0
    ends: int = 1 << 62
    names_other_server: bool = False
