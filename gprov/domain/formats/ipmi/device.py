"""Which controller it is. Source: IPMI specification 2.0, section 20.1 (Get Device ID)."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.message import NetworkFunction, Request, check_size

GET_DEVICE_ID = 0x01
_WHAT = "Get Device ID"
_LEAST = 11
_AUXILIARY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceId:
    """``major`` and ``minor``: revision of the firmware, the minor one as two decimal digits. ``updating``: normal
    operation is not available, since the firmware is being updated or initialises itself. ``auxiliary``: 4 bytes of the
    manufacturer's, or none."""

    device: int
    revision: int
    major: int
    minor: int
    updating: bool
    ipmi: str
    manufacturer: int
    product: int
    auxiliary: bytes = b""

    @property
    def firmware(self) -> str:
        """As ``ipmitool mc info`` prints it: ``2.05``."""
        return f"{self.major}.{self.minor:02x}"


def get_device_id() -> Request:
    return Request(NetworkFunction.APPLICATION, GET_DEVICE_ID)


def parse_device_id(data: bytes) -> DeviceId:
    """Raises BadInput."""
    check_size(_WHAT, data, _LEAST)
    rest = data[_LEAST:]
    problems = []
    if rest and len(rest) < _AUXILIARY:
        problems.append(Problem("auxiliary firmware revision", f"has {len(rest)} bytes, specified are {_AUXILIARY}"))
    version = data[4]
    if version & 0x0F not in (1, 2) or version >> 4 > 9:
        problems.append(Problem("IPMI version", f"{version:#04x} is not 1.x or 2.x"))
    if problems:
        raise BadInput(_WHAT, problems)
    return DeviceId(
        device=data[0],
        revision=data[1] & 0x0F,
        major=data[2] & 0x7F,
        minor=data[3],
        updating=bool(data[2] & 0x80),
        ipmi=f"{version & 0x0F}.{version >> 4}",
        manufacturer=int.from_bytes(data[6:9], "little") & 0x0FFFFF,
        product=int.from_bytes(data[9:11], "little"),
        auxiliary=rest[:_AUXILIARY],
    )
