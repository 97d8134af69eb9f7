"""Headers of members of "newc" cpio archives: of an initramfs, and of bundles for update servers.

Source: kernel Documentation/driver-api/early-userspace/buffer-format.rst. A member is a header of 110 ASCII bytes
(magic "070701", then thirteen fields of eight hexadecimal digits), its name with a final NUL, padding to four
bytes, its content, padding to four bytes. The member "TRAILER!!!" ends the archive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

MAGIC = b"070701"
TRAILER = "TRAILER!!!"
ALIGN = 4
MAX_FIELD = 0xFFFF_FFFF
_FIELDS = 13
_DIGITS = 8
HEADER_SIZE = len(MAGIC) + _FIELDS * _DIGITS
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberHeader:
    """``mode``: type and permissions as in ``st_mode``; ``size``: bytes of the content; ``home``: (major, minor) of the
    device that held the file; ``device``: (major, minor) of a device node; ``name_size``: bytes, with the final NUL.
    Owner and time are not kept."""

    inode: int = 0
    mode: int = 0
    links: int = 1
    size: int = 0
    home: tuple[int, int] = (0, 0)
    device: tuple[int, int] = (0, 0)
    name_size: int = 0


def opening(name: str, header: MemberHeader) -> bytes:
    """What stands in front of a member's content, if the member begins at a multiple of four bytes. Owner and time are
    zero; ``name_size`` follows from the name."""
    encoded = name.encode() + b"\0"
    head, home, device = (header.inode, header.mode, 0, 0, header.links, 0, header.size), header.home, header.device
    fields = (*head, *home, *device, len(encoded), 0)
    return padded(MAGIC + b"".join(b"%08X" % number for number in fields) + encoded)


def trailer() -> bytes:
    return opening(TRAILER, MemberHeader())


def parse_header(source: str, position: int, raw: bytes) -> MemberHeader:
    """``raw``: the archive from ``position`` on, of which only the header is read. Raises BadInput."""
    header = raw[:HEADER_SIZE]
    if header[: len(MAGIC)] != MAGIC[: len(header)]:
        raise BadInput(source, [Problem(f"byte {position}", 'no header of a cpio archive ("newc")')])
    if len(header) < HEADER_SIZE:
        raise BadInput(source, [Problem(f"byte {position}", "the archive ends without its trailer")])
    inode, mode, _, _, links, _, size, *rest = _numbers(header, source, position)
    return MemberHeader(
        inode=inode,
        mode=mode,
        links=links,
        size=size,
        home=(rest[0], rest[1]),
        device=(rest[2], rest[3]),
        name_size=rest[4],
    )


def aligned(position: int) -> int:
    return position + -position % ALIGN


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % ALIGN)


def _numbers(header: bytes, source: str, position: int) -> list[int]:
    digits = header[len(MAGIC) :]
    if not _HEXADECIMAL.fullmatch(digits):
        raise BadInput(source, [Problem(f"byte {position}", "a header with other than hexadecimal digits")])
    return [int(digits[start : start + _DIGITS], 16) for start in range(0, len(digits), _DIGITS)]
