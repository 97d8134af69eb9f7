"""ConsoleShell port: one shell on a pseudo-terminal, shown on all consoles of the unit. Each may type into it."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
import termios
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from typing_extensions import override

from gprov.adapters.linux.console.terminal import Terminal
from gprov.adapters.linux.system.forks import end_session, start_on_terminal
from gprov.domain.errors import DeviceFault, ToolMissing
from gprov.ports.clock import Clock, Deadline
from gprov.ports.filesystem import Mounts
from gprov.ports.process import SEARCH_PATH
from gprov.ports.shell import ConsoleShell, ShellEnd

_SHELL = ("/bin/sh", "-l")
_ROWS, _COLUMNS = 24, 80
_POLL_SECONDS = 1.0
_CHUNK = 4096


class PtyShell(ConsoleShell):
    """``consoles``: returns the paths of the terminals at which a person may be. ``mounts``: mounts the file system of
    pseudo-terminals, which an initramfs lacks; None: it is mounted. ``shell``: argument vector; its first word is an
    absolute path."""

    def __init__(
        self,
        clock: Clock,
        consoles: Callable[[], Sequence[str]],
        mounts: Mounts | None = None,
        shell: Sequence[str] = _SHELL,
    ) -> None:
        self._clock = clock
        self._mounts = mounts
        self._consoles = consoles
        self._shell = tuple(shell)

    @override
    def run(self, greeting: str, transcript: Callable[[bytes], None], idle_seconds: float) -> ShellEnd:
        if not os.access(self._shell[0], os.X_OK):
            raise ToolMissing(self._shell[0])
        self._mount_terminals()
        env = {"PATH": SEARCH_PATH, "HOME": "/root", "TERM": "linux", "PS1": "recovery# ", "LC_ALL": "C"}
        consoles = [console for console in map(Terminal, self._consoles()) if console.is_open]
        with ExitStack() as stack:
            for console in consoles:
                stack.callback(console.close)
                stack.enter_context(console.raw_mode())
                console.write(f"{greeting}\n")
            pid, terminal = start_on_terminal(self._shell, env, "/")
            stack.callback(end_session, pid)
            stack.callback(os.close, terminal)
            with suppress(OSError):
                fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
            return self._relay(terminal, consoles, transcript, idle_seconds)

    def _mount_terminals(self) -> None:
        if self._mounts is not None:
            try:
                self._mounts.mount("devpts", "/dev/pts", "devpts", ("nosuid", "noexec", "mode=620"))
            except DeviceFault as fault:
                if fault.errno != errno.EBUSY:
                    raise

    def _relay(
        self, terminal: int, consoles: Sequence[Terminal], transcript: Callable[[bytes], None], idle_seconds: float
    ) -> ShellEnd:
        idle = Deadline(self._clock, idle_seconds)
        while not idle.passed:
            living = [console for console in consoles if console.is_open]
            if not living:
                return ShellEnd.HUNG_UP
            sources = [terminal, *(console.fd for console in living)]
            ready = select.select(sources, [], [], min(idle.remaining, _POLL_SECONDS))[0]
            for console in living:
                typed = console.read() if console.fd in ready else b""
                if typed:
                    idle = Deadline(self._clock, idle_seconds)
                    _write(terminal, typed)
            if terminal in ready:
                shown = _read(terminal)
                if not shown:
                    return ShellEnd.EXITED
                transcript(shown)
                for console in living:
                    console.write_bytes(shown)
        return ShellEnd.IDLE


def _read(terminal: int) -> bytes:
    """Output of the shell; empty if the last process has closed the terminal."""
    try:
        return os.read(terminal, _CHUNK)
    except OSError:  # EIO: closed
        return b""


def _write(terminal: int, typed: bytes) -> None:
    """A terminal takes 4 KiB of a line that nothing reads; what is typed faster than a person types is discarded."""
    if select.select([], [terminal], [], 0)[1]:
        with suppress(OSError):  # the shell has ended: the next read finds that
            os.write(terminal, typed)
