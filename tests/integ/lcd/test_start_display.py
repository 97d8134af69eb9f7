"""A copy of the process goes on showing texts on a display after the process has left for another root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gprov.adapters.fake.lcd.device import SimulatedLcd
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.host.lcd.station import LcdStation
from gprov.apps.host.lcd.wire import PtyWire
from gprov.domain.formats.lcd.models import Model

DEADLINE = 60.0
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")


@contextmanager
def init_that_leaves(new_root: Path, port: str, fails: str) -> Iterator[subprocess.Popen[bytes]]:
    argv = ("unshare", "-m", sys.executable, "-m", "tests.integ.lcd.start_display_program", str(new_root), port, fails)
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as init:
        try:
            yield init
        finally:
            init.communicate(timeout=DEADLINE)


def copies_of(init: subprocess.Popen[bytes]) -> list[int]:
    """Children of the process, by proc(5): of what follows the name in stat, the first is the state, then the parent.
    Programs that it runs are in its own session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(parent) == init.pid and state != "Z" and session == stat.parent.name:
            found.append(int(stat.parent.name))
    return found


def pid_file(init: subprocess.Popen[bytes]) -> str:
    """In the root of the process, which is in another mount namespace."""
    end = time.monotonic() + DEADLINE
    path = Path(f"/proc/{init.pid}/root/run/gprov-display.pid")
    while not path.exists() or not path.read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.05)
    return path.read_text().strip()


@pytest.mark.parametrize("model", list(Model))
def test_a_text_until_a_signal_comes_and_then_another(tmp_path: Path, model: Model) -> None:
    clock = SystemClock()
    lcd = LcdStation(SimulatedLcd(model, clock), PtyWire(), clock)
    with lcd, init_that_leaves(tmp_path, lcd.name, "no") as init:
        lcd.wait_for("STARTING", DEADLINE)
        [copy] = copies_of(init)
        assert pid_file(init) == str(copy)
        assert Path(f"/proc/{copy}/comm").read_text() == "gprov-display\n"
        os.kill(copy, signal.SIGTERM)
        lcd.wait_for("UP", DEADLINE)
        end = time.monotonic() + DEADLINE
        while copies_of(init):
            assert time.monotonic() < end, "the copy goes on"
            time.sleep(0.05)
        assert not Path(f"/proc/{init.pid}/root/run/gprov-display.pid").exists()


def test_if_the_process_stays_in_its_root_the_copy_ends(tmp_path: Path) -> None:
    clock = SystemClock()
    lcd = LcdStation(SimulatedLcd(Model.CFA_635, clock), PtyWire(), clock)
    with lcd, init_that_leaves(tmp_path, lcd.name, "yes") as init:
        end = time.monotonic() + DEADLINE
        seen = False
        while not seen or copies_of(init):
            seen = seen or bool(copies_of(init))
            assert time.monotonic() < end, "there is no copy, or it goes on"
            time.sleep(0.02)
        assert "STARTING" not in lcd.face.text


def test_a_display_that_fails_leaves_no_number_behind(tmp_path: Path) -> None:
    with init_that_leaves(tmp_path, "", "display") as init:
        end = time.monotonic() + DEADLINE
        failed = Path(f"/proc/{init.pid}/root/run/failed")
        while not failed.exists() or copies_of(init):
            assert time.monotonic() < end, "there is no copy, or it goes on"
            time.sleep(0.02)
        assert failed.read_text() == str(True)
        assert not Path(f"/proc/{init.pid}/root/run/gprov-display.pid").exists()


def test_without_the_module_for_serial_ports_the_start_goes_on() -> None:
    program = """
import sys
from gprov.adapters.linux.lcd.start_display import LcdStartDisplay
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.boot.start_texts import StartTexts
sys.modules["serial"] = None
LcdStartDisplay(lambda log: None, SystemClock(), "/").keep_showing(StartTexts("", "", ""))
print("goes on")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=DEADLINE
    )
    assert (done.stdout, done.stderr) == ("goes on\n", "")
