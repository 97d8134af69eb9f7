"""Contents of a simulated drive in a sparse file."""

from __future__ import annotations

import os
from pathlib import Path

from typing_extensions import override

from gprov.adapters.fake.drives.store import Store

_CHUNK = 1 << 20


class FileStore(Store):
    """``size`` in bytes; at first all zeros. Erased with zeros, the file has no allocated blocks."""

    def __init__(self, path: Path, size: int) -> None:
        self.size = size
        self._file = path.open("w+b", buffering=0)
        os.truncate(self._file.fileno(), size)

    @override
    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, offset)

    @override
    def write(self, offset: int, data: bytes) -> None:
        written = os.pwrite(self._file.fileno(), data, offset)
        if written != len(data):
            raise OSError(f"{written} of {len(data)} bytes written")

    @override
    def erase(self, byte: int | None) -> None:
        os.truncate(self._file.fileno(), 0)
        os.truncate(self._file.fileno(), self.size)
        if byte == 0:
            return
        for start in range(0, self.size, _CHUNK):
            size = min(_CHUNK, self.size - start)
            self.write(start, os.urandom(size) if byte is None else bytes([byte]) * size)

    def holds(self, content: bytes) -> bool:
        """Whether it is still there, at multiples of a sector."""
        chunks = range(0, self.size, _CHUNK)
        return any(content in self.read(start, min(_CHUNK, self.size - start) + len(content)) for start in chunks)

    def close(self) -> None:
        self._file.close()
