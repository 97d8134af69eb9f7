"""Network settings of a LAN channel. Source: IPMI specification 2.0, section 23.2 (Get LAN Configuration Parameters)
and table 23-4."""

from __future__ import annotations

from enum import IntEnum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.channels import channel_byte
from gprov.domain.formats.ipmi.message import NetworkFunction, Request, check_size

GET_LAN_PARAMETER = 0x02
# Completion code of this command (23.2).
PARAMETER_UNSUPPORTED = 0x80
LAN_CODES = {PARAMETER_UNSUPPORTED: "the controller does not have this parameter"}

_WHAT = "Get LAN Configuration Parameters"


class LanParameter(IntEnum):
    """Table 23-4."""

    IP_ADDRESS = 3
    ADDRESS_SOURCE = 4
    MAC_ADDRESS = 5
    SUBNET_MASK = 6
    GATEWAY = 12


# Bytes of each value.
_SIZES = {
    LanParameter.IP_ADDRESS: 4,
    LanParameter.ADDRESS_SOURCE: 1,
    LanParameter.MAC_ADDRESS: 6,
    LanParameter.SUBNET_MASK: 4,
    LanParameter.GATEWAY: 4,
}
_SOURCES = ("unspecified", "static", "DHCP", "BIOS or system software", "another protocol")


def get_lan_parameter(channel: int, parameter: LanParameter) -> Request:
    """The value itself, without set or block selector. Raises BadInput."""
    return Request(NetworkFunction.TRANSPORT, GET_LAN_PARAMETER, bytes((channel_byte(channel), parameter, 0, 0)))


def parse_lan_parameter(data: bytes, parameter: LanParameter) -> str:
    """MAC in the kernel's spelling, address as four decimal numbers, source in words. Raises BadInput."""
    what = f"{_WHAT} ({parameter.name.lower().replace('_', ' ')})"
    # The first byte is the revision of the parameter.
    check_size(what, data, 1 + _SIZES[parameter], 1 + _SIZES[parameter])
    value = data[1:]
    match parameter:
        case LanParameter.MAC_ADDRESS:
            return _mac(what, value)
        case LanParameter.ADDRESS_SOURCE:
            source = value[0] & 0x0F
            return _SOURCES[source] if source < len(_SOURCES) else f"source {source}"
        case LanParameter.IP_ADDRESS | LanParameter.SUBNET_MASK | LanParameter.GATEWAY:
            return ".".join(str(byte) for byte in value)


def _mac(what: str, value: bytes) -> str:
    text = value.hex(":")
    # All zeros or ones: never set. Bit 0 of the first byte: a group of stations.
    if not any(value) or value[0] & 1:
        raise BadInput(what, [Problem("", f"{text} is not the MAC of a station")])
    return text
