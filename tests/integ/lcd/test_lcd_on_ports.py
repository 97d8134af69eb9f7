"""The display adapter on pseudo-terminals: with a display, and with displays that misbehave."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from typing_extensions import override

from gprov.adapters.linux.lcd.display import MOST_REPORTS, CrystalfontzDisplay
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
from gprov.domain.display.keys import Key
from gprov.domain.display.render import render
from gprov.domain.display.screen import Geometry
from gprov.domain.display.views import MenuView, MessageView, QuestionView, View
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.reports import Button, KeyReport, key_report
from gprov.ports.background import Background, Task
from tests.integ.lcd.peer import Peer, eventually
from tests.unit.lcd.toy_display import START_PICTURE, ToyDisplay

# A call of the port may wait for the processor, but not for the display: every wait for that takes longer.
AT_ONCE = 0.2
# A busy machine may stop a thread for longer, now and then; a call that waits for the display does so each time.
STOPPED = 3
MENU = MenuView("Boot menu", ("Resume", "Power off", "", "Data Erase"), 1)


@dataclass
class Cabinet:
    """``path``: device file of the port. ``log``: what the adapter reported of displays, ``notes``: of their ports."""

    path: Path
    log: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    displays: list[CrystalfontzDisplay] = field(default_factory=list)

    def plug(self, answer: ToyDisplay | Callable[[bytes], bytes] | None) -> Peer:
        peer = Peer.of(answer) if isinstance(answer, ToyDisplay) else Peer(answer)
        self.peers.append(peer)
        peer.plug(self.path)
        return peer

    def report(self, text: str) -> None:
        (self.notes if "its driver" in text else self.log).append(text)

    def adapter(self, search: Callable[[], Sequence[str]] | None = None) -> CrystalfontzDisplay:
        found = search or (lambda: [str(self.path)] if self.path.exists() else [])
        display = CrystalfontzDisplay(found, SystemClock(), ThreadBackground(), self.report)
        self.displays.append(display)
        return display


@pytest.fixture
def cabinet(tmp_path: Path) -> Iterator[Cabinet]:
    cabinet = Cabinet(tmp_path / "ttyUSB0")
    yield cabinet
    for display in cabinet.displays:
        display.close()
    for peer in cabinet.peers:
        peer.unplug()


def rows(text: str, model: Model = Model.CFA_635) -> list[str]:
    return list(render(MessageView(text), Geometry(model.columns, model.rows), 0).lines)


@pytest.mark.parametrize("model", list(Model))
def test_a_view_is_drawn_and_keys_are_read(cabinet: Cabinet, model: Model) -> None:
    lcd = ToyDisplay(model)
    peer = cabinet.plug(lcd)
    display = cabinet.adapter()
    display.show(MENU)
    assert eventually(lambda: "> Power off" in "".join(lcd.lines()).replace(">", "> ", 1))
    assert eventually(lambda: lcd.style == 1)
    assert display.is_present
    assert START_PICTURE not in "".join(lcd.lines())
    assert lcd.cursor == ((0, 2) if model is Model.CFA_635 else (0, 1))
    button = Button.DOWN if model is Model.CFA_635 else Button.LOWER_LEFT
    assert display.read() == ()

    def key_arrives() -> bool:
        """A press counts as soon as the adapter has the answer to the last command of the view."""
        for pressed in (True, False):
            peer.send(lcd.press(button, pressed=pressed))
        return bool(select.select([display.fileno()], [], [], 0.2)[0])

    assert eventually(key_arrives)
    assert set(display.read()) == {Key.DOWN}
    assert not select.select([display.fileno()], [], [], 0)[0]
    assert cabinet.log == [f"display {cabinet.path}: CFA{model.value}:h1.0,k1.0"]


def test_the_legend_comes_and_goes_with_dialogs(cabinet: Cabinet) -> None:
    lcd = ToyDisplay(Model.CFA_631)
    cabinet.plug(lcd)
    display = cabinet.adapter()
    display.show(QuestionView("Erase all disks?"))
    assert eventually(lambda: lcd.legend == bytes((1, 6, 2, 5, 1)))
    text = "a text that takes both rows fully, no?!"
    display.show(MessageView(text))
    assert eventually(lambda: lcd.lines() == rows(text, Model.CFA_631))
    assert lcd.legend == b"\0"


def test_of_views_that_follow_each_other_the_last_one_is_drawn(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    cabinet.plug(lcd)
    display = cabinet.adapter()
    assert eventually(lambda: display.is_present)
    for number in range(2000):
        display.show(MessageView(f"first row {number} second row {number} third row {number} fourth row {number}"))
    last = "first row 1999 second row 1999 third row 1999 fourth row 1999"
    assert eventually(lambda: lcd.lines() == rows(last))
    assert len(lcd.commands) < 1000


def test_views_that_change_all_the_time_are_drawn_to_their_last_row(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    cabinet.plug(lcd)
    display = cabinet.adapter()
    assert eventually(lambda: display.is_present)

    def last_row_is_drawn() -> bool:
        display.show(MessageView(" ".join(f"{time.monotonic():20.12f}" for _ in range(4))))
        return lcd.lines()[3].strip() != ""

    assert eventually(last_row_is_drawn)


def test_closing_draws_the_last_view_and_restores_the_settings(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    lcd.reporting = (3, 4)
    cabinet.plug(lcd)
    display = cabinet.adapter()
    assert eventually(lambda: display.is_present)
    display.show(MessageView("Starting the system"))
    display.close()
    assert lcd.lines() == rows("Starting the system")
    assert (lcd.backlight, lcd.reporting) == (30, (3, 4))
    assert not display.is_present
    # A closed display is silent.
    display.show(MENU)
    assert (display.read(), display.fileno()) == ((), -1)
    display.close()


def test_a_display_that_was_unplugged_returns(cabinet: Cabinet) -> None:
    first, second = ToyDisplay(Model.CFA_631), ToyDisplay(Model.CFA_635)
    peer = cabinet.plug(first)
    display = cabinet.adapter()
    display.show(MessageView("Restoring"))
    assert eventually(lambda: first.lines() == rows("Restoring", Model.CFA_631))
    peer.unplug()
    cabinet.path.unlink()
    assert eventually(lambda: not display.is_present)
    cabinet.plug(second)
    assert eventually(lambda: second.lines() == rows("Restoring"))
    assert display.is_present
    assert [line.partition(": ")[2] for line in cabinet.log] == [
        "CFA631:h1.0,k1.0",
        "the display was removed",
        "CFA635:h1.0,k1.0",
    ]
    # Pseudo-terminals have no settings of serial ports.
    [note] = cabinet.notes
    assert "its driver may wait for 30 s when the port is closed: " in note


def test_a_display_that_falls_silent_is_used_again_when_it_answers(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    mute = threading.Event()
    cabinet.plug(lambda data: b"" if mute.is_set() else lcd.receive(data))
    display = cabinet.adapter()
    display.show(MessageView("one"))
    assert eventually(lambda: lcd.lines() == rows("one"))
    mute.set()
    display.show(MessageView("two"))
    assert eventually(lambda: not display.is_present)
    assert eventually(lambda: cabinet.log[-1] == f"display {cabinet.path}: does not answer (6 tries)")
    lcd.reset()
    mute.clear()
    assert eventually(lambda: lcd.lines() == rows("two"))


def test_a_view_that_cannot_be_drawn_is_reported_and_the_next_one_is_drawn(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    cabinet.plug(lcd)
    display = cabinet.adapter()
    display.show(cast("View", "no view"))
    assert eventually(lambda: any("unexpected error" in line for line in cabinet.log))
    display.show(MessageView("two"))
    assert eventually(lambda: lcd.lines() == rows("two"))


def test_a_port_that_another_program_uses_is_left_to_it(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    cabinet.plug(lcd)
    with open(cabinet.path, "rb", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        display = cabinet.adapter()
        assert eventually(lambda: bool(cabinet.log))
        assert "cannot be opened: " in cabinet.log[0]
        assert not display.is_present
        assert lcd.commands == []
    assert eventually(lambda: display.is_present)


@contextmanager
def flooded(peer: Peer, data: bytes) -> Iterator[None]:
    """Context in which the port delivers as many bytes as the host takes."""
    ended = threading.Event()

    def send() -> None:
        while not ended.is_set():
            try:
                peer.send(data)
            except BlockingIOError:
                ended.wait(0.001)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


KEYS = b"".join(key_report(KeyReport(Button.DOWN, pressed)).serialise() for pressed in (True, False)) * 50


@pytest.mark.parametrize("data", [KEYS, bytes((0x41, 22)) * 200], ids=["keys", "noise"])
def test_a_device_that_answers_and_sends_without_end_is_no_display(cabinet: Cabinet, data: bytes) -> None:
    """A device on USB is not bound to the speed of the line, and would keep a processor busy."""
    lcd = ToyDisplay()
    peer = cabinet.plug(lcd)
    display = cabinet.adapter()
    display.show(MessageView("one"))
    assert eventually(lambda: lcd.lines() == rows("one"))
    with flooded(peer, data):
        assert eventually(lambda: not display.is_present)
        assert cabinet.log[-1] == f"display {cabinet.path}: sends more than a serial line carries: it is no display"
    display.show(MessageView("two"))
    assert eventually(lambda: lcd.lines() == rows("two"))


def test_a_display_that_comes_and_goes_does_not_fill_the_log() -> None:
    """Each time with another reason, as a device may that lies about its version."""
    asked = iter(range(10_000))
    log: list[str] = []
    display = CrystalfontzDisplay(
        lambda: [f"/nowhere/tty{next(asked)}" for _ in range(100)], SystemClock(), ThreadBackground(), log.append
    )
    assert eventually(lambda: len(log) == MOST_REPORTS)
    display.close()
    assert len(log) == MOST_REPORTS
    assert "are not reported" in log[-1]


def noise(data: bytes) -> bytes:
    return os.urandom(1 + len(data) * 4)


def echo(data: bytes) -> bytes:
    return data


def refused(data: bytes) -> bytes:
    return ToyDisplay(version=b"CFA533:h1.4,u1v2").receive(data)


def seconds_of(call: Callable[[], object]) -> float:
    before = time.monotonic()
    call()
    return time.monotonic() - before


@contextmanager
def misbehaving(cabinet: Cabinet, kind: str) -> Iterator[CrystalfontzDisplay]:
    hang = threading.Event()
    answers: dict[str, Callable[[bytes], bytes] | None] = {
        "mute": lambda data: b"",
        "noise": noise,
        "echo": echo,
        "another display": refused,
        "accepts nothing": None,
        "gone": None,
    }
    if kind == "a call that hangs":

        def search() -> Sequence[str]:
            hang.wait()
            return ()

        yield cabinet.adapter(search)
        hang.set()
        return
    peer = cabinet.plug(answers[kind])
    if kind == "accepts nothing":
        peer.fill()
    if kind == "gone":
        peer.unplug()
        # Another process may get a pseudo-terminal of the same name.
        cabinet.path.unlink()
    yield cabinet.adapter(lambda: [str(cabinet.path)])


MUTE = "does not answer (6 tries)"
# What is logged of each at first.
KINDS = {
    "mute": MUTE,
    "noise": MUTE,
    "echo": MUTE,
    "another display": "is neither a CFA-631 nor a CFA-635",
    "accepts nothing": MUTE,
    "gone": "cannot be opened",
    "a call that hangs": "",
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_no_method_waits_for_a_display(cabinet: Cabinet, kind: str) -> None:
    """Views and reads for 2.5 s, which is longer than all tries of a command, then the end."""
    with misbehaving(cabinet, kind) as display:
        durations, end = [0.0] * (STOPPED + 1), time.monotonic() + 2.5
        while time.monotonic() < end:
            for call in (lambda: display.show(MessageView(str(time.monotonic()))), display.read, display.fileno):
                durations.append(seconds_of(call))
            assert not display.is_present
            select.select([], [], [], 0.001)
        assert eventually(lambda: not KINDS[kind] or bool(cabinet.log))
        assert KINDS[kind] in "".join(cabinet.log[:1])
        closing = seconds_of(display.close)
    assert sorted(durations)[-1 - STOPPED] < AT_ONCE
    assert closing < 2


def test_a_display_that_dies_while_it_is_drawn(cabinet: Cabinet) -> None:
    lcd = ToyDisplay()
    peer = cabinet.plug(lcd)
    display = cabinet.adapter()
    assert eventually(lambda: display.is_present)
    display.show(MENU)
    peer.unplug()
    before = time.monotonic()
    display.show(MessageView("next"))
    display.close()
    assert time.monotonic() - before < 2


class NoThreads(Background):
    """As the adapter does if no thread can be created."""

    @override
    def start(self, name: str, work: Callable[[], None]) -> Task:
        work()
        return Done()


class Done(Task):
    @override
    def wait(self, seconds: float) -> bool:
        return True


def test_without_a_thread_there_is_no_display(cabinet: Cabinet) -> None:
    cabinet.plug(ToyDisplay())
    display = CrystalfontzDisplay(lambda: [str(cabinet.path)], SystemClock(), NoThreads(), cabinet.log.append)
    display.show(MENU)
    assert not display.is_present
    display.close()


def test_without_a_port_nothing_of_the_protocol_is_imported() -> None:
    """What costs time on every boot is the search; the rest is imported by the thread when there is a port."""
    program = """
import sys, threading
from gprov.adapters.linux.lcd.display import CrystalfontzDisplay, lcd_search
from gprov.adapters.linux.system.background import ThreadBackground
from gprov.adapters.linux.system.clock import SystemClock
display = CrystalfontzDisplay(lcd_search("/nowhere", "/dev", ()), SystemClock(), ThreadBackground(), print)
display.close()
late = ("serial", "gprov.domain.lcd.session", "gprov.domain.formats.lcd.packet", "gprov.domain.display.render")
print(*[name for name in late if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
