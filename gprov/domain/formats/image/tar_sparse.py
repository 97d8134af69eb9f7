"""Maps of sparse files: where in the file the stored data go, in the four formats that GNU tar has.

Sources: GNU tar manual, "Storing Sparse Files" (old GNU; pax 0.0, 0.1, 1.0), and what ``sparse.c`` and ``xheader.c``
of tar 1.34 refuse, or take differently from what is meant: data of a region are read in whole blocks of 512 bytes, so
that a region whose length is no multiple of that shifts all behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gprov.domain.formats.image.tar_fields import BLOCK, MAX_BYTES, Malformed, decimal, number

_PREFIX = b"GNU.sparse."
_ENTRY = 24  # bytes of an entry in the old format: offset and length, 12 each
_MAX_REGIONS = 1 << 20
# With blocks of 4 KiB, of which 32 bits count.
MAX_FILE = ((1 << 32) - 1) * 4096
_FS_BLOCK = 4096

Region = tuple[int, int]  # offset and length in bytes


class MapReader(Protocol):
    """A map that stands in blocks before the data of its file."""

    def take(self, block: bytes) -> bool:
        """The next block of 512 bytes; is the map complete with it?"""

    def regions(self) -> list[Region]:
        """All of them, checked. Raises Malformed."""


class OldGnuMap:
    """Four entries in the header of the member, then 21 in each block behind it."""

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
        """Does another block of entries follow?"""
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
    """Format 1.0: decimal numbers, each in a line, before the data: how many regions, then offset and length of each.
    Filled with null bytes up to a whole block."""

    def __init__(self, real: int, stored: int) -> None:
        self._real = real
        self._stored = stored
        self._text = bytearray()
        self._lines = 0
        self._blocks = 0
        self._wanted: int | None = None

    def take(self, block: bytes) -> bool:
        self._blocks += 1
        if self._blocks * BLOCK > self._stored:
            raise Malformed("sparse file: its map does not end within its data")
        self._text += block
        self._lines += block.count(b"\n")
        if self._wanted is None and self._lines:
            regions = decimal(bytes(self._text.partition(b"\n")[0]), "number of regions", _MAX_REGIONS)
            self._wanted = 1 + 2 * regions
        return self._wanted is not None and self._lines >= self._wanted

    def regions(self) -> list[Region]:
        lines = bytes(self._text).split(b"\n")[1 : self._wanted]
        numbers = [decimal(line, "sparse map") for line in lines]
        found = list(zip(numbers[::2], numbers[1::2], strict=True))
        check_regions(found, self._real, self._stored - self._blocks * BLOCK)
        return found


def pax_sparse(pairs: Sequence[tuple[bytes, bytes]], stored: int) -> list[Region] | PaxDataMap | None:
    """What an extended header says of a file of which ``stored`` bytes are in the archive: its regions, or the reader
    of a map that follows. None: it is not sparse. Raises Malformed."""
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
    """Raises Malformed unless they lie in order within ``real`` bytes, up to their end, and hold ``stored`` bytes in
    all."""
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
    """Blocks of the file system that have data in them."""
    blocks, last = 0, -1
    for offset, size in regions:
        if size:
            first = max(offset // _FS_BLOCK, last + 1)
            last = (offset + size - 1) // _FS_BLOCK
            blocks += last - first + 1
    return blocks
