"""Channels of a controller. Source: IPMI specification 2.0, section 22.24 (Get Channel Info), tables 6-1 and 6-3."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ipmi.message import NetworkFunction, Request, check_size

GET_CHANNEL_INFO = 0x42
LAN_MEDIUM = 0x04  # 802.3; table 6-3
# Table 6-1: the numbers that an implementation may assign. 0 is the primary IPMB, from C upwards fixed or reserved.
ASSIGNABLE_CHANNELS = range(1, 0x0C)

_WHAT = "Get Channel Info"


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """``medium``: number of table 6-3; ``protocol``: of table 6-2."""

    number: int
    medium: int
    protocol: int

    @property
    def is_lan(self) -> bool:
        return self.medium == LAN_MEDIUM


def get_channel_info(channel: int) -> Request:
    """``channel``: 0 to 15. Raises BadInput."""
    return Request(NetworkFunction.APPLICATION, GET_CHANNEL_INFO, bytes((channel_byte(channel),)))


def parse_channel_info(data: bytes, channel: int) -> ChannelInfo:
    """``channel``: the one that was asked for. Raises BadInput."""
    check_size(_WHAT, data, 9)
    info = ChannelInfo(number=data[0] & 0x0F, medium=data[1] & 0x7F, protocol=data[2] & 0x1F)
    if info.number != channel:
        raise BadInput(_WHAT, [Problem("channel", f"is {info.number}, {channel} was asked for")])
    return info


def channel_byte(channel: int) -> int:
    """Raises BadInput if there is no channel of this number."""
    if not 0 <= channel <= 0x0F:
        raise BadInput("IPMI channel", [Problem("", f"{channel} is not from 0 to 15")])
    return channel
