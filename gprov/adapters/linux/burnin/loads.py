"""Loads of a burn-in by stress-ng, memtester and fio."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import assert_never

from typing_extensions import override

from gprov.adapters.linux.disk.drive_commands import exclusive_disk
from gprov.domain.disk.layout import MIB
from gprov.domain.errors import BadInput, ToolFailed
from gprov.domain.formats.loads.fio import parse_fio
from gprov.domain.formats.loads.memtester import memory_failures, wrong_words
from gprov.domain.formats.loads.stress_ng import cpu_failures, cpu_rate, wrong_results
from gprov.domain.mfg.burnin.loads import CpuLoad, Load, LoadResult, MemoryLoad, ReadingLoad, ReadLoad, WriteLoad
from gprov.ports.burnin import Loads, RunningLoad
from gprov.ports.destructive.write_loads import WriteLoads
from gprov.ports.process import Completed, Processes, Running

STRESS, MEMTESTER, FIO = "stress-ng", "memtester", "fio"
# A program that has ended leaves its output at once.
_END_SECONDS = 5.0
_TAIL = 2000
# Of output, which is kept in memory: memtester prints a line for each wrong word, and 58 kB of progress in each loop.
_MOST_OUTPUT, _OF_LOOP = MIB, MIB // 8
# fio(1): what was written is read back after so many blocks, as long as the disk's cache may not hold them.
_FIO_BLOCK, _FIO_BACKLOG = "1M", 256
# Errors of a disk also where not a byte was read or written; others are then those of fio or of what it was asked for.
_GONE = (errno.EIO, errno.ENXIO, errno.ENODEV)
_FIO_ERRORS = "errno {error} ({text})"

Judged = Callable[[Completed], "LoadResult | None"]


class ToolLoads(Loads):
    """``folder``: where programs may leave files."""

    def __init__(self, processes: Processes, folder: str = "/tmp") -> None:  # noqa: S108 - of the initramfs
        self._processes = processes
        self._folder = folder

    @override
    def missing(self, load: Load) -> str:
        program = _program(load)
        return "" if self._processes.which(program) else program

    @override
    @contextmanager
    def start(self, load: ReadingLoad) -> Iterator[RunningLoad]:
        match load:
            case CpuLoad():
                argv, judged = cpu_argv(load), _cpu_result(load)
            case MemoryLoad():
                argv, judged = memory_argv(load), _memory_result(load)
            case ReadLoad():
                argv, judged = read_argv(load), _disk_result(load)
            case _:
                assert_never(load)
        most = _MOST_OUTPUT + (load.loops * _OF_LOOP if isinstance(load, MemoryLoad) else 0)
        with self._processes.start(argv, most=most, cwd=self._folder) as child:
            yield _ToolLoad(load, argv, child, judged)


class FioWriteLoads(WriteLoads):
    """``include_loop``: accept loop devices too, for tests."""

    def __init__(
        self, processes: Processes, sysfs: str = "/sys", dev: str = "/dev", *, include_loop: bool = False
    ) -> None:
        self._processes = processes
        self._sysfs = sysfs
        self._dev = dev
        self._include_loop = include_loop

    @override
    @contextmanager
    def start(self, load: WriteLoad) -> Iterator[RunningLoad]:
        argv = write_argv(load)
        kept = exclusive_disk(load.disk, self._sysfs, self._dev, include_loop=self._include_loop)
        with kept, self._processes.start(argv) as child:
            yield _ToolLoad(load, argv, child, _disk_result(load))


class _ToolLoad(RunningLoad):
    def __init__(self, load: Load, argv: Sequence[str], child: Running, judged: Judged) -> None:
        self._load = load
        self._argv = argv
        self._child = child
        self._judged = judged
        self._result: LoadResult | None = None

    @override
    def result(self) -> LoadResult | None:
        if self._result is None and self._child.poll() is not None:
            done = self._child.wait(_END_SECONDS)
            self._result = self._judged(done)
            if self._result is None:
                tail = done.output[-_TAIL:].decode(errors="replace")
                command = " ".join(self._argv)
                raise ToolFailed(
                    self._argv[0], f"exit status {done.status}, without a result", command=command, output=tail
                )
        return self._result

    @override
    def end(self) -> LoadResult | None:
        self._child.kill()
        found = _found(self._load, self._child.wait(_END_SECONDS).output)
        return LoadResult(self._load, found) if found else None


def _found(load: Load, output: bytes) -> tuple[str, ...]:
    """What a load prints as soon as it finds it. fio reports at its end only."""
    match load:
        case CpuLoad():
            return wrong_results(output)
        case MemoryLoad():
            return wrong_words(output)
        case ReadLoad() | WriteLoad():
            return ()
    assert_never(load)


def cpu_argv(load: CpuLoad) -> tuple[str, ...]:
    """All methods in turn; each result is compared with the one that it must be (stress-ng(1), --verify)."""
    return (
        *(STRESS, "--cpu", str(load.workers), "--cpu-method", "all", "--verify"),
        *("--timeout", f"{load.seconds}s", "--metrics-brief", "--temp-path", "."),
    )


def memory_argv(load: MemoryLoad) -> tuple[str, ...]:
    return (MEMTESTER, f"{load.size // MIB}M", str(load.loops))


def read_argv(load: ReadLoad) -> tuple[str, ...]:
    return (*_fio(load), "--rw=read", "--readonly")


def write_argv(load: WriteLoad) -> tuple[str, ...]:
    return (
        *_fio(load),
        *("--rw=write", "--verify=crc32c", f"--verify_backlog={_FIO_BACKLOG}", "--verify_fatal=1"),
        "--verify_state_save=0",  # else it leaves a file in the current folder
    )


def _fio(load: ReadLoad | WriteLoad) -> tuple[str, ...]:
    """``--thread``: without a second process, which could survive the first."""
    return (
        *(FIO, "--name=burn-in", f"--filename={load.disk.node}", f"--bs={_FIO_BLOCK}", "--ioengine=psync"),
        *(
            "--direct=1",
            "--allow_file_create=0",
            "--time_based",
            f"--runtime={load.seconds}",
            "--thread",
            "--output-format=json",
        ),
    )


def _program(load: Load) -> str:
    match load:
        case CpuLoad():
            return STRESS
        case MemoryLoad():
            return MEMTESTER
        case ReadLoad() | WriteLoad():
            return FIO
    assert_never(load)


def _cpu_result(load: CpuLoad) -> Judged:
    def judged(done: Completed) -> LoadResult | None:
        failures = cpu_failures(done.status, done.output)
        return None if failures is None else LoadResult(load, failures, cpu_rate(done.output))

    return judged


def _memory_result(load: MemoryLoad) -> Judged:
    def judged(done: Completed) -> LoadResult | None:
        failures = memory_failures(done.status, done.output, load.size)
        return None if failures is None else LoadResult(load, failures)

    return judged


def _disk_result(load: ReadLoad | WriteLoad) -> Judged:
    """An error of the disk is in fio's report; without a report, fio itself failed."""

    def judged(done: Completed) -> LoadResult | None:
        try:
            job = parse_fio(done.output, writes=isinstance(load, WriteLoad))
        except BadInput:
            return None
        if job.error and not job.done and job.error not in _GONE:
            return None
        if job.error:
            return LoadResult(
                load, (_FIO_ERRORS.format(error=job.error, text=os.strerror(job.error)),), float(job.rate)
            )
        return None if done.status else LoadResult(load, (), float(job.rate))

    return judged
