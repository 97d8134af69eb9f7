"""Decodes blocks on several threads and returns their pieces in order, in bounded memory.

lzma and hashlib release the interpreter lock, so that threads use all cores.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition
from types import TracebackType
from typing import Self

from gprov.adapters.linux.archive.blocks import Piece

# Blocks that are under way or wait for a worker, for each worker. A file may name very many, of no bytes each.
_STARTED = 16
# The block being read may be this many pieces ahead even if the window is full, so that it never waits for others.
_HEAD_PIECES = 3


class OrderedDecoder:
    """A context. ``decode(n)`` yields the pieces of block ``n`` < ``count``; up to ``workers`` blocks are decoded at a
    time, ahead of the reader by at most ``window`` bytes. An error of a block is raised when the reader reaches it."""

    def __init__(self, decode: Callable[[int], Iterator[Piece]], count: int, workers: int, window: int) -> None:
        self._decode = decode
        self._window = window
        self._changed = Condition()
        self._count = count
        self._started = 0
        self._workers = workers
        self._lanes: dict[int, deque[Piece]] = {}  # of blocks that were started, and not read to their end
        self._ahead = 0  # bytes decoded, but not read
        self._head = 0  # number of the block being read
        self._stopped = False
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="decode")
        self._done: dict[int, Future[None]] = {}

    def __enter__(self) -> Self:
        self._start_until(_STARTED * self._workers)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def extend_window(self, size: int) -> None:
        """Decode ``size`` bytes further ahead, after that much memory was released elsewhere."""
        with self._changed:
            self._window += size
            self._changed.notify_all()

    def pieces(self, number: int) -> Iterator[Piece]:
        """All pieces of a block. Blocks are read in order, each once."""
        self._start_until(number + _STARTED * self._workers)
        lane, done = self._lanes[number], self._done.pop(number)
        with self._changed:
            self._head = number
            self._changed.notify_all()
        while True:
            with self._changed:
                while not lane and not done.done():
                    self._changed.wait()
                if not lane:
                    break
                piece = lane.popleft()
                self._ahead -= _piece_size(piece)
                self._changed.notify_all()
            yield piece
        del self._lanes[number]
        done.result()

    def _start_until(self, number: int) -> None:
        """Start the blocks before ``number``. The pool starts tasks in the order of submission: the block being read is
        never queued behind later ones."""
        for block in range(self._started, min(number, self._count)):
            lane = self._lanes[block] = deque()
            task = self._done[block] = self._pool.submit(self._run, block, lane)
            task.add_done_callback(self._notify)
            self._started = block + 1

    def _run(self, number: int, lane: deque[Piece]) -> None:
        for piece in self._decode(number):
            size = _piece_size(piece)
            with self._changed:
                while not self._stopped and not self._has_window(number, lane, size):
                    self._changed.wait()
                if self._stopped:
                    return
                lane.append(piece)
                self._ahead += size
                self._changed.notify_all()

    def _has_window(self, number: int, lane: deque[Piece], size: int) -> bool:
        return self._ahead + size <= self._window or (number == self._head and len(lane) < _HEAD_PIECES)

    def _notify(self, _: Future[None]) -> None:
        with self._changed:
            self._changed.notify_all()


def _piece_size(piece: Piece) -> int:
    return len(piece.data) + len(piece.raw)
