"""Block after block over ranges of a disk, around the sectors that the drive cannot read or write.

A block with an error is tried again in halves, down to one physical sector. A drive that fails so often that it is of
no use, is gone, or has another size than before ends the transfer: each attempt may take many seconds.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator

from gprov.adapters.linux.disk.raw_device import MEDIUM_ERRORS, RawDevice
from gprov.domain.erase.extents import Extent
from gprov.ports.clock import Clock
from gprov.ports.drives import BytesDone

BLOCK = 4 << 20
MOST_BAD = 10_000  # sectors
MOST_BAD_IN_A_ROW = 1024
_PROGRESS_SECONDS = 0.25

Block = tuple[int, int]  # byte offset and size
# Transfers bytes ``offset`` to ``offset + size``; returns how many, 0 at the end of the device. Raises OSError.
Step = Callable[[int, int], int]


class Progress:
    """Calls a ``BytesDone`` at most every quarter of a second."""

    def __init__(self, clock: Clock, report: BytesDone) -> None:
        self._clock = clock
        self._report = report
        self._last = clock.monotonic()

    def __call__(self, done: int) -> None:
        now = self._clock.monotonic()
        if now - self._last >= _PROGRESS_SECONDS:
            self._last = now
            self._report(done)

    def final(self, done: int) -> None:
        self._report(done)


class Transfer:
    """``size``: of the device, in bytes. ``problem``: why the device is no longer the selected disk, "" if it is.

    Results: ``reached``: bytes tried, from the beginning of the ranges; ``bad``: ranges with errors; ``error``: why the
    transfer ended early, "" if it did not.
    """

    def __init__(self, device: RawDevice, size: int, problem: Callable[[], str], step: Step) -> None:
        self._device = device
        self._size = size
        self._problem = problem
        self._step = step
        self._sector = device.sector()
        self._bad_count = 0
        self._in_a_row = 0
        self.reached = 0
        self.bad: list[Extent] = []
        self.error = ""

    def run(self, extents: Iterable[Extent], progress: Progress) -> None:
        """Raises what ``progress`` raises."""
        for offset, size in blocks(extents):
            if not self._span(offset, size):
                return
            progress(self.reached)

    def _span(self, offset: int, size: int) -> bool:
        """False: the transfer has ended."""
        while size:
            try:
                done = self._step(offset, size)
            except OSError as exc:
                return self._failed(offset, size, exc)
            if done <= 0:
                return self._end(f"the device ends at byte {offset}, {self._size} bytes were expected")
            self._in_a_row = 0
            self.reached += done
            offset, size = offset + done, size - done
            if self.error:  # from ``stop``
                return False
        return True

    def stop(self, error: str) -> None:
        """Called by a step: end after it."""
        self.error = error

    def _failed(self, offset: int, size: int, exc: OSError) -> bool:
        text = os.strerror(exc.errno) if exc.errno else str(exc)
        if exc.errno not in MEDIUM_ERRORS:
            # The kernel may report a disk that was removed as one without space.
            return self._end("; ".join(filter(None, (f"at byte {offset}: {text}", self._gone()))))
        if size <= self._sector:
            return self._record(Extent(offset, offset + size), text)
        if size >= BLOCK // 2 and (problem := self._gone()):
            return self._end(f"at byte {offset}: {text}; {problem}")
        middle = offset + size // 2
        middle = max(middle - middle % self._sector, offset - offset % self._sector + self._sector)
        if middle >= offset + size:  # a part of one physical sector and the beginning of the next
            return self._record(Extent(offset, offset + size), text)
        return self._span(offset, middle - offset) and self._span(middle, offset + size - middle)

    def _record(self, extent: Extent, text: str) -> bool:
        self.reached += extent.size
        if self.bad and self.bad[-1].end == extent.start:
            self.bad[-1] = Extent(self.bad[-1].start, extent.end)
        else:
            self.bad.append(extent)
        self._bad_count += 1
        self._in_a_row += 1
        if self._bad_count >= MOST_BAD:
            return self._end(f"given up at byte {extent.end}: {self._bad_count} sectors with errors, the last: {text}")
        if self._in_a_row >= MOST_BAD_IN_A_ROW:
            return self._end(f"given up at byte {extent.end}: {self._in_a_row} sectors in a row with errors: {text}")
        return True

    def _gone(self) -> str:
        """Why no further attempt makes sense; "" if there is no reason."""
        if problem := self._problem():
            return problem
        try:
            size = self._device.size()
        except OSError as exc:
            return f"cannot ask for its size: {os.strerror(exc.errno or errno.EIO)}"
        return f"it now has {size} bytes instead of {self._size}" if size != self._size else ""

    def _end(self, error: str) -> bool:
        self.error = error
        return False

    def finish(self) -> None:
        """State an error if the device has another size than at the beginning."""
        if not self.error and (problem := self._gone()):
            self.error = problem


def blocks(extents: Iterable[Extent]) -> Iterator[Block]:
    """The ranges in order. Blocks begin at multiples of BLOCK, so that none but the first and last of a range is a part
    of one."""
    for extent in extents:
        offset = extent.start
        while offset < extent.end:
            size = min(BLOCK - offset % BLOCK, extent.end - offset)
            yield offset, size
            offset += size


def remaining(extents: Iterable[Extent], reached: int) -> tuple[Extent, ...]:
    """The ranges without their first ``reached`` bytes."""
    rest = []
    for extent in extents:
        passed = min(reached, extent.size)
        reached -= passed
        if passed < extent.size:
            rest.append(Extent(extent.start + passed, extent.end))
    return tuple(rest)
