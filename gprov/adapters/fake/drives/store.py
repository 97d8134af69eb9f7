"""Contents of a simulated drive."""

from __future__ import annotations

import random
from typing import Protocol

from typing_extensions import override


class Store(Protocol):
    """Offsets and sizes in bytes, within the size of the drive."""

    def read(self, offset: int, size: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None: ...

    def erase(self, byte: int | None) -> None:
        """Replace all contents by one byte, or (None: after a change of the encryption key) by what cannot be
        foreseen."""


class MemoryStore(Store):
    """``content``: what is there at first; its length is the size."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        self._keys = random.Random(0)

    @override
    def read(self, offset: int, size: int) -> bytes:
        return bytes(self.content[offset : offset + size])

    @override
    def write(self, offset: int, data: bytes) -> None:
        self.content[offset : offset + len(data)] = data

    @override
    def erase(self, byte: int | None) -> None:
        size = len(self.content)
        self.content[:] = self._keys.randbytes(size) if byte is None else bytes([byte]) * size
