"""Event sinks on real files, terminals and a disk that is really full."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.events.kmsg import KmsgSink
from gprov.adapters.linux.events.sinks import ConsoleSink, FileSink
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.transcript import Transcript
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    OperationPhase,
    OperationReport,
    ProcessState,
    Progress,
    Severity,
    StateChange,
)
from gprov.domain.log_files import log_order

NOON = 1_772_366_459_123_456_789  # 2026-03-01 12:00:59 UTC
BODIES: tuple[Body, ...] = (
    LogLine("detail"),
    LogLine("Checking the image", Severity.MSG),
    LogLine("slow", Severity.WARNING),
    LogLine("two\nlines\x1b[2J", Severity.ERROR),
    OperationReport("format", OperationPhase.DONE, 1.0),
    OperationReport("unpack", OperationPhase.FAILED, 1.0, "disk is gone"),
    StateChange(ProcessState.FR_STARTED),
    Progress("verify x", 0, 100),
    Progress("verify x", 9, 100),
    Progress("verify x", 25, 100),
    Progress("verify x", 29, 100),
    Progress("verify x", 100, 100),
    Progress("fetch", 9, 0),
)


def events(bodies: tuple[Body, ...] = BODIES, time_ns: int = NOON) -> list[Event]:
    return [Event(number, time_ns, body) for number, body in enumerate(bodies, 1)]


def clock() -> FakeClock:
    return FakeClock(NOON)


# --- console ----------------------------------------------------------------------------------------------------------


def test_the_console_shows_the_operator_s_messages(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.touch()
    sink = ConsoleSink(ConsoleLog(str(console)))
    for event in events():
        sink.publish(event)
    sink.close()
    assert console.read_bytes().decode().split("\r\n") == [
        "Checking the image",
        "Warning: slow",
        "ERROR: two",
        "lines\\x1b[2J",
        "ERROR: failed after 1.0 s: unpack: disk is gone",
        "verify x: 0%",
        "verify x: 20%",
        "verify x: 100%",
        "",
    ]


def test_verbose_shows_the_log(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.touch()
    sink = ConsoleSink(ConsoleLog(str(console)), verbose=True)
    for event in events():
        sink.publish(event)
    sink.close()
    assert console.read_text().startswith("2026-03-01T12:00:59.123Z LOG detail")
    assert len(console.read_text().splitlines()) == len(BODIES) + 1


@pytest.mark.parametrize("verbose", [False, True])
def test_what_consoles_have_shown_is_not_shown_again(tmp_path: Path, verbose: bool) -> None:
    console = tmp_path / "console"
    console.touch()
    sink = ConsoleSink(ConsoleLog(str(console)), verbose=verbose)
    bus = EventBus(clock())
    bus.attach(sink)
    transcript = Transcript(bus)
    transcript.add(b"recovery# ls\r\n")
    bus.message("closed")
    bus.close()
    assert console.read_text().rstrip().endswith("closed")
    assert "ls" not in console.read_text()
    assert "shell| recovery# ls" in [event.body.text for event in bus.events if isinstance(event.body, LogLine)]


def test_a_console_that_is_missing_or_dead_costs_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        sink = ConsoleSink(ConsoleLog(str(path)))
        for event in events():
            sink.publish(event)
        sink.close()


@pytest.mark.parametrize("stopped", [False, True], ids=["no reader", "flow control"])
def test_a_console_that_takes_no_bytes_delays_nothing_for_long(stopped: bool) -> None:
    master, slave = pty.openpty()
    try:
        if stopped:
            termios.tcflow(slave, termios.TCOOFF)
        sink = ConsoleSink(ConsoleLog(os.ttyname(slave)), verbose=True)
        started = time.monotonic()
        for event in events((LogLine("x" * 1000),) * 200):
            sink.publish(event)
        assert time.monotonic() - started < 5
        termios.tcflow(slave, termios.TCOON)
        while select.select([master], [], [], 0.2)[0]:
            os.read(master, 65536)
        sink.publish(events((LogLine("it listens again"),))[0])
        assert b"it listens again" in os.read(master, 65536)
        sink.close()
    finally:
        os.close(master)
        os.close(slave)


def test_a_console_that_is_a_full_pipe_delays_nothing_for_long(tmp_path: Path) -> None:
    pipe = tmp_path / "console"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sink = ConsoleSink(ConsoleLog(str(pipe)), verbose=True)
        started = time.monotonic()
        for event in events((LogLine("x" * 1000),) * 200):
            sink.publish(event)
        assert time.monotonic() - started < 5
        sink.close()
    finally:
        os.close(reader)


# --- file -------------------------------------------------------------------------------------------------------------


def test_everything_is_in_the_file(tmp_path: Path) -> None:
    sink = FileSink(clock(), str(tmp_path / "log"), "mfg")
    for event in events():
        sink.publish(event)
    sink.close()
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["mfg20260301_1200.log"]
    lines = Path(sink.path).read_text().splitlines()
    assert len(lines) == len(BODIES) + 1
    assert lines[0] == "2026-03-01T12:00:59.123Z LOG detail"


def test_boots_with_equal_times_have_separate_logs_in_order(tmp_path: Path) -> None:
    hour = 3600 * 1_000_000_000
    for time_ns in (NOON, NOON, 0, 0, NOON, NOON + hour):
        sink = FileSink(FakeClock(time_ns), str(tmp_path))
        sink.publish(Event(1, time_ns, LogLine(f"start {len(os.listdir(tmp_path))}")))
        sink.close()
    names = sorted(os.listdir(tmp_path), key=lambda name: log_order(name) or (0, ""))
    assert names == [
        "recov20260301_1200.log",
        "recov20260301_1200-1.log",
        "recov19700101_0000-2.log",
        "recov19700101_0000-3.log",
        "recov20260301_1200-3.log",
        "recov20260301_1300-3.log",
    ]
    assert [(tmp_path / name).read_text().split()[-1] for name in names] == list("012345")


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    """The folder may belong to admin, who may not write where root may."""
    secret = tmp_path / "secret"
    secret.write_text("hash")
    sink = FileSink(clock(), str(tmp_path / "log"))
    sink.publish(Event(1, NOON, LogLine("first")))
    sink.close()
    os.unlink(sink.path)
    os.symlink(secret, sink.path)
    with pytest.raises(DeviceFault, match="cannot write log"):
        sink.publish(Event(2, NOON, LogLine("second")))
    assert secret.read_text() == "hash"


def test_a_medium_that_fails_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sink = FileSink(clock(), str(tmp_path / "file" / "log"))
    with pytest.raises(DeviceFault, match="cannot write log"):
        sink.publish(events()[0])
    sink.close()


@pytest.mark.parametrize("dangling", [False, True])
def test_a_log_folder_that_is_a_link_is_refused(tmp_path: Path, dangling: bool) -> None:
    outside = tmp_path / "outside"
    if not dangling:
        outside.mkdir()
    (tmp_path / "log").symlink_to(outside)
    sink = FileSink(clock(), str(tmp_path / "log"))
    with pytest.raises(DeviceFault, match="cannot write log"):
        sink.publish(events()[0])
    sink.close()
    assert not dangling or not outside.exists()
    assert dangling or not list(outside.iterdir())


def test_a_log_that_becomes_a_link_is_refused(tmp_path: Path) -> None:
    folder, outside = tmp_path / "log", tmp_path / "outside"
    sink = FileSink(clock(), str(folder))
    sink.publish(events()[0])
    sink.close()
    Path(sink.path).unlink()
    Path(sink.path).symlink_to(outside)
    with pytest.raises(DeviceFault, match="cannot write log"):
        sink.publish(events()[0])
    assert not outside.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """64 KiB of room."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a tmpfs")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)], check=False).returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.device
def test_a_full_disk_costs_lines_which_are_counted(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    sink = FileSink(clock(), str(small_disk))
    sink.publish(Event(1, NOON, LogLine("first")))
    ballast.write_bytes(b"x" * 60 * 1024)
    lost = 0
    for number in range(10):
        before = Path(sink.path).read_text()
        sink.publish(Event(2, NOON, LogLine(f"{number} " + "y" * 3000)))
        lost += Path(sink.path).read_text() == before
    assert 0 < lost < 10
    assert Path(sink.path).read_text().endswith("\n")  # no torn line
    ballast.unlink()
    sink.publish(Event(3, NOON, LogLine("last")))
    sink.close()
    assert Path(sink.path).read_text().splitlines()[-2:] == [
        f"2026-03-01T12:00:59.123Z WARNING file log: {lost} lines not written (no space left on the volume)",
        "2026-03-01T12:00:59.123Z LOG last",
    ]


@pytest.mark.device
def test_a_disk_that_stays_full_is_reported_at_the_end(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 64 * 1024)
    sink = FileSink(clock(), str(small_disk))
    for event in events():
        sink.publish(event)
    with pytest.raises(DeviceFault, match=f"{len(BODIES)} lines not written"):
        sink.close()


# --- kernel log -------------------------------------------------------------------------------------------------------


def test_records_of_the_kernel_log(tmp_path: Path) -> None:
    log = tmp_path / "kmsg"
    limit = tmp_path / "printk_devkmsg"
    log.touch()
    limit.touch()
    sink = KmsgSink(str(log), rate_limit=str(limit))
    assert limit.read_text() == "on\n"
    for event in events():
        sink.publish(event)
    sink.publish(Event(98, NOON, LogLine("of a shell", on_consoles=True)))
    sink.publish(Event(99, NOON, LogLine("é" * 1000)))
    sink.close()
    *records, long = log.read_text().splitlines()
    assert records == [
        "<30>gprov: detail",
        "<29>gprov: Checking the image",
        "<28>gprov: slow",
        "<27>gprov: two",
        "<27>gprov: lines\\x1b[2J",
        "<30>gprov: done in 1.0 s: format",
        "<27>gprov: failed after 1.0 s: unpack: disk is gone",
        "<30>gprov: state FR_STARTED",
        "<31>gprov: of a shell",
    ]
    assert 890 < len(long.encode()) <= 901


def test_a_missing_kernel_log_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing):
        KmsgSink(str(tmp_path / "none"), rate_limit=str(tmp_path / "none"))
