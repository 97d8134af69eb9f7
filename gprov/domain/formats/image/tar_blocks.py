"""A tar archive that arrives in chunks of any size, cut into headers and data. Data are skipped unless they were asked
for."""

from __future__ import annotations

from collections.abc import Callable

from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.tar_fields import BLOCK, Malformed


class TarBlocks:
    """Calls ``on_block`` with every block that is not data; it may set ``skip`` and call ``collect`` for the data that
    follow. ``offset``: of that block, or of the next byte, in the archive. ``skip``: bytes of data still to come."""

    def __init__(self, source: str, on_block: Callable[[bytes], None]) -> None:
        self._what = source
        self._on_block = on_block
        self._partial = b""  # start of a block whose rest has not arrived
        self._kept: bytearray | None = None  # data being kept
        self._keep = 0  # how many bytes of them are wanted
        self._then: Callable[[bytes], None] | None = None  # what the kept data are for
        self.offset = 0
        self.skip = 0

    def feed(self, data: bytes) -> None:
        """The next bytes of the archive. Raises IntegrityFault."""
        position = 0
        size = len(data)
        if self._partial:
            position = BLOCK - len(self._partial)
            block = self._partial + data[:position]
            if len(block) < BLOCK:
                self._partial = block
                return
            self._partial = b""
            self._block(block)
        while position < size:
            if self.skip:
                position += self._pass_data(data, position)
            elif size - position >= BLOCK:
                self._block(data[position : position + BLOCK])
                position += BLOCK
            else:
                self._partial = data[position:]
                return

    def finish(self) -> None:
        """The archive has ended. Raises IntegrityFault if it was cut in data or in a block."""
        if self.skip:
            raise self.fault(f"the archive is cut: {self.skip} bytes of the last member are missing")
        if self._partial:
            raise self.fault("the archive is cut within a block")

    def collect(self, size: int, then: Callable[[bytes], None]) -> None:
        """Keep the first ``size`` bytes of the data to skip, and call ``then`` with them after the last of the data."""
        self._kept = bytearray()
        self._keep = size
        self._then = then

    def fault(self, reason: str) -> IntegrityFault:
        return IntegrityFault(self._what, f"{reason} (offset {self.offset} of the archive)")

    def guarded(self, parse: Callable[[bytes], None], data: bytes) -> None:
        """Raises IntegrityFault with the offset if ``parse`` raises Malformed."""
        try:
            parse(data)
        except Malformed as exc:
            raise self.fault(str(exc)) from exc

    def _block(self, block: bytes) -> None:
        self.guarded(self._on_block, block)
        self.offset += BLOCK

    def _pass_data(self, data: bytes, position: int) -> int:
        step = min(self.skip, len(data) - position)
        kept = self._kept
        if kept is not None and len(kept) < self._keep:
            kept += data[position : position + min(step, self._keep - len(kept))]
        self.skip -= step
        self.offset += step
        if not self.skip and kept is not None:
            self._kept = None
            if self._then is not None:
                self.guarded(self._then, bytes(kept))
        return step


def padded(size: int) -> int:
    """Bytes of data with their padding."""
    return (size + BLOCK - 1) // BLOCK * BLOCK
