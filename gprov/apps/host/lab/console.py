"""Connects a unit's serial console to the user's terminal."""

from __future__ import annotations

import os
import select
import socket
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.domain.errors import DeviceFault

LEAVE = b"\x1d"  # Ctrl-], as with telnet
_PIECE = 4096
_POLL_SECONDS = 0.2
_SECONDS = 10.0  # a console that accepts no bytes for this time counts as broken


def interact(live: RunningMachine, source: int, sink: int) -> Ending | None:
    """Copy bytes between two open files (the user's keys and screen) and the console, until the guest ends or the user
    presses Ctrl-] (None). A source that ends is no longer read. Raises DeviceFault if the console breaks."""
    with _connected(live.console) as console, _raw(source):
        readable = [source, console.fileno()]
        while True:
            for ready in select.select(readable, [], [], _POLL_SECONDS)[0]:
                if ready == console.fileno():
                    _write_all(sink, console.recv(_PIECE))
                elif not _pass_keys(source, console, readable):
                    return None
            ending = live.wait_end(0.001)
            if ending is not Ending.TIMEOUT:
                return ending


def _pass_keys(source: int, console: socket.socket, readable: list[int]) -> bool:
    """Return False if the user pressed Ctrl-]."""
    keys = os.read(source, _PIECE)
    if not keys:
        readable.remove(source)
    before, leave, _ = keys.partition(LEAVE)
    console.sendall(before)
    return not leave


@contextmanager
def _connected(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as console:
        try:
            console.settimeout(_SECONDS)
            console.connect(path)
            yield console
        except OSError as exc:
            raise DeviceFault(
                "console", f"connection to the serial console failed: {exc.strerror or exc}", errno=exc.errno
            ) from exc


@contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """Set the terminal to raw mode: all keys are sent to the guest, Ctrl-C included."""
    if not os.isatty(terminal):
        yield
        return
    before = termios.tcgetattr(terminal)
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _write_all(sink: int, data: bytes) -> None:
    while data:
        data = data[os.write(sink, data) :]
