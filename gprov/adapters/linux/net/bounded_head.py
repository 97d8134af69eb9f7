"""Answers whose status line and headers are limited in size.

``http.client`` limits a line and the number of headers of one answer, but skips interim answers (RFC 9110, section
15.2) without end.
"""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, cast

from typing_extensions import override

if TYPE_CHECKING:
    from io import BufferedReader

# Bytes of all that comes before the body, interim answers included.
MOST_HEAD = 64 << 10


class HeadTooLong(HTTPException):
    """More than ``MOST_HEAD`` bytes came before the body."""


class BoundedResponse(HTTPResponse):
    @override
    def begin(self) -> None:
        """Raises HeadTooLong."""
        stream = self.fp
        head = _Head(stream)
        self.fp = cast("BufferedReader", head)
        super().begin()
        if self.fp is not None:  # None: there is no body, and the stream is closed
            self.fp = stream


class _Head:
    """The part of a stream that ``HTTPResponse.begin`` reads, by lines."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._left = MOST_HEAD

    def readline(self, size: int = -1) -> bytes:
        line = self._stream.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise HeadTooLong
        return line

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()
