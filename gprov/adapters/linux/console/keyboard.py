"""Bytes of a terminal as keys and characters (ECMA-48 sequences, as the Linux console, VT100 and xterm send them)."""

from __future__ import annotations

from collections.abc import Iterator

from gprov.domain.display.keys import Input, Key, Typed

# Seconds without a byte after which an escape byte is the Escape key and no beginning of a sequence. Serial lines over
# a network deliver a sequence in pieces.
ESCAPE_SECONDS = 0.5
_ESC = 0x1B
_CR, _LF = 0x0D, 0x0A
_BACKSPACES = (0x08, 0x7F)
_ARROWS = {ord("A"): Key.UP, ord("B"): Key.DOWN, ord("C"): Key.RIGHT, ord("D"): Key.LEFT}
# Keypad Enter in application mode
_SS3_ENTER = ord("M")
_SEQUENCE_LIMIT = 16


class KeyDecoder:
    """Keeps the beginning of a sequence until its rest arrives."""

    def __init__(self) -> None:
        self._pending = b""
        self._since = 0.0
        self._after_cr = False

    @property
    def due(self) -> float | None:
        """When ``expire`` is to be called; None: no sequence has begun."""
        return self._since + ESCAPE_SECONDS if self._pending else None

    def feed(self, data: bytes, now: float) -> list[Input]:
        """``now``: seconds on any clock. What has arrived goes on with a sequence, however late it is read: a program
        that draws on a slow line reads late. NUL and bytes above ASCII are noise of a line and have no effect."""
        entered: list[Input] = []
        for byte in data:
            if 0 < byte < 0x80:
                entered.extend(self._byte(byte, now))
        return entered

    def expire(self, now: float) -> list[Input]:
        """Called when nothing has arrived: the Escape key, if nothing followed it in time. An incomplete sequence is
        discarded."""
        if not self._pending or now < self._since + ESCAPE_SECONDS:
            return []
        alone, self._pending = self._pending == bytes([_ESC]), b""
        return [Key.EXIT] if alone else []

    def reset(self) -> None:
        self._pending, self._after_cr = b"", False

    def _byte(self, byte: int, now: float) -> Iterator[Input]:
        after_cr, self._after_cr = self._after_cr, byte == _CR and not self._pending
        if self._pending:
            yield from self._in_sequence(byte, now)
        elif byte == _ESC:
            self._pending, self._since = bytes([byte]), now
        elif byte in (_CR, _LF):
            # CR LF is one Enter.
            if byte == _CR or not after_cr:
                yield Key.ENTER
        elif byte in _BACKSPACES:
            yield Typed("\b")
        elif byte >= 0x20:
            yield Typed(chr(byte))
        else:
            yield Key.OTHER

    def _in_sequence(self, byte: int, now: float) -> Iterator[Input]:
        pending = self._pending
        if pending == b"\x1b":
            if byte == _ESC:
                self._since = now
                yield Key.EXIT
            elif byte in b"[O":
                self._pending, self._since = pending + bytes([byte]), now
            else:  # a key together with Alt
                self._pending = b""
                yield Key.OTHER
        elif self._goes_on(byte):
            self._pending, self._since = pending + bytes([byte]), now
        else:
            self._pending = b""
            yield _key(pending, byte)

    def _goes_on(self, byte: int) -> bool:
        """Whether a sequence is not complete with this byte: parameters, and ``[[`` of the Linux console's F keys."""
        parameter = 0x20 <= byte <= 0x3F
        return len(self._pending) < _SEQUENCE_LIMIT and (parameter or (self._pending == b"\x1b[" and byte == ord("[")))


def _key(begun: bytes, last: int) -> Key:
    if begun == b"\x1b[[":
        return Key.OTHER
    if begun == b"\x1bO" and last == _SS3_ENTER:
        return Key.ENTER
    return _ARROWS.get(last, Key.OTHER)
