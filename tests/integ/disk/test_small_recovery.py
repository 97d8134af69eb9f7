"""The Linux adapters on a real ext4 that is small, full, read-only, or whose clock is wrong; and what counts starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.events.sinks import FileSink
from gprov.adapters.linux.files.files import LinuxFiles
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.apps.unit.recovery.records import HistoryFile
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.domain.boot.budget import StartBudget
from gprov.domain.events import LogLine, Severity

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mkfs.ext4"), reason="needs root, mkfs.ext4"),
]
SIZE = 4 << 20


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A mounted ext4 of 4 MiB."""
    image, folder = tmp_path / "image", tmp_path / "RECOVERY"
    with image.open("wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True, timeout=60)
    folder.mkdir()
    if subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=False, timeout=60).returncode:
        pytest.skip("no loop devices here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=60)
    checked = subprocess.run(["e2fsck", "-fn", str(image)], check=False, capture_output=True, timeout=60)
    assert checked.returncode == 0, checked.stdout


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return ballast


def said(bus: EventBus) -> list[str]:
    lines = [event.body for event in bus.events if isinstance(event.body, LogLine)]
    return [line.text for line in lines if line.severity is not Severity.LOG]


def test_a_full_volume_keeps_the_old_files_whole_and_the_flow_goes_on(volume: Path) -> None:
    clock = FakeClock()
    bus = EventBus(clock)
    files, log = LinuxFiles([str(volume)]), str(volume / "log")
    history, budget = HistoryFile(files, log, bus), StartBudgetFile(files, log, bus)
    history.record(history.value.with_attempt("W.1"))
    assert budget.record(StartBudget(given_up=3))
    before = {path.name: path.read_bytes() for path in (volume / "log").iterdir()}
    ballast = fill(volume)
    sink = FileSink(clock, log)
    bus.attach(sink)
    for number in range(50):
        bus.log(f"{number} " + "x" * 500)
    history.record(history.value.with_failure("W.1", "y" * 5000))
    assert not budget.record(StartBudget(given_up=4, reason="z" * 5000))
    bus.log("the flow goes on")
    bus.detach(sink)
    assert any("the history could not be written" in text for text in said(bus))
    assert any("retries cannot be counted" in text for text in said(bus))
    assert any("log lines were lost, the disk was full" in text for text in said(bus))
    after = {path.name: path.read_bytes() for path in (volume / "log").iterdir() if not path.name.startswith("recov2")}
    assert after == before
    ballast.unlink()
    again = EventBus(clock)
    assert HistoryFile(files, log, again).value.result("W.1").imaging_attempts == 1
    assert StartBudgetFile(files, log, again).value.given_up == 3
    assert said(again) == []


def test_a_volume_that_is_read_only_costs_log_and_counts_but_no_flow(volume: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True, timeout=60)
    clock = FakeClock()
    bus = EventBus(clock)
    files, log = LinuxFiles([str(volume)]), str(volume / "log")
    bus.attach(FileSink(clock, log))
    bus.log("one")
    assert not StartBudgetFile(files, log, bus).record(StartBudget(given_up=1))
    HistoryFile(files, log, bus).record(HistoryFile(files, log, bus).value.with_attempt("W.1"))
    bus.log("two")
    assert any(text.startswith("event sink ") and "given up" in text for text in said(bus))
    assert [body.text for event in bus.events if isinstance(body := event.body, LogLine)][-1] == "two"


def test_no_boot_overwrites_the_log_of_another_at_any_time_of_the_clock(volume: Path) -> None:
    for number, time_ns in enumerate((10**18, 10**18, 0, 0, 10**18)):
        bus = EventBus(FakeClock(time_ns))
        sink = FileSink(FakeClock(time_ns), str(volume / "log"))
        bus.attach(sink)
        bus.log(f"start {number}")
        bus.detach(sink)
    texts = sorted(path.read_text().split()[-1] for path in (volume / "log").iterdir())
    assert texts == list("01234")


@pytest.fixture
def frozen(volume: Path) -> Iterator[Path]:
    """The same, and a log in it whose device hangs: a file system that is frozen keeps every write waiting."""
    yield volume
    subprocess.run(["fsfreeze", "--unfreeze", str(volume)], check=False, capture_output=True, timeout=60)


def freeze(volume: Path) -> None:
    subprocess.run(["fsfreeze", "--freeze", str(volume)], check=True, timeout=60)


def thaw(volume: Path) -> None:
    subprocess.run(["fsfreeze", "--unfreeze", str(volume)], check=True, timeout=60)


def log_lines(volume: Path) -> list[str]:
    return [line.split(" LOG ")[-1] for path in (volume / "log").iterdir() for line in path.read_text().splitlines()]


def test_a_volume_that_hangs_and_comes_back_has_the_whole_log_in_order(frozen: Path) -> None:
    bus = EventBus(FakeClock())
    sink = QueuedSink(FileSink(FakeClock(), str(frozen / "log")), ThreadBackground(), seconds=60)
    bus.attach(sink)
    bus.log("0")
    for _ in range(6000):  # at most a minute
        if (frozen / "log").is_dir():
            break
        time.sleep(0.01)
    freeze(frozen)
    began = time.monotonic()
    for number in range(1, 500):
        bus.log(f"{number}")
    assert time.monotonic() - began < 5
    thaw(frozen)
    bus.detach(sink)
    assert log_lines(frozen) == [f"{number}" for number in range(500)]
    assert said(bus) == []


def test_a_volume_that_hangs_for_ever_costs_the_log_and_a_moment(frozen: Path) -> None:
    bus = EventBus(FakeClock())
    sink = QueuedSink(FileSink(FakeClock(), str(frozen / "log")), ThreadBackground(), seconds=0.5)
    freeze(frozen)
    bus.attach(sink)
    began = time.monotonic()
    for number in range(100):
        bus.log(f"{number}")
    bus.detach(sink)
    assert 0.4 < time.monotonic() - began < 5
    assert any("did not end well: flushing it, with" in text for text in said(bus))
    thaw(frozen)
    for _ in range(600):  # what it had in hand is written, and the file closed: the volume can be put away
        if subprocess.run(["umount", str(frozen)], check=False, capture_output=True, timeout=60).returncode == 0:
            break
        time.sleep(0.05)
    image = frozen.parent / "image"
    subprocess.run(["mount", "-o", "loop", str(image), str(frozen)], check=True, timeout=60)
    assert log_lines(frozen) == ["0"]


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_log_that_cannot_be_written_is_reported_once(volume: Path, state: str) -> None:
    if state == "full":
        fill(volume)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(volume)], check=True, timeout=60)
    bus = EventBus(FakeClock())
    sink = QueuedSink(FileSink(FakeClock(), str(volume / "log")), ThreadBackground(), seconds=60)
    bus.attach(sink)
    for number in range(100):
        bus.log(f"{number}")
    bus.detach(sink)
    [told] = [text for text in said(bus) if text.startswith("event sink")]
    assert ("log lines were lost, the disk was full" if state == "full" else "Read-only file system") in told
    assert len([event for event in bus.events if isinstance(event.body, LogLine)]) == 101
