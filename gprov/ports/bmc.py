"""The unit's management controller (BMC)."""

from __future__ import annotations

from typing import Protocol

from gprov.domain.formats.ipmi.message import IpmbAddress, Request, Response


class Bmc(Protocol):
    def exchange(self, request: Request, to: IpmbAddress | None = None) -> Response:
        """Send a request to the BMC, or through it to another controller (``to``). Returns the response, whatever its
        completion code. Raises DeviceMissing (the unit has no BMC), DeviceFault, DeadlineExceeded (no response),
        BadInput (a response without a completion code)."""
