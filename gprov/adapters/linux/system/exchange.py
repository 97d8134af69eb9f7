"""Feeding a program and reading what it writes, with a bound on the time and on the memory."""

from __future__ import annotations

import os
import selectors
import time
from contextlib import suppress
from typing import IO

from gprov.domain.errors import DeadlineExceeded, ToolFailed

# Output of one program, both streams together. The largest that gprov reads (lists of packages and files on a host) has
# a few MiB; a step of an adopter that writes without end must not take the memory of the unit.
MOST_OUTPUT = 64 << 20
_CHUNK = 1 << 16


class Exchange:
    """The pipes of a program that has started. ``stdin``: None if it is not fed."""

    def __init__(self, program: str, stdin: IO[bytes] | None, output: IO[bytes], errors: IO[bytes]) -> None:
        self._program = program
        self._stdin = stdin
        self._output = output
        self._errors = errors

    def run(self, fed: bytes, seconds: float, most: int = MOST_OUTPUT) -> tuple[bytes, bytes]:
        """Return standard output and standard error, when the program and its children have closed both. Raises
        DeadlineExceeded after ``seconds``, ToolFailed if there are more than ``most`` bytes."""
        end = time.monotonic() + seconds
        kept = {self._output: bytearray(), self._errors: bytearray()}
        rest = memoryview(fed)
        with selectors.DefaultSelector() as selector:
            for stream in kept:
                selector.register(stream, selectors.EVENT_READ)
            if self._stdin is not None:
                os.set_blocking(self._stdin.fileno(), False)
                selector.register(self._stdin, selectors.EVENT_WRITE)
            while selector.get_map():
                left = end - time.monotonic()
                if left <= 0:
                    raise DeadlineExceeded(self._program, seconds)
                ready = {key.fd for key, _ in selector.select(left)}
                if self._stdin is not None and not self._stdin.closed and self._stdin.fileno() in ready:
                    rest = self._feed(selector, self._stdin, rest)
                for stream, taken in kept.items():
                    if stream.fileno() in ready:
                        self._take(selector, stream, taken)
                if sum(map(len, kept.values())) > most:
                    raise ToolFailed(self._program, f"wrote more than {most >> 20} MiB of output, and was ended")
        return bytes(kept[self._output]), bytes(kept[self._errors])

    def _feed(self, selector: selectors.BaseSelector, stdin: IO[bytes], rest: memoryview) -> memoryview:
        try:
            rest = rest[os.write(stdin.fileno(), rest[:_CHUNK]) :]
        except BlockingIOError:
            return rest
        except BrokenPipeError:  # the exit status has the reason
            rest = rest[len(rest) :]
        if not rest:
            selector.unregister(stdin)
            with suppress(BrokenPipeError):
                stdin.close()
        return rest

    def _take(self, selector: selectors.BaseSelector, stream: IO[bytes], kept: bytearray) -> None:
        chunk = os.read(stream.fileno(), _CHUNK)
        kept += chunk
        if not chunk:
            selector.unregister(stream)
