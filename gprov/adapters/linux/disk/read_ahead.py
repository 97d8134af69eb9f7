"""Blocks of a disk, read while earlier ones are compared.

A thread reads into a few buffers in turn, so that the drive waits neither for the comparison nor for a processor that
is busy otherwise (benchmarks/erase.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from gprov.adapters.linux.disk.raw_device import RawDevice, aligned_buffer
from gprov.adapters.linux.disk.transfer import BLOCK, Block
from gprov.adapters.linux.ioctl.libc import Memory

# More than two: with two, a comparison that waits for a processor stops the drive.
BUFFERS = 4


class BlockBuffer:
    """BLOCK bytes. A byte has the place in it that it has on the disk, modulo BLOCK."""

    def __init__(self) -> None:
        pages = aligned_buffer(BLOCK)
        self.view = memoryview(pages)
        self.memory = Memory(pages)


@dataclass(frozen=True, slots=True)
class _Read:
    """``size`` bytes were read into ``buffer``, or ``error`` was raised."""

    buffer: BlockBuffer
    size: int
    error: Exception | None


class ReadAhead:
    """``buffer``: holds what was read last."""

    def __init__(self, device: RawDevice, blocks: Callable[[], Iterator[Block]]) -> None:
        self._device = device
        self._coming = blocks()
        self._next = next(self._coming, None)
        self._free: SimpleQueue[BlockBuffer] = SimpleQueue()
        self._read: SimpleQueue[_Read] = SimpleQueue()
        self._ended = False
        self.buffer = BlockBuffer()
        for _ in range(BUFFERS - 1):
            self._free.put(BlockBuffer())
        self._thread: threading.Thread | None
        self._thread = threading.Thread(target=self._run, args=(blocks(),), name="read ahead", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no further thread can be created: each block is read when it is wanted
            self._thread = self._next = None

    def read(self, offset: int, size: int) -> int:
        """Read into ``buffer``; returns the number of bytes, 0 at the end of the device. The blocks come in their
        order, each first as a whole; parts of the last one may be read again after it. Raises OSError."""
        if (offset, size) != self._next:
            return _read(self._device, self.buffer, offset, size)
        self._next = next(self._coming, None)
        self._free.put(self.buffer)
        read = self._read.get()
        self.buffer = read.buffer
        if read.error:
            raise read.error
        return read.size

    def close(self) -> None:
        """Waits for the end of a read that has begun."""
        if self._thread is not None:
            self._ended = True
            self._free.put(self.buffer)
            self._thread.join()

    def _run(self, blocks: Iterator[Block]) -> None:
        for offset, size in blocks:
            buffer = self._free.get()
            if self._ended:
                return
            try:
                done, error = _read(self._device, buffer, offset, size), None
            except Exception as exc:  # noqa: BLE001 - raised by ``read``, on the thread that compares
                done, error = 0, exc
            self._read.put(_Read(buffer, done, error))


@contextmanager
def read_ahead(device: RawDevice, blocks: Callable[[], Iterator[Block]]) -> Iterator[ReadAhead]:
    """``blocks``: which will be read, in order; called twice."""
    ahead = ReadAhead(device, blocks)
    try:
        yield ahead
    finally:
        ahead.close()


def _read(device: RawDevice, buffer: BlockBuffer, offset: int, size: int) -> int:
    place = offset % BLOCK
    return device.read(buffer.view[place : place + size], offset)
