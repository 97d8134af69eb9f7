"""The console operator on real terminals: pseudo-terminals, whose other end is the person."""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gprov.adapters.linux.console.operator import ConsoleOperator, eligible_terminals
from gprov.adapters.linux.system.clock import SystemClock

DEADLINE = 20.0


@dataclass
class Person:
    """The other end of a serial line."""

    fd: int
    line: str
    heard: str = ""

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def listen(self, seconds: float = 0.2) -> str:
        """Everything that was shown so far."""
        while select.select([self.fd], [], [], seconds)[0]:
            self.heard += os.read(self.fd, 4096).decode()
        return self.heard


@dataclass
class World:
    """A tree with what the operator reads of /sys, /proc and /dev."""

    root: Path

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def consoles(self, active: str, command_line: str) -> None:
        self.write("sys/class/tty/console/active", active + "\n")
        self.write("proc/cmdline", command_line + "\n")

    def keyboard(self, keys: str = "402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe") -> None:
        self.write("sys/class/input/input3/capabilities/key", keys + "\n")

    def connect(self, name: str, person: Person) -> None:
        (self.root / "dev").mkdir(exist_ok=True)
        (self.root / "dev" / name).symlink_to(person.line)

    def operator(self) -> ConsoleOperator:
        return ConsoleOperator(SystemClock(), *(str(self.root / name) for name in ("sys", "proc", "dev")))

    def eligible(self) -> tuple[str, ...]:
        return eligible_terminals(str(self.root / "sys"), str(self.root / "proc"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def person() -> Iterator[Person]:
    master, slave = os.openpty()
    line = os.ttyname(slave)
    yield Person(master, line)
    for fd in (master, slave):
        try:
            os.close(fd)
        except OSError:
            continue  # the test hung up


@pytest.fixture
def operator(world: World, person: Person) -> ConsoleOperator:
    world.consoles("ttyS0", "quiet console=ttyS0,115200")
    world.connect("ttyS0", person)
    operator = world.operator()
    assert operator.is_present
    return operator


def test_shows_lines_as_terminals_need_them(operator: ConsoleOperator, person: Person) -> None:
    operator.show("one\ntwo")
    assert person.listen() == "one\r\r\ntwo\r\r\n"  # the terminal's own mode makes a line feed of ours two


def test_a_key_is_seen_at_once(operator: ConsoleOperator, person: Person) -> None:
    person.type(b"x")
    started = time.monotonic()
    assert operator.key_pressed(DEADLINE)
    assert time.monotonic() - started < DEADLINE / 2


def test_no_key_takes_the_whole_time(operator: ConsoleOperator) -> None:
    started = time.monotonic()
    assert not operator.key_pressed(0.3)
    assert 0.3 <= time.monotonic() - started < DEADLINE


def test_noise_is_not_a_key(operator: ConsoleOperator, person: Person) -> None:
    person.type(b"\0\xff\x80")
    assert not operator.key_pressed(0.2)


def test_keys_typed_before_the_first_poll_are_discarded(world: World, person: Person) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    person.type(b"garbage at power-on")
    assert not world.operator().key_pressed(0.2)


def test_keys_between_two_polls_are_kept(operator: ConsoleOperator, person: Person) -> None:
    assert not operator.key_pressed(0.05)
    person.type(b"x")
    assert operator.key_pressed(DEADLINE)


def test_the_terminals_mode_is_restored(operator: ConsoleOperator, person: Person) -> None:
    with open(person.line, "rb", buffering=0) as line:
        before = termios.tcgetattr(line)
        operator.key_pressed(0.05)
        assert termios.tcgetattr(line) == before


ITEMS = ("Resume normal boot", "", "Factory Restore", "Data Erase")


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        (b"1\r", 0),
        (b"2\n", 2),
        (b"3\r", 3),
        (b"9\x7f2\r", 2),
        (b"\x7f\x081\r", 0),
        (b"0\r4\rxyz\r\r 3 \r", 3),
        ("²\r³\r".encode() + b"1\r", 0),
        (b"1" * 40 + b"\r" + b"2\r", 2),
    ],
)
def test_choosing_by_number(operator: ConsoleOperator, person: Person, keys: bytes, choice: int) -> None:
    person.type(keys)
    assert operator.choose("Boot menu", ITEMS, DEADLINE) == choice


def test_the_displayed_menu(operator: ConsoleOperator, person: Person) -> None:
    person.type(b"2\r")
    operator.choose("Boot menu", ITEMS, DEADLINE)
    lines = [line.strip() for line in person.listen().split("\n")]
    menu = ["Boot menu", "", "1  Resume normal boot", "", "2  Factory Restore", "3  Data Erase", ""]
    start = lines.index("Boot menu")
    assert lines[start : start + len(menu)] == menu
    assert lines[start + len(menu)] == "Number (1-3) and Enter: 2"


def test_no_choice_in_time(operator: ConsoleOperator, person: Person) -> None:
    person.type(b"2")  # without Enter
    assert operator.choose("Boot menu", ITEMS, 0.3) is None


@pytest.mark.parametrize(
    ("keys", "yes"),
    [
        (b"yes\r", True),
        (b"Y\r", True),
        (b"no\r", False),
        (b"n\r", False),
        (b"perhaps\ryes\r", True),
        (b"\rno\r", False),
    ],
)
def test_confirming(operator: ConsoleOperator, person: Person, keys: bytes, yes: bool) -> None:
    person.type(keys)
    assert operator.confirm("Erase everything?", DEADLINE) is yes


def test_silence_is_no(operator: ConsoleOperator, person: Person) -> None:
    person.type(b"yes")  # without Enter
    assert operator.confirm("Erase everything?", 0.3) is False


def test_a_terminal_that_hangs_up_is_silent(operator: ConsoleOperator, person: Person) -> None:
    os.close(person.fd)
    started = time.monotonic()
    assert not operator.key_pressed(0.3)
    assert time.monotonic() - started >= 0.3
    operator.show("no console is open")
    assert operator.choose("Boot menu", ITEMS, 0.1) is None
    assert not operator.is_present


def test_a_terminal_that_takes_no_bytes_delays_nothing_for_long(operator: ConsoleOperator) -> None:
    started = time.monotonic()
    for _ in range(200):
        operator.show("x" * 1000)
    assert time.monotonic() - started < 5


def test_two_consoles_show_the_same_and_either_may_answer(world: World, person: Person) -> None:
    master, slave = os.openpty()
    other = Person(master, os.ttyname(slave))
    try:
        world.consoles("ttyS1 ttyS0", "console=ttyS1 console=ttyS0")
        world.connect("ttyS0", person)
        world.connect("ttyS1", other)
        operator = world.operator()
        assert operator.is_present
        other.type(b"1\r")
        assert operator.choose("Boot menu", ITEMS, DEADLINE) == 0
        assert "Boot menu" in person.listen()
        assert "Boot menu" in other.listen()
    finally:
        os.close(master)
        os.close(slave)


def test_waiting_without_a_terminal_takes_the_whole_time(world: World) -> None:
    operator = world.operator()
    assert not operator.is_present
    operator.show("x")
    started = time.monotonic()
    assert not operator.key_pressed(0.2)
    assert time.monotonic() - started >= 0.2
    assert operator.confirm("?", 0.1) is False


def test_a_console_that_cannot_be_opened_has_no_operator(world: World) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    assert world.eligible() == ("ttyS0",)
    assert not world.operator().is_present


# --- where a person may be --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("active", "command_line", "eligible"),
    [
        ("ttyS0", "console=ttyS0", ("ttyS0",)),
        ("ttyS0", "quiet", ()),  # chosen by the firmware (SPCR), not named on the command line
        ("ttyS1", "console=ttyS0", ()),
        ("tty0 ttyS0", "console=tty0 console=ttyS0,115200n8", ("ttyS0",)),
        ("hvc0", "console=hvc0", ("hvc0",)),
        ("", "console=ttyS0", ()),
    ],
)
def test_serial_consoles_count_if_they_are_named(
    world: World, active: str, command_line: str, eligible: tuple[str, ...]
) -> None:
    world.consoles(active, command_line)
    assert world.eligible() == eligible


@pytest.mark.parametrize(
    ("drm", "vtcon", "pci", "display"),
    [
        (["connected"], None, "0x030000", True),
        (["disconnected", "connected"], None, "0x030000", True),
        (["unknown"], None, "0x030000", True),
        (["disconnected", "disconnected"], "(M) frame buffer device", "0x030000", False),
        ([], "(M) frame buffer device", "0x030000", True),
        ([], "(S) VGA+", "0x038000", True),
        ([], "(S) VGA+", "0x020000", False),
        ([], "(S) dummy device", "0x030000", False),
        ([], None, "0x030000", False),
    ],
)
def test_a_virtual_console_needs_a_display(
    world: World, drm: list[str], vtcon: str | None, pci: str, display: bool
) -> None:
    world.consoles("tty0", "quiet")
    world.keyboard()
    world.write("sys/bus/pci/devices/0000:00:02.0/class", pci + "\n")
    world.write("sys/class/drm/card0/dev", "226:0\n")
    for number, status in enumerate(drm):
        world.write(f"sys/class/drm/card0-VGA-{number}/status", status + "\n")
    if vtcon:
        world.write("sys/class/vtconsole/vtcon0/name", "(S) dummy device\n")
        world.write("sys/class/vtconsole/vtcon0/bind", "0\n")
        world.write("sys/class/vtconsole/vtcon1/name", vtcon + "\n")
        world.write("sys/class/vtconsole/vtcon1/bind", "1\n")
    assert world.eligible() == (("tty0",) if display else ())


@pytest.mark.parametrize(
    ("keys", "keyboard"),
    [
        ("402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe", True),  # AT keyboard
        ("10000000000000 0", False),  # power button
        ("70000 0 0 0 0", False),  # mouse
        ("", False),
        ("nonsense", False),
    ],
)
def test_a_virtual_console_needs_a_keyboard(world: World, keys: str, keyboard: bool) -> None:
    world.consoles("tty0", "quiet")
    world.write("sys/class/drm/card0-VGA-1/status", "connected\n")
    world.write("sys/class/input/event3/dev", "13:67\n")
    world.keyboard(keys)
    assert world.eligible() == (("tty0",) if keyboard else ())


def test_a_keyboard_that_comes_later_counts(world: World, person: Person) -> None:
    world.consoles("tty0", "quiet")
    world.write("sys/class/drm/card0-VGA-1/status", "connected\n")
    world.connect("tty0", person)
    operator = world.operator()
    assert not operator.is_present
    world.keyboard()
    assert operator.is_present
