"""A 32-bit program, written byte by byte: it shows that a unit runs programs of vendors that exist for i386 only.

Source: System V ABI, chapters 4 and 5, and its supplement for Intel386; system calls write (4) and exit (1) of i386
Linux through interrupt 0x80.
"""

from __future__ import annotations

import struct

SAID = b"thirty-two bits\n"
_BASE = 0x08048000
_HEADER = 52
_SEGMENT = 32
_START = _HEADER + _SEGMENT
_MACHINE_I386 = 3


def program_32() -> bytes:
    """Return a static program that prints ``SAID``."""
    code = (
        b"\xb8\x04\x00\x00\x00"  # mov eax, 4
        b"\xbb\x01\x00\x00\x00"  # mov ebx, 1
        b"\xb9%s"  # mov ecx, text
        b"\xba%s"  # mov edx, length
        b"\xcd\x80"  # int 0x80
        b"\xb8\x01\x00\x00\x00"  # mov eax, 1
        b"\x31\xdb"  # xor ebx, ebx
        b"\xcd\x80"  # int 0x80
    )
    length = len(code) + 2 * 2  # each %s stands for four bytes
    text = struct.pack("<I", _BASE + _START + length)
    body = code % (text, struct.pack("<I", len(SAID))) + SAID
    size = _START + len(body)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    header = struct.pack(
        "<HHIIIIIHHHHHH", 2, _MACHINE_I386, 1, _BASE + _START, _HEADER, 0, 0, _HEADER, _SEGMENT, 1, 0, 0, 0
    )
    segment = struct.pack("<IIIIIIII", 1, 0, _BASE, _BASE, size, size, 5, 0x1000)
    return ident + header + segment + body
