"""What a terminal showed, as log lines."""

from __future__ import annotations

from gprov.apps.unit.reporting.bus import EventBus

_LONGEST_LINE = 1000


class Transcript:
    """A line is logged when it is complete; a longer one than 1,000 bytes in parts. Control characters are logged as
    escape sequences."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._pending = b""

    def add(self, shown: bytes) -> None:
        """``shown``: raw bytes, in any portions."""
        *lines, self._pending = (self._pending + shown).split(b"\n")
        for line in lines:
            self._log(line)
        while len(self._pending) > _LONGEST_LINE:
            self._log(self._pending[:_LONGEST_LINE])
            self._pending = self._pending[_LONGEST_LINE:]

    def close(self) -> None:
        """Log what is left of the last line."""
        if self._pending:
            self._log(self._pending)
        self._pending = b""

    def _log(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode(errors="replace")
        # Not a line break: a log line of its own would look like another event.
        escaped = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
        self._bus.copy_of_console(f"shell| {escaped}")
