"""Commands for the chassis. Source: IPMI specification 2.0, chapter 28."""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.message import NetworkFunction, Request

_IDENTIFY = 0x04
LONGEST_IDENTIFY = 255


def identify(seconds: int) -> Request:
    """Switch the identify light on for a time (28.5, Chassis Identify); 0: off. Raises BadInput."""
    if not 0 <= seconds <= LONGEST_IDENTIFY:
        raise BadInput("chassis identify", [Problem("", f"{seconds} s is not from 0 to {LONGEST_IDENTIFY} s")])
    return Request(NetworkFunction.CHASSIS, _IDENTIFY, bytes((seconds,)))
