"""Consoles on real terminals: pseudo-terminals, whose other end is a person at a terminal of 80 x 25."""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.adapters.linux.console.eligible import eligible_terminals
from gprov.adapters.linux.console.late_display import LateDisplay
from gprov.adapters.linux.console.log import ConsoleLog
from gprov.adapters.linux.console.panel import LinuxPanel
from gprov.adapters.linux.events.sinks import ConsoleSink
from gprov.adapters.linux.system.clock import SystemClock
from gprov.apps.unit.operator.dialog_operator import DialogOperator
from gprov.apps.unit.operator.shown_views import ShownViews
from gprov.domain.boot.boot_menu import ITEMS as BOOT_MENU
from gprov.domain.display.choice import NoChoice
from gprov.domain.display.keys import Input, Key, Typed
from gprov.domain.display.views import MenuView, MessageView, ProgressView, QuestionView, View
from gprov.domain.erase.consequence import CONSEQUENCE
from gprov.domain.events import Event, LogLine, Severity
from gprov.domain.platform.model import Lcd
from gprov.ports.clock import Clock
from gprov.ports.display import Display
from tests.terminal import DEADLINE, Person, background, connected_person


@dataclass
class World:
    """A tree with what the panel reads of /sys, /proc and /dev."""

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

    @property
    def log(self) -> ConsoleLog:
        return ConsoleLog(str(self.root / "dev" / "console"))

    def panel(
        self, log: ConsoleLog | None = None, displays: Sequence[Display] = (), clock: Clock | None = None
    ) -> LinuxPanel:
        sys, proc, dev = (str(self.root / name) for name in ("sys", "proc", "dev"))
        return LinuxPanel(clock or SystemClock(), log or self.log, displays, (sys, proc, dev))

    def eligible(self) -> tuple[str, ...]:
        return eligible_terminals(str(self.root / "sys"), str(self.root / "proc"))


def operator_at(panel: LinuxPanel) -> DialogOperator:
    return DialogOperator(ShownViews(lambda: panel, SystemClock()), SystemClock())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def person() -> Iterator[Person]:
    with connected_person() as person:
        yield person


@pytest.fixture
def panel(world: World, person: Person) -> LinuxPanel:
    world.consoles("ttyS0", "quiet console=ttyS0,115200")
    world.connect("ttyS0", person)
    panel = world.panel()
    assert panel.is_present
    return panel


@pytest.fixture
def operator(panel: LinuxPanel) -> DialogOperator:
    return operator_at(panel)


# --- messages and keys ------------------------------------------------------------------------------------------------


def test_messages_are_lines_as_terminals_need_them(operator: DialogOperator, person: Person) -> None:
    operator.show("one\ntwo\x1b[2J")
    assert person.listen() == "one\r\r\ntwo\\x1b[2J\r\r\n"  # the terminal's own mode makes a line feed of ours two


def test_the_key_window_is_a_line_and_progress_is_left_to_the_log(panel: LinuxPanel, person: Person) -> None:
    panel.show(ProgressView(task="unpack", done=1, total=2))
    panel.show_status(MessageView("an event"))
    operator_at(panel).show_key_window("Press any key for the boot menu", 9.8)
    assert person.listen() == "Press any key for the boot menu (10 s)\r\r\n"


@pytest.mark.parametrize("keys", [b"x", b"\r", b"\t", b"\x1b[A", b"\x1b[[A", b"\x1b[15~", b"\x1bx"])
def test_a_key_is_seen_at_once(operator: DialogOperator, person: Person, keys: bytes) -> None:
    person.type(keys)
    started = time.monotonic()
    assert operator.key_pressed(DEADLINE)
    assert time.monotonic() - started < DEADLINE / 2


def test_no_key_takes_the_whole_time(operator: DialogOperator) -> None:
    started = time.monotonic()
    assert not operator.key_pressed(0.3)
    assert 0.3 <= time.monotonic() - started < DEADLINE


def test_noise_is_not_a_key(operator: DialogOperator, person: Person) -> None:
    person.type(b"\0\xff\x80")
    assert not operator.key_pressed(0.2)


def test_keys_typed_before_the_first_poll_are_discarded(world: World, person: Person) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    person.type(b"garbage at power-on")
    assert not operator_at(world.panel()).key_pressed(0.2)


def test_keys_between_two_polls_are_kept(operator: DialogOperator, person: Person) -> None:
    assert not operator.key_pressed(0.05)
    person.type(b"x")
    assert operator.key_pressed(DEADLINE)


def test_the_terminals_mode_is_restored(operator: DialogOperator, person: Person) -> None:
    with open(person.line, "rb", buffering=0) as line:
        before = termios.tcgetattr(line)
        operator.key_pressed(0.05)
        operator.choose("Boot menu", ITEMS, 0.05)
        operator.close()
        assert termios.tcgetattr(line) == before


def test_what_is_typed_in_a_dialog_is_not_echoed_by_the_terminal(panel: LinuxPanel, person: Person) -> None:
    panel.show(QuestionView("Erase everything?"))
    person.listen()
    person.type(b"yes\r")
    assert person.screen.lines[:3] == ["Erase everything?", "", ">No     Yes"]
    assert [panel.read(DEADLINE) for _ in range(4)] == [Typed("y"), Typed("e"), Typed("s"), Key.ENTER]
    person.listen()
    assert person.screen.lines[4] == QUESTION


# --- dialogs ----------------------------------------------------------------------------------------------------------

ITEMS = ("Resume normal boot", "", "Factory Restore", "Data Erase")
MENU, QUESTION = "Number (1-3) and Enter:", "(yes or no)"


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        (b"1\r", 0),
        (b"2\n", 2),
        (b"3\r", 3),
        (b"3\r\n", 3),
        (b"9\x7f2\r", 2),
        (b"\x7f\x081\r", 0),
        (b"0\r4\rxyz\r 3 \r", 3),
        ("²\r".encode() + b"1\r", 0),
        (b"1" * 40 + b"\r" + b"2\r", 2),
        (b"\x1b[B\x1b[B\r", 2),
        (b"\x1bOB\x1bOB\x1bOA\r", 1),
        (b"\x1b[B\x1b[1;5B\x1b[3~\x1b[[B\r", 2),
        (b"\x1b", NoChoice.LEFT),
    ],
)
def test_choosing(operator: DialogOperator, person: Person, keys: bytes, choice: int | NoChoice) -> None:
    with person.answering((MENU, keys)):
        assert operator.choose("Boot menu", ITEMS, DEADLINE) == choice


def test_a_sequence_in_pieces_is_one_key(panel: LinuxPanel, person: Person) -> None:
    for piece in (b"\x1b", b"[", b"A"):
        assert panel.read(0.05) is None
        person.type(piece)
    assert panel.read(DEADLINE) is Key.UP
    person.type(b"\x1b")
    assert panel.read(0.05) is None
    assert panel.read(DEADLINE) is Key.EXIT


def test_the_displayed_menu(panel: LinuxPanel, person: Person) -> None:
    panel.show(MenuView("Boot menu", ITEMS, 2, "2"))
    person.listen()
    assert [line for line in person.screen.lines if line] == [
        "Boot menu",
        "   1  Resume normal boot",
        ">  2  Factory Restore",
        "   3  Data Erase",
        "Number (1-3) and Enter: 2",
    ]
    assert (person.screen.column, person.screen.row) == (25, 7)


def test_a_screen_replaces_what_was_there_and_a_long_menu_does_not_scroll_the_terminal(
    panel: LinuxPanel, person: Person
) -> None:
    panel.show(MessageView("\n".join(f"line {number}" for number in range(40))))
    images = tuple(f"image {number} " + "x" * 100 for number in range(40))
    for selected in (0, 20, 39):
        panel.show(MenuView("Which image?", images, selected))
        person.listen()
        shown = [line for line in person.screen.lines if line]
        assert not any(line.startswith("line") for line in shown)
        assert [line[6:20].split(" x")[0] for line in shown if line.startswith(">")] == [f"image {selected}"]
        assert shown[0] == "Which image?"
        assert shown[-1] == "Number (1-40) and Enter:"
    panel.show(QuestionView(CONSEQUENCE, yes=True))
    person.listen()
    assert " ".join(person.screen.lines).split() == [*CONSEQUENCE.split(), "No", ">Yes", *QUESTION.split()]


def test_long_items_move(world: World, person: Person) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    clock = FakeClock()
    panel = world.panel(clock=clock)
    panel.show(MenuView("Images", ("x" * 80 + "end",), 0))
    person.listen()
    assert "xend" not in " ".join(person.screen.lines)
    clock.sleep(6.0)
    assert panel.read(0.0) is None
    person.listen()
    assert "xend" in " ".join(person.screen.lines)


def test_no_choice_in_time(operator: DialogOperator, person: Person) -> None:
    with person.answering((MENU, b"2")):  # without Enter
        assert operator.choose("Boot menu", ITEMS, 0.5) is NoChoice.TIMEOUT


@pytest.mark.parametrize(
    ("keys", "yes"),
    [
        (b"yes\r", True),
        (b"Y\r", True),
        (b"no\r", False),
        (b"n\r", False),
        (b"perhaps\ryes\r", True),
        (b"\r", False),
        (b"\x1b[C\r", True),
        (b"\x1b[C\x1b[D\r", False),
        (b"\x1b", False),
    ],
)
def test_confirming(operator: DialogOperator, person: Person, keys: bytes, yes: bool) -> None:
    with person.answering((QUESTION, keys)):
        assert operator.confirm("Erase everything?", DEADLINE) is yes


def test_silence_is_no(operator: DialogOperator, person: Person) -> None:
    with person.answering((QUESTION, b"yes")):  # without Enter
        assert operator.confirm("Erase everything?", 0.5) is False


def test_what_was_typed_before_a_question_does_not_answer_it(operator: DialogOperator, person: Person) -> None:
    assert not operator.key_pressed(0.05)
    person.type(b"yes\ryes\r")
    assert operator.confirm("Erase everything?", 0.3) is False


def test_what_was_typed_before_a_message_is_not_a_key_for_it(operator: DialogOperator, person: Person) -> None:
    assert not operator.key_pressed(0.05)
    person.type(b"x\r")
    operator.show("Restored. Any key: restart")
    assert not operator.key_pressed(0.3)
    person.type(b"x")
    assert operator.key_pressed(DEADLINE)


def test_a_line_end_of_two_characters_answers_one_dialog(operator: DialogOperator, person: Person) -> None:
    with person.answering((MENU, b"3\r\n"), ("Data Erase?", b"yes\r\n"), ("Erase everything?", b"yes\r\n")):
        assert operator.choose("Boot menu", ITEMS, DEADLINE) == 3
        assert operator.confirm("Data Erase?", DEADLINE)
        assert operator.confirm("Erase everything?", DEADLINE)


def test_a_password_is_shown_as_stars(operator: DialogOperator, person: Person) -> None:
    with person.answering(("Password", b"sesamX\x7fe\r")):
        secret = operator.ask_secret("Password of the administrator", DEADLINE)
    assert secret is not None
    assert secret.reveal() == "sesame"
    assert "******" in person.listen()
    assert "sesam" not in person.heard


def test_a_password_that_is_typed_after_its_dialog_is_not_echoed(operator: DialogOperator, person: Person) -> None:
    """While the unit checks the one before, or waits after a wrong one."""
    with person.answering(("Password", b"wrong\r")):
        operator.ask_secret("Password of the administrator", DEADLINE)
    operator.show("Wrong password")
    person.type(b"sesame\r")
    assert "Wrong password" in person.listen()
    assert "sesame" not in person.heard
    assert not operator.confirm("Shall the shell be able to write?", 0.2)
    person.type(b"sesame\r")
    assert "sesame" not in person.listen()


def test_after_a_wrong_password_the_next_one_is_not_shown_though_it_is_typed_too_early(
    operator: DialogOperator, person: Person
) -> None:
    with open(person.line, "rb", buffering=0) as line:
        before = termios.tcgetattr(line)
        with person.answering(("Password", b"wrong\r")):
            operator.ask_secret("Password of the administrator", DEADLINE)
        operator.show("Wrong password")
        person.type(b"sesame\r")
        assert "Wrong password" in person.listen()
        assert "sesame" not in person.heard
        operator.close()
        assert termios.tcgetattr(line) == before


def test_after_a_dialog_the_log_goes_on_with_the_message_before(operator: DialogOperator, person: Person) -> None:
    operator.show("Checking the image")
    with person.answering((MENU, b"1\r")):
        operator.choose("Boot menu", ITEMS, DEADLINE)
    person.listen()
    assert [line for line in person.screen.lines if line] == ["Checking the image"]
    operator.show("Image is good")
    person.listen()
    assert [line for line in person.screen.lines if line] == ["Checking the image", "Image is good"]


def test_the_log_does_not_destroy_a_dialog_and_comes_after_it(world: World, person: Person) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    world.connect("console", person)
    log = world.log
    panel, sink = world.panel(log), ConsoleSink(log)
    sink.publish(Event(1, 0, LogLine("before", Severity.MSG)))
    panel.show(MenuView("Boot menu", ITEMS, 0))
    sink.publish(Event(2, 0, LogLine("meanwhile", Severity.WARNING)))
    person.listen()
    assert person.screen.lines[0] == "Boot menu"
    assert not any("before" in line or "meanwhile" in line for line in person.screen.lines)
    panel.show(MessageView("chosen"))
    sink.publish(Event(3, 0, LogLine("after", Severity.MSG)))
    person.listen()
    assert [line for line in person.screen.lines if line] == ["chosen", "Warning: meanwhile", "after"]


def test_a_log_that_is_closed_during_a_dialog_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "console"
    file.touch()
    log = ConsoleLog(str(file))
    log.hold()
    for number in range(600):
        log.write(b"%d\r\n" % number)
    log.close()
    assert file.read_bytes().split() == [b"%d" % number for number in range(100, 600)]


# --- several consoles, other displays, failures -----------------------------------------------------------------------


class OtherDisplay(Display):
    """A display with keys whose input comes through a pipe, one letter per key."""

    def __init__(self) -> None:
        self._reading, self.keys = os.pipe()
        os.set_blocking(self._reading, False)
        self.views: list[View] = []
        self.closed = False

    @property
    @override
    def is_present(self) -> bool:
        return True

    @property
    @override
    def lcd(self) -> Lcd:
        return Lcd.CFA635

    @override
    def show(self, view: View) -> None:
        self.views.append(view)

    @override
    def fileno(self) -> int:
        return self._reading

    @override
    def read(self) -> Sequence[Input]:
        try:
            pressed = os.read(self._reading, 100)
        except BlockingIOError:
            return ()
        return [{"d": Key.DOWN, "e": Key.ENTER, "r": Key.RIGHT}[letter] for letter in pressed.decode()]

    @override
    def close(self) -> None:
        self.closed = True


def test_two_consoles_show_the_same_and_either_may_answer(world: World, person: Person) -> None:
    with connected_person() as other:
        world.consoles("ttyS1 ttyS0", "console=ttyS1 console=ttyS0")
        world.connect("ttyS0", person)
        world.connect("ttyS1", other)
        operator = operator_at(world.panel())
        assert operator.is_present
        with other.answering((MENU, b"1\r")):
            assert operator.choose("Boot menu", ITEMS, DEADLINE) == 0
        assert "Boot menu" in person.listen()
        with person.answering((QUESTION, b"yes\r")):
            assert operator.confirm("Sure?", DEADLINE)
        assert "Sure?" in other.listen()


def test_a_display_and_a_console_share_a_dialog(world: World, person: Person) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    display = OtherDisplay()
    operator = operator_at(world.panel(displays=[display]))

    def press() -> None:
        person.await_text(MENU)
        os.write(display.keys, b"de")

    with background(press):
        assert operator.choose("Boot menu", ITEMS, DEADLINE) == 1
    assert [view.selected for view in display.views if isinstance(view, MenuView)] == [0, 1]
    assert ">" in person.listen()


@contextmanager
def endless_noise(line: int) -> Iterator[None]:
    """Context in which a line delivers as many bytes as are taken."""
    os.set_blocking(line, False)
    ended = threading.Event()

    def send() -> None:
        while not ended.is_set():
            with suppress(BlockingIOError):
                os.write(line, b"x" * 512)
            with suppress(BlockingIOError):  # the dialog is drawn for each of them
                os.read(line, 1 << 16)

    with background(send):
        try:
            yield
        finally:
            ended.set()


def test_a_line_with_endless_noise_takes_no_memory_and_delays_no_key_of_another_display(
    world: World, person: Person
) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    display = OtherDisplay()
    panel = world.panel(displays=[display])
    panel.show(MenuView("Boot menu", ITEMS, 0))
    with endless_noise(person.fd):
        for _ in range(2000):
            assert panel.read(DEADLINE) == Typed("x")
        os.write(display.keys, b"e")
        # What was taken from the terminal at once, and one more: not 2,000 times as much.
        following = [panel.read(DEADLINE) for _ in range(300)]
    assert Key.ENTER in following


def test_a_display_shows_events_and_the_console_does_not(world: World, person: Person) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    world.connect("ttyS0", person)
    display = OtherDisplay()
    panel = world.panel(displays=[display])
    panel.show_status(MessageView("Factory restore", busy=True))
    assert display.views == [MessageView("Factory restore", busy=True)]
    assert person.listen() == ""
    panel.close()
    assert display.closed


def test_a_display_that_appears_during_a_dialog_shows_it_and_may_answer(world: World) -> None:
    world.consoles("", "quiet")
    display, plugged = OtherDisplay(), threading.Event()
    operator = operator_at(world.panel(displays=[LateDisplay(plugged.is_set, lambda: display)]))
    operator.show("before")
    assert not operator.is_present
    assert display.views == []

    def plug_in() -> None:
        plugged.set()
        while QuestionView("Sure?") not in display.views:
            time.sleep(0.01)
        os.write(display.keys, b"re")

    with background(plug_in):
        assert operator.confirm("Sure?", DEADLINE)
    assert display.views[-3:] == [QuestionView("Sure?"), QuestionView("Sure?", yes=True), MessageView("before")]
    operator.close()
    assert display.closed


def test_a_console_that_appears_during_a_dialog_shows_it_and_may_answer(world: World, person: Person) -> None:
    world.consoles("tty0", "quiet")
    world.write("sys/class/drm/card0-VGA-1/status", "connected\n")
    world.connect("tty0", person)
    operator = operator_at(world.panel())

    def plug_in() -> None:
        world.keyboard()
        person.await_text(MENU)
        person.type(b"2\r")

    with background(plug_in):
        assert operator.choose("Boot menu", ITEMS, DEADLINE) == 2


def test_a_closed_panel_can_be_used_again(operator: DialogOperator, person: Person) -> None:
    operator.close()
    with person.answering((MENU, b"3\r")):
        assert operator.choose("Boot menu", ITEMS, DEADLINE) == 3


def test_a_terminal_that_hangs_up_is_silent(operator: DialogOperator, person: Person) -> None:
    os.close(person.fd)
    started = time.monotonic()
    assert not operator.key_pressed(0.3)
    assert time.monotonic() - started >= 0.3
    operator.show("no console is open")
    assert operator.choose("Boot menu", ITEMS, 0.1) is NoChoice.TIMEOUT
    assert not operator.is_present


def test_a_terminal_that_takes_no_bytes_delays_nothing_for_long(operator: DialogOperator) -> None:
    started = time.monotonic()
    for _ in range(200):
        operator.show("x" * 1000)
    assert time.monotonic() - started < 5


def test_a_dialog_that_a_slow_line_did_not_accept_is_drawn_when_the_line_does(
    panel: LinuxPanel, person: Person
) -> None:
    for number in range(400):
        panel.show(MenuView("Boot menu", ITEMS, number % 2))
    panel.show(QuestionView("Erase everything?"))
    heard = bytearray()

    def listen() -> None:
        while select.select([person.fd], [], [], 0.8)[0]:
            heard.extend(os.read(person.fd, 4096))

    with background(listen):
        panel.read(2.5)
    assert b"Erase everything?" in heard.rpartition(b"Boot menu")[2]


def test_waiting_without_a_terminal_takes_the_whole_time(world: World) -> None:
    operator = operator_at(world.panel())
    assert not operator.is_present
    operator.show("x")
    started = time.monotonic()
    assert not operator.key_pressed(0.2)
    assert time.monotonic() - started >= 0.2
    assert operator.confirm("?", 0.1) is False


def test_a_console_that_cannot_be_opened_has_no_operator(world: World) -> None:
    world.consoles("ttyS0", "console=ttyS0")
    assert world.eligible() == ("ttyS0",)
    assert not world.panel().is_present


def test_the_boot_menu_fits_on_a_terminal(panel: LinuxPanel, person: Person) -> None:
    items = tuple(item.value if item else "" for item in BOOT_MENU)
    panel.show(MenuView("Boot menu", items, 7))
    person.listen()
    assert [line[6:] for line in person.screen.lines[2:10]] == list(items)
    assert not person.screen.scrolled


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
    panel = world.panel()
    assert not panel.is_present
    world.keyboard()
    assert panel.is_present
