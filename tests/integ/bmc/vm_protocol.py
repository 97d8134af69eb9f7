"""The protocol between a virtual machine and its management controller (OpenIPMI, lanserv/README.vm; QEMU,
hw/ipmi/ipmi_bmc_extern.c): messages with sequence number and checksum, framed by special bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

END_OF_MESSAGE, END_OF_COMMAND, ESCAPE = 0xA0, 0xA1, 0xAA
_SPECIAL = (END_OF_MESSAGE, END_OF_COMMAND, ESCAPE)
_SET = 0x10  # in an escaped byte
VERSION_COMMAND = bytes((0xFF, 1))


def framed(message: bytes) -> bytes:
    """A message without its checksum, as it goes over the line."""
    return _escaped(message + bytes((-sum(message) & 0xFF,))) + bytes((END_OF_MESSAGE,))


def command(content: bytes) -> bytes:
    return _escaped(content) + bytes((END_OF_COMMAND,))


def _escaped(content: bytes) -> bytes:
    return b"".join(bytes((ESCAPE, byte | _SET)) if byte in _SPECIAL else bytes((byte,)) for byte in content)


@dataclass
class Unframer:
    """Collects the bytes of a line."""

    pending: bytearray = field(default_factory=bytearray)
    escaped: bool = False

    def messages(self, content: bytes) -> Iterator[bytes]:
        """Messages without checksum; commands and messages with a wrong checksum are left out."""
        for byte in content:
            if byte in (END_OF_MESSAGE, END_OF_COMMAND):
                whole, self.pending = bytes(self.pending), bytearray()
                if byte == END_OF_MESSAGE and len(whole) > 3 and not sum(whole) & 0xFF:
                    yield whole[:-1]
            elif byte == ESCAPE:
                self.escaped = True
            else:
                self.pending.append(byte & ~_SET if self.escaped else byte)
                self.escaped = False
