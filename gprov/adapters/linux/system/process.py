"""Processes port on subprocess: the only module that starts programs."""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, BinaryIO, cast

from typing_extensions import override

from gprov.adapters.linux.system.signals import restore_signals
from gprov.domain.errors import DeadlineExceeded, DeviceFault, ToolFailed, ToolMissing
from gprov.ports.process import SEARCH_PATH, Completed, Processes, Running

_TAIL = 4096
_MAX_DESCRIPTORS = 4096
_END_SECONDS = 5.0
_END_POLL_SECONDS = 0.01


class SystemProcesses(Processes):
    """Real processes, each in its own process group so that its children can be ended too."""

    def __init__(self, path: str = SEARCH_PATH) -> None:
        self._path = path

    @override
    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float = 300.0,
        check: bool = True,
    ) -> Completed:
        child = self._spawn(argv, env, cwd, subprocess.PIPE if stdin else subprocess.DEVNULL, None)
        try:
            output, errors = child.communicate(stdin or None, timeout)
        except subprocess.TimeoutExpired as exc:
            _end(child)
            raise DeadlineExceeded(argv[0], timeout) from exc
        except BaseException:
            _end(child)
            raise
        done = Completed(child.returncode, output, errors)
        if check and done.status:
            raise failure(argv, done)
        return done

    @override
    @contextmanager
    def start(
        self,
        argv: Sequence[str],
        *,
        feed: bool = False,
        log: str | None = None,
        most: int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Iterator[Running]:
        # Output is spooled to a file: a pipe would not be read while the program is fed, and block it when full.
        with open(log, "ab") if log else tempfile.TemporaryFile() as spool:
            mode = subprocess.PIPE if feed else subprocess.DEVNULL
            child = self._spawn(argv, env, cwd, mode, spool)
            try:
                if most is not None:
                    _limit_files(child.pid, most)
                yield _Child(child, argv[0], spool, keep=log is None)
            finally:
                _end(child)

    @override
    def which(self, program: str) -> str | None:
        return shutil.which(program, path=self._path)

    def _spawn(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None,
        cwd: str | None,
        stdin: int,
        spool: IO[bytes] | None,
    ) -> subprocess.Popen[bytes]:
        program = self.which(argv[0])
        if program is None:
            raise ToolMissing(argv[0])
        try:
            return subprocess.Popen(
                list(argv),
                executable=program,
                stdin=stdin,
                stdout=spool if spool is not None else subprocess.PIPE,
                stderr=spool if spool is not None else subprocess.PIPE,
                env={"PATH": self._path, "LC_ALL": "C", **(env or {})},
                cwd=cwd,
                process_group=0,
            )
        except OSError as exc:
            raise DeviceFault(argv[0], f"cannot start: {exc.strerror}", errno=exc.errno) from exc


class _Child(Running):
    def __init__(self, child: subprocess.Popen[bytes], program: str, spool: IO[bytes], keep: bool) -> None:
        self._child = child
        self._program = program
        self._spool = spool
        self._keep = keep

    @property
    @override
    def pid(self) -> int:
        return self._child.pid

    @property
    @override
    def stdin(self) -> BinaryIO:
        if self._child.stdin is None:
            raise DeviceFault(self._program, "was started without a pipe to feed it")
        return cast(BinaryIO, self._child.stdin)

    @override
    def wait(self, timeout: float) -> Completed:
        if self._child.stdin is not None:
            with suppress(BrokenPipeError):  # the exit status has the reason
                self._child.stdin.close()
        try:
            status = self._child.wait(timeout)
        except subprocess.TimeoutExpired as exc:
            raise DeadlineExceeded(self._program, timeout) from exc
        output = b""
        if self._keep:
            self._spool.seek(0)
            output = self._spool.read()
        return Completed(status, output, b"")

    @override
    def poll(self) -> int | None:
        return self._child.poll()

    @override
    def kill(self) -> None:
        _end(self._child)


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


def failure(argv: Sequence[str], done: Completed) -> ToolFailed:
    """The error for a failed program, with a command line that can be pasted."""
    how = f"killed by signal {-done.status}" if done.status < 0 else f"exit status {done.status}"
    tail = (done.errors or done.output)[-_TAIL:].decode(errors="replace")
    last = tail.strip().splitlines()[-1:] or [""]
    reason = f"{how}: {last[0]}" if last[0] else how
    return ToolFailed(argv[0], reason, command=shlex.join(argv), output=tail)


def _limit_files(pid: int, size: int) -> None:
    """From outside: the child may not run code of this program, which has threads, before it is another program."""
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdin is not None:
        with suppress(BrokenPipeError):
            child.stdin.close()
    child.wait()
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()
