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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, BinaryIO, cast

from typing_extensions import override

from gprov.adapters.linux.system.exchange import Exchange
from gprov.domain.errors import DeadlineExceeded, DeviceFault, ToolFailed, ToolMissing
from gprov.ports.process import SEARCH_PATH, Completed, Processes, Running

_TAIL = 4096


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
        end = time.monotonic() + timeout
        try:
            output, errors = _pipes(argv[0], child).run(stdin, timeout)
            child.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired as exc:
            _end(child)
            raise DeadlineExceeded(argv[0], timeout) from exc
        except BaseException:
            _end(child)
            raise
        _close(child)
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


def _pipes(program: str, child: subprocess.Popen[bytes]) -> Exchange:
    return Exchange(program, child.stdin, cast(IO[bytes], child.stdout), cast(IO[bytes], child.stderr))


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    if child.stdin is not None:
        with suppress(BrokenPipeError):
            child.stdin.close()
    child.wait()
    _close(child)


def _close(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdout, child.stderr):
        if stream is not None:
            stream.close()
