"""Protocol data units of iSCSI (RFC 7143, chapter 11), without digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

HEADER = 48
FINAL = 0x80
NO_TAG = 0xFFFFFFFF
_IMMEDIATE = 0x40
_WORD = 4


class Opcode(IntEnum):
    """Requests of the initiator, then replies of the target."""

    NOP_OUT = 0x00
    SCSI_COMMAND = 0x01
    TASK_MANAGEMENT = 0x02
    LOGIN = 0x03
    TEXT = 0x04
    DATA_OUT = 0x05
    LOGOUT = 0x06
    NOP_IN = 0x20
    SCSI_RESPONSE = 0x21
    TASK_MANAGEMENT_RESPONSE = 0x22
    LOGIN_RESPONSE = 0x23
    TEXT_RESPONSE = 0x24
    DATA_IN = 0x25
    LOGOUT_RESPONSE = 0x26
    R2T = 0x31
    REJECT = 0x3F


@dataclass(frozen=True, slots=True)
class Request:
    """What an initiator sent. ``header``: 48 bytes; ``data``: the data segment without padding."""

    header: bytes
    data: bytes = field(repr=False)

    @property
    def opcode(self) -> int:
        return self.header[0] & 0x3F

    @property
    def immediate(self) -> bool:
        """It is outside of the order of commands."""
        return bool(self.header[0] & _IMMEDIATE)

    @property
    def flags(self) -> int:
        return self.header[1]

    @property
    def lun(self) -> bytes:
        return self.header[8:16]

    @property
    def tag(self) -> int:
        """INITIATOR TASK TAG."""
        return self.word(16)

    @property
    def command_number(self) -> int:
        """CmdSN; not in DATA-OUT."""
        return self.word(24)

    def word(self, at: int) -> int:
        return int.from_bytes(self.header[at : at + _WORD])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """``detail``: bytes 2 and 3. ``head``: bytes 8 to 15. ``second_tag``: bytes 20 to 23. ``tail``: from byte 36.
    ``numbered``: it increases StatSN. ``stated``: it holds a StatSN."""

    opcode: Opcode
    flags: int = FINAL
    detail: bytes = b"\0\0"
    head: bytes = bytes(8)
    tag: int = NO_TAG
    second_tag: int = 0
    tail: bytes = b""
    data: bytes = field(default=b"", repr=False)
    numbered: bool = True
    stated: bool = True


def read_request(read: Callable[[int], bytes]) -> Request | None:
    """``read(size)`` returns fewer bytes only at the end of the connection. None: it has ended."""
    header = read(HEADER)
    if len(header) < HEADER:
        return None
    further = header[4] * _WORD
    size = int.from_bytes(header[5:8])
    rest = read(further + _padded(size))
    if len(rest) < further + size:
        return None
    return Request(header, rest[further : further + size])


def reply_bytes(reply: Reply, status_number: int, expected: int, largest: int) -> bytes:
    """``expected``, ``largest``: ExpCmdSN and MaxCmdSN."""
    size = len(reply.data)
    numbers = ((status_number & NO_TAG) if reply.stated else 0, expected & NO_TAG, largest & NO_TAG)
    words = b"".join(number.to_bytes(_WORD) for number in (reply.tag, reply.second_tag, *numbers))
    head = bytes([reply.opcode, reply.flags]) + reply.detail + b"\0" + size.to_bytes(3) + reply.head
    header = (head + words + reply.tail).ljust(HEADER, b"\0")
    return header + reply.data.ljust(_padded(size), b"\0")


def _padded(size: int) -> int:
    return -(-size // _WORD) * _WORD
