"""Maps of sparse files: positions of the stored data in the file, in the four formats of GNU tar.

Sources: GNU tar manual, "Storing Sparse Files" (old GNU; pax 0.0, 0.1, 1.0); ``sparse.c`` and ``xheader.c`` of tar 1.34
for rejected maps and for one deviation: data of a region are read in whole blocks of 512 bytes, so that a region whose
length is not a multiple of that shifts all data after it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from gprov.domain.formats.image.tar_fields import BLOCK, MAX_BYTES, Malformed, decimal, number

_PREFIX = b"GNU.sparse."
_ENTRY = 24  # bytes of an entry in the old format: offset and length, 12 each
_MAX_REGIONS = 1 << 18
_MAX_DIGITS = 20
# With blocks of 4 KiB, of which 32 bits count.
MAX_FILE = ((1 << 32) - 1) * 4096
_FS_BLOCK = 4096

Region = tuple[int, int]  # offset and length in bytes


class MapReader(Protocol):
    """A map that is stored in blocks before the data of its file."""

    def take(self, block: bytes) -> bool:
        """Add the next block of 512 bytes. Returns True if the map is complete."""

    def regions(self) -> list[Region]:
        """All regions, checked. Raises Malformed."""


class OldGnuMap:
    """Four entries in the member's header, then 21 in each following block."""

    def __init__(self, header: bytes, stored: int) -> None:
        self._stored = stored
        self._real = number(header[483:495])
        self._regions: list[Region] = []
        self.complete = not self._entries(header[386:482], header[482])

    def take(self, block: bytes) -> bool:
        return not self._entries(block[:504], block[504])

    def regions(self) -> list[Region]:
        check_regions(self._regions, self._real, self._stored)
        return self._regions

    def _entries(self, field: bytes, extended: int) -> bool:
        """Return whether another block of entries follows."""
        for start in range(0, len(field), _ENTRY):
            if field[start + 12] == 0:
                if extended:
                    raise Malformed("sparse file: its map ends, yet says that it goes on")
                return False
            self._regions.append((number(field[start : start + 12]), number(field[start + 12 : start + _ENTRY])))
        if len(self._regions) > _MAX_REGIONS:
            raise Malformed(f"sparse file: more than {_MAX_REGIONS} regions")
        return bool(extended)


class PaxDataMap:
    """Format 1.0: decimal numbers before the data, one per line: number of regions, then offset and length of each.
    Padded with null bytes to a whole block."""

    def __init__(self, real: int, stored: int) -> None:
        self._real = real
        self._stored = stored
        self._line = b""  # start of a line whose rest has not arrived
        self._numbers = array("Q")
        self._blocks = 0
        self._wanted: int | None = None  # numbers

    def take(self, block: bytes) -> bool:
        self._blocks += 1
        if self._blocks * BLOCK > self._stored:
            raise Malformed("sparse file: its map does not end within its data")
        *lines, self._line = (self._line + block).split(b"\n")
        if lines and self._wanted is None:
            self._wanted = 2 * decimal(lines.pop(0), "number of regions", _MAX_REGIONS)
        if self._wanted is not None:
            missing = self._wanted - len(self._numbers)
            self._numbers.extend(decimal(line, "sparse map") for line in lines[:missing])
            if len(self._numbers) == self._wanted:
                return True
        if len(self._line) > _MAX_DIGITS:
            raise Malformed(f"sparse file: a number in its map has more than {_MAX_DIGITS} digits")
        return False

    def regions(self) -> list[Region]:
        found = list(zip(self._numbers[::2], self._numbers[1::2], strict=True))
        check_regions(found, self._real, self._stored - self._blocks * BLOCK)
        return found


def pax_sparse(pairs: Sequence[tuple[bytes, bytes]], stored: int) -> list[Region] | PaxDataMap | None:
    """Sparse map in an extended header of a file with ``stored`` bytes in the archive: its regions, or the reader of a
    map that follows. None: not sparse. Raises Malformed."""
    sparse_pairs = [(key[len(_PREFIX) :], value) for key, value in pairs if key.startswith(_PREFIX)]
    fields = dict(sparse_pairs)
    if fields.keys() <= {b"name"}:
        return None
    sizes = [key for key, _ in sparse_pairs if key in (b"size", b"realsize")]
    if len(sizes) != 1:
        raise Malformed("sparse file: must have one size")
    real = decimal(fields[sizes[0]], "GNU.sparse size")
    keys = [key for key, _ in sparse_pairs if key not in (b"name", *sizes)]
    if keys in ([b"major", b"minor"], [b"minor", b"major"]):
        if (fields[b"major"], fields[b"minor"]) != (b"1", b"0"):
            raise Malformed("sparse file: is of an unknown version")
        return PaxDataMap(real, stored)
    if keys == [b"numblocks", b"map"]:
        numbers = [decimal(text, "GNU.sparse.map") for text in fields[b"map"].split(b",")]
    elif keys == [b"numblocks", *[b"offset", b"numbytes"] * (len(keys) // 2)]:
        numbers = [decimal(value, "GNU.sparse map") for key, value in sparse_pairs if key in (b"offset", b"numbytes")]
    else:
        raise Malformed("sparse file: its map is not of a known form")
    count = decimal(fields[b"numblocks"], "GNU.sparse.numblocks")
    if len(numbers) != 2 * count:
        raise Malformed(f"sparse file: its map does not have {count} regions")
    regions = list(zip(numbers[::2], numbers[1::2], strict=True))
    check_regions(regions, real, stored)
    return regions


def check_regions(regions: Sequence[Region], real: int, stored: int) -> None:
    """Raise Malformed unless the regions are in order, end at ``real`` bytes, and hold ``stored`` bytes in all."""
    if not regions:
        raise Malformed("sparse file: its map is empty")
    if real > MAX_FILE:
        raise Malformed(f"sparse file: {real} bytes are more than a file can have")
    end = held = 0
    for offset, size in regions:
        if offset < end or size > MAX_BYTES:
            raise Malformed("sparse file: its regions overlap or are not in order")
        if size and held % BLOCK:
            raise Malformed(f"sparse file: a region in the middle is no multiple of {BLOCK} bytes")
        end = offset + size
        held += size
    if end != real or held != stored:
        raise Malformed(f"sparse file: its map leads to {end} bytes of {real}, and holds {held} of {stored}")


def blocks_of(regions: Sequence[Region]) -> int:
    """Number of file-system blocks with data."""
    blocks, last = 0, -1
    for offset, size in regions:
        if size:
            first = max(offset // _FS_BLOCK, last + 1)
            last = (offset + size - 1) // _FS_BLOCK
            blocks += last - first + 1
    return blocks
