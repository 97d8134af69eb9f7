"""What stress-ng, memtester and fio really do when something is wrong, and how the adapter judges it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gprov.adapters.linux.burnin.loads import FioWriteLoads, ToolLoads
from gprov.adapters.linux.disk.block import SysfsBlockDevices
from gprov.adapters.linux.system.process import SystemProcesses
from gprov.domain.disk.layout import MIB
from gprov.domain.disk.model import Disk
from gprov.domain.errors import ToolFailed, ToolMissing
from gprov.domain.mfg.burnin.loads import CpuLoad, LoadResult, MemoryLoad, ReadLoad, WriteLoad
from gprov.ports.burnin import RunningLoad
from gprov.ports.process import SEARCH_PATH

HALF = 16 * MIB
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root and loop devices")


@pytest.fixture
def loads(tmp_path: Path) -> ToolLoads:
    return ToolLoads(SystemProcesses(f"{tmp_path}:{SEARCH_PATH}"), str(tmp_path))


def end(running: RunningLoad) -> LoadResult:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        result = running.result()
        if result is not None:
            return result
        time.sleep(0.05)
    raise AssertionError("the load does not end")


def replaced(tmp_path: Path, program: str, script: str) -> None:
    """The program is this script instead."""
    path = tmp_path / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_bad_memory_is_a_finding(loads: ToolLoads, tmp_path: Path) -> None:
    """Nothing makes memory of this machine bad: a program in front of the real one reports it in its words."""
    replaced(
        tmp_path,
        "memtester",
        f'PATH={SEARCH_PATH} memtester "$@"\n'
        'printf "  Random Value  : FAILURE: 0x%016x != 0x%016x at offset 0x%016x.\\n" 5 4 64 >&2\nexit 4',
    )
    with loads.start(MemoryLoad(0, MIB, 1)) as running:
        assert end(running).failures == (
            "FAILURE: 0x0000000000000005 != 0x0000000000000004 at offset 0x0000000000000040",
        )


def test_memory_of_which_every_word_is_wrong_does_not_fill_the_memory_with_findings(
    loads: ToolLoads, tmp_path: Path
) -> None:
    """The output is kept in memory, of which a burn-in leaves little: the program is ended, and its findings count."""
    line = "FAILURE: 0x0000000000000005 != 0x0000000000000004 at offset 0x0000000000000040"
    replaced(
        tmp_path,
        "memtester",
        'printf "got  1MB (1048576 bytes), trying mlock ...locked.\\n"\n'
        f"exec awk 'BEGIN {{ while (n++ < 800000) print \"{line}.\" }}'",
    )
    log = tmp_path / "size"
    with SystemProcesses(f"{tmp_path}:{SEARCH_PATH}").start(("memtester",), log=str(log), most=MIB) as child:
        assert child.wait(60).status == -signal.SIGXFSZ
    assert MIB <= log.stat().st_size < 32 * MIB  # of 62 MiB: the limit may come late on a busy machine
    with loads.start(MemoryLoad(0, MIB, 1)) as running:
        assert end(running).failures == (line,) * 20


@pytest.mark.parametrize(
    ("program", "load", "line"),
    [
        ("memtester", MemoryLoad(0, MIB, 1), "FAILURE: 0x5 != 0x4 at offset 0x40"),
        ("stress-ng", CpuLoad(1, 60), "stress-ng: fail:  [7] cpu: gcd error detected"),
    ],
)
def test_what_was_found_counts_though_the_load_is_ended(
    loads: ToolLoads, tmp_path: Path, program: str, load: CpuLoad | MemoryLoad, line: str
) -> None:
    replaced(tmp_path, program, f'echo "{line}" >&2; touch {tmp_path}/begun; sleep 60')
    with loads.start(load) as running:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        assert running.result() is None
        found = running.end()
        assert found is not None
        assert found.failures == (line.rpartition("] ")[2],)


def test_a_load_that_has_found_nothing_when_it_is_ended(loads: ToolLoads) -> None:
    for load in (CpuLoad(1, 60), MemoryLoad(0, 64 * MIB, 100)):
        with loads.start(load) as running:
            assert running.end() is None


def test_memory_that_cannot_be_locked_is_no_finding(loads: ToolLoads, tmp_path: Path) -> None:
    replaced(tmp_path, "memtester", f'ulimit -v 8192; PATH={SEARCH_PATH} exec memtester "$@"')
    with loads.start(MemoryLoad(0, 64 * MIB, 1)) as running, pytest.raises(ToolFailed, match="without a result"):
        end(running)


@pytest.mark.parametrize("load", [CpuLoad(1, 60), MemoryLoad(0, 64 * MIB, 100)])
def test_a_program_that_is_killed_says_nothing_about_the_unit(
    loads: ToolLoads, load: CpuLoad | MemoryLoad, tmp_path: Path
) -> None:
    program = "stress-ng" if isinstance(load, CpuLoad) else "memtester"
    replaced(tmp_path, program, f'echo $$ >{tmp_path}/pid; PATH={SEARCH_PATH} exec {program} "$@"')
    with loads.start(load) as running:
        pid = tmp_path / "pid"
        while not pid.exists() or not pid.read_text().strip():
            time.sleep(0.05)
        assert running.result() is None
        os.kill(int(pid.read_text()), signal.SIGKILL)
        with pytest.raises(ToolFailed, match="without a result"):
            end(running)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    loads = ToolLoads(SystemProcesses(str(tmp_path)), str(tmp_path))
    assert loads.missing(CpuLoad(1, 1)) == "stress-ng"
    assert loads.missing(MemoryLoad(0, MIB, 1)) == "memtester"
    with pytest.raises(ToolMissing), loads.start(CpuLoad(1, 1)):
        raise AssertionError("started")


@pytest.fixture
def failing_disk(tmp_path: Path) -> Iterator[Disk]:
    """A loop device whose second half has gone: reads and writes of it fail."""
    image = tmp_path / "image"
    image.write_bytes(bytes(2 * HALF))
    argv = ("losetup", "--find", "--show", str(image))
    node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    try:
        disk = next(disk for disk in SysfsBlockDevices(include_loop=True).disks() if disk.node == node)
        os.truncate(image, HALF)
        yield disk
    finally:
        subprocess.run(["losetup", "--detach", node], check=True)


@needs_root
def test_an_error_of_a_disk_is_a_finding(loads: ToolLoads, failing_disk: Disk) -> None:
    with loads.start(ReadLoad(failing_disk, 30)) as running:
        found = end(running)
    assert found.failures == ("errno 5 (Input/output error)",)


@needs_root
def test_a_disk_that_gives_back_other_bytes_is_a_finding(tmp_path: Path) -> None:
    """Beside the real fio, another program overwrites the disk again and again while fio compares."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(1 << 30)
    argv = ("losetup", "--find", "--show", str(image))
    node = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()
    spoil = f"dd if=/dev/zero of={node} bs=1M count=64 conv=notrunc oflag=direct 2>/dev/null"
    script = (
        f"PATH={SEARCH_PATH}",
        f"while :; do {spoil}; done &",
        "spoiler=$!",
        'fio "$@"',
        "status=$?; kill $spoiler; wait $spoiler; exit $status",
    )
    replaced(tmp_path, "fio", "\n".join(script))
    try:
        disk = next(disk for disk in SysfsBlockDevices(include_loop=True).disks() if disk.node == node)
        writes = FioWriteLoads(SystemProcesses(f"{tmp_path}:{SEARCH_PATH}"), include_loop=True)
        with writes.start(WriteLoad(disk, 20)) as running:
            found = end(running)
        assert found.failures == (f"errno {errno.EILSEQ} ({os.strerror(errno.EILSEQ)})",)
    finally:
        subprocess.run(["losetup", "--detach", node], check=True)


@needs_root
def test_a_disk_without_a_device_file_is_no_finding(loads: ToolLoads, failing_disk: Disk) -> None:
    with (
        loads.start(ReadLoad(replace(failing_disk, node="/dev/nosuch"), 1)) as running,
        pytest.raises(ToolFailed, match="without a result"),
    ):
        end(running)
