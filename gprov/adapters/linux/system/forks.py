"""Processes that are no children of a call: the leader of a session on a terminal, and a copy of this program."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from gprov.adapters.linux.system.signals import restore_signals
from gprov.domain.errors import DeviceFault

_MAX_DESCRIPTORS = 4096
_END_SECONDS = 5.0
_END_POLL_SECONDS = 0.01


def start_on_terminal(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> tuple[int, int]:
    """Start a program as the leader of a session on a new terminal. ``argv[0]``: its absolute path; ``env``: its whole
    environment. Returns process id and the terminal's controlling side. Raises DeviceFault; a program that cannot be
    executed ends with status 127."""
    try:
        pid, terminal = os.forkpty()
    except OSError as exc:
        raise DeviceFault(argv[0], f"cannot start on a terminal: {exc.strerror}", errno=exc.errno) from exc
    if pid == 0:
        try:
            restore_signals()
            os.chdir(cwd)
            os.execve(argv[0], list(argv), dict(env))  # noqa: S606 - the program is the task
        finally:
            os._exit(127)
    return pid, terminal


def start_copy(work: Callable[[], None], keep: int) -> int:
    """Do ``work`` in a copy of this process, which keeps no open files but the standard ones and ``keep``. Returns its
    number. What ``work`` needs must be imported: the copy may have lost its root. Raises OSError."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.closerange(3, keep)
            os.closerange(keep + 1, _MAX_DESCRIPTORS)
            work()
        except Exception as exc:  # noqa: BLE001 - it must not go on in the caller's frames
            with suppress(OSError):
                os.write(2, f"copy of process {os.getppid()} failed: {type(exc).__name__}: {exc}\n".encode())
        finally:
            os._exit(0)
    return pid


def end_session(pid: int, seconds: float = _END_SECONDS, members: Callable[[int], set[int]] | None = None) -> bool:
    """Kill what ``start_on_terminal`` started, with all processes of its session: a shell gives each job a group of its
    own. Returns False if some did not end within ``seconds``: the kernel ends no process that waits for a device that
    hangs. ``members``: processes of a session, by its number; None: those in /proc."""
    find = members or _session_members
    end = time.monotonic() + seconds
    while (left := find(pid)) and time.monotonic() < end:
        for member in left:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        time.sleep(_END_POLL_SECONDS)
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not left


def _session_members(session: int) -> set[int]:
    """Processes that have not ended. Source: proc(5), /proc/PID/stat: fields 3 (state) and 6 (session)."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            if int(fields[3]) == session and fields[0] not in b"ZX":
                found.add(int(name))
    return found
