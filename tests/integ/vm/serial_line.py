"""A person at the serial console of a machine: reads what it shows, and types on it.

While a client of QEMU's socket does not read, the guest waits, and QEMU writes a character into its log again at each
try to send it. So this client reads all the time, and looks for texts in what it was sent itself.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from gprov.apps.host.lab.runner import RunningMachine


class SerialLine:
    """``log``: what the console has shown before the connection. One character for each byte in all texts."""

    def __init__(self, live: RunningMachine, log: Path) -> None:
        self._live = live
        self._log = log
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._received = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._before = b""

    def __enter__(self) -> Self:
        self._socket.connect(self._live.console)
        # QEMU accepts a little later; then the socket gets everything, and the log has all from before.
        while not self._is_accepted():
            continue
        self._before = self._log.read_bytes()
        self._reader.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()

    @property
    def shown(self) -> str:
        return (self._before + bytes(self._received)).decode("latin-1")

    def type(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _is_accepted(self) -> bool:
        devices = self._live.qmp.execute("query-chardev")
        assert isinstance(devices, list)
        names = [each["filename"] for each in devices if isinstance(each, dict) and each["label"] == "console"]
        return not str(names[0]).startswith("disconnected:")

    def _read(self) -> None:
        while data := self._socket.recv(1 << 16):
            self._received += data


def type_on_console(live: RunningMachine, log: Path, pairs: Sequence[tuple[str, bytes]], seconds: float) -> None:
    """For each pair: wait, for ``seconds``, until the console has shown a text after that of the pair before; then type
    on it. ``log``: what it has shown."""
    seen = 0
    with SerialLine(live, log) as line:
        for text, typed in pairs:
            ending = live.wait_end(seconds, lambda: line.shown.find(text, seen) < 0)  # noqa: B023 - called in this turn
            # A text may be the last one before a restart.
            place = line.shown.find(text, seen)
            assert place >= 0, f"{text!r} was not shown ({ending.value})"
            seen = place + len(text)
            line.type(typed)
