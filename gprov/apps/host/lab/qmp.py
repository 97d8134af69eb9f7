"""Client of the QEMU Machine Protocol: one JSON object per line in each direction.

Source: QEMU docs/interop/qmp-spec.txt. Events may come between a command and its reply; they are queued for
``next_event``.

The package qemu.qmp (0.0.6) was tried in place of this module. While its synchronous wrapper waits for an event, it
does not report that QEMU has ended (the wait reaches its deadline, so a crash would look like a timeout). It leaves the
event loop of each thread open, and takes four times as long for a command. With checks for these cases the code was no
shorter.
"""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from gprov.domain.errors import DeadlineExceeded, DeviceFault
from gprov.domain.formats.json.value import Json

_PIECE = 65536
_REPLY_SECONDS = 60.0  # QEMU may reply late on a busy host


@dataclass(frozen=True, slots=True)
class QmpEvent:
    """``name``: SHUTDOWN, RESET, DEVICE_DELETED, …; ``data`` as QEMU documents it for that event."""

    name: str
    data: Mapping[str, Json]


class QmpClosed(DeviceFault):
    """QEMU has ended or closed the connection."""

    def __init__(self) -> None:
        super().__init__("qemu", "has ended")


class Qmp:
    """A connection. QEMU serves one at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""
        self._events: deque[QmpEvent] = deque()
        self._receive(_REPLY_SECONDS)  # the greeting
        self.execute("qmp_capabilities")

    @classmethod
    def connect(cls, path: str, seconds: float) -> Qmp:
        """Connect to the socket; retry for ``seconds`` while it does not exist. Raises DeadlineExceeded."""
        end = time.monotonic() + seconds
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(path)
                return cls(connection)
            except (FileNotFoundError, ConnectionRefusedError) as exc:
                connection.close()
                if time.monotonic() >= end:
                    raise DeadlineExceeded("qemu monitor", seconds) from exc
                time.sleep(0.02)
            except BaseException:
                connection.close()
                raise

    def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Json:
        """Run a command and return its result. Raises DeviceFault with QEMU's reason, QmpClosed."""
        message = {"execute": command} | ({"arguments": arguments} if arguments else {})
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as exc:
            raise QmpClosed from exc
        while True:
            reply = self._receive(_REPLY_SECONDS)
            if reply is None:
                raise DeadlineExceeded(f"qemu: reply to {command}", _REPLY_SECONDS)
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                error = reply["error"]
                reason = error.get("desc") if isinstance(error, Mapping) else None
                raise DeviceFault("qemu", f"{command}: {reason or 'refused'}")
            self._queue_event(reply)

    def next_event(self, seconds: float) -> QmpEvent | None:
        """Return the next event in order, None after ``seconds`` without one. Raises QmpClosed."""
        if not self._events:
            message = self._receive(seconds)
            if message is not None:
                self._queue_event(message)
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _queue_event(self, message: Mapping[str, Json]) -> None:
        name, data = message.get("event"), message.get("data")
        if isinstance(name, str):
            self._events.append(QmpEvent(name, data if isinstance(data, Mapping) else {}))

    def _receive(self, seconds: float) -> Mapping[str, Json] | None:
        """Return the next message, None after ``seconds`` without one."""
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            self._connection.settimeout(max(0.001, end - time.monotonic()))
            try:
                piece = self._connection.recv(_PIECE)
            except TimeoutError:
                return None
            except OSError as exc:
                raise QmpClosed from exc
            if not piece:
                raise QmpClosed
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return _message(line)


def _message(line: bytes) -> Mapping[str, Json]:
    try:
        value = json.loads(line)
    except ValueError as exc:
        raise DeviceFault("qemu", f"sent a line that is not QMP: {line[:80]!r}") from exc
    if not isinstance(value, dict):
        raise DeviceFault("qemu", f"sent a line that is not QMP: {line[:80]!r}")
    return value
