"""Operator port on the consoles: a numbered text menu for keyboards and serial lines.

An operator can be present on the virtual console if it has both a display and a keyboard, and on each serial console
that the kernel command line names. All consoles show the same text, and any of them may answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from typing_extensions import override

from gprov.adapters.linux.console.terminal import Terminal, wait_for_input
from gprov.domain.unit.credentials import Secret
from gprov.ports.clock import Clock, Deadline
from gprov.ports.operator import Operator

_LINE_LIMIT = 20
_ENTER = b"\r\n"
_ERASE = b"\x08\x7f"
# Bits in the low word of a device's key map (linux/input-event-codes.h): Enter, A, Space. Power buttons lack them.
_KEYBOARD_KEYS = 1 << 28 | 1 << 30 | 1 << 57

# PCI base class 3: display controller
_PCI_DISPLAY = "0x03"


class ConsoleOperator(Operator):
    """``sys``, ``proc``, ``dev``: where these file systems are mounted."""

    def __init__(self, clock: Clock, sys: str = "/sys", proc: str = "/proc", dev: str = "/dev") -> None:
        self._clock = clock
        self._sys = sys
        self._proc = proc
        self._dev = dev
        self._terminals: dict[str, Terminal] = {}

    @property
    @override
    def is_present(self) -> bool:
        """Looked up each time: keyboards on USB come late."""
        return any(terminal.is_open for terminal in self._open())

    @override
    def show(self, text: str) -> None:
        for terminal in self._open():
            terminal.write(f"{text}\n")

    @override
    def key_pressed(self, seconds: float) -> bool:
        with self._keys(seconds) as keys:
            return any(_is_key(byte) for byte in keys)

    @override
    def choose(self, title: str, items: Sequence[str], seconds: float) -> int | None:
        """By number and Enter. Empty items separate groups and have no number."""
        choices = [index for index, item in enumerate(items) if item]
        numbers = {index: number for number, index in enumerate(choices, 1)}
        lines = [f"{numbers[index]:>4}  {item}" if item else "" for index, item in enumerate(items)]
        self.show("\n".join(["", title, "", *lines, ""]))
        for line in self._lines(f"Number (1-{len(choices)}) and Enter: ", seconds):
            if line.isascii() and line.isdigit() and 1 <= int(line) <= len(choices):
                return choices[int(line) - 1]
        return None

    @override
    def confirm(self, question: str, seconds: float) -> bool:
        for line in self._lines(f"{question} (yes or no) ", seconds):
            if line.lower() in ("y", "yes"):
                return True
            if line.lower() in ("n", "no"):
                return False
        return False

    @override
    def ask_secret(self, prompt: str, seconds: float) -> Secret | None:
        self._echo(f"{prompt}: ")
        typed = ""
        with self._keys(seconds) as keys:
            for byte in keys:
                if byte in _ENTER:
                    self._echo("\n")
                    return Secret(typed)
                if byte in _ERASE:
                    typed = typed[:-1]
                elif _is_key(byte) and chr(byte).isprintable():
                    typed += chr(byte)
        return None

    def _open(self) -> list[Terminal]:
        """Terminals of operators. A closed terminal is not opened again."""
        for name in eligible_terminals(self._sys, self._proc):
            if name not in self._terminals:
                self._terminals[name] = Terminal(f"{self._dev}/{name}")
        return list(self._terminals.values())

    @contextmanager
    def _keys(self, seconds: float) -> Iterator[Iterator[int]]:
        """Bytes that are typed within ``seconds``. Without any terminal it still waits that long: callers rely on the
        pause."""
        terminals = self._open()
        deadline = Deadline(self._clock, seconds)

        def keys() -> Iterator[int]:
            while left := deadline.remaining:
                if any(terminal.is_open for terminal in terminals):
                    yield from wait_for_input(terminals, left)
                else:
                    self._clock.sleep(left)

        with ExitStack() as modes:
            for terminal in terminals:
                modes.enter_context(terminal.raw_mode())
            yield keys()

    def _lines(self, prompt: str, seconds: float) -> Iterator[str]:
        """Lines that are typed within ``seconds``, with echo."""
        self._echo(prompt)
        line = ""
        with self._keys(seconds) as keys:
            for byte in keys:
                if byte in _ENTER:
                    self._echo("\n")
                    yield line.strip()
                    line = ""
                    self._echo(prompt)
                elif byte in _ERASE:
                    self._echo("\b \b" if line else "")
                    line = line[:-1]
                elif _is_key(byte) and len(line) < _LINE_LIMIT:
                    line += chr(byte)
                    self._echo(chr(byte) if chr(byte).isprintable() else "")

    def _echo(self, text: str) -> None:
        for terminal in self._terminals.values():
            terminal.write(text)


def operator_terminals() -> tuple[str, ...]:
    """Paths of the terminals at which an operator may be."""
    return tuple(f"/dev/{name}" for name in eligible_terminals("/sys", "/proc"))


def eligible_terminals(sys: str, proc: str) -> tuple[str, ...]:
    """Names below /dev of the active consoles at which an operator may be."""
    active = _text(f"{sys}/class/tty/console/active").split()
    words = _text(f"{proc}/cmdline").split()
    named = {word[len("console=") :].partition(",")[0] for word in words if word.startswith("console=")}
    return tuple(name for name in active if (_has_operator(sys) if _is_virtual(name) else name in named))


def _is_virtual(name: str) -> bool:
    return name.startswith("tty") and name[3:].isdigit()


def _has_operator(sys: str) -> bool:
    return _has_keyboard(sys) and _has_display(sys)


def _has_keyboard(sys: str) -> bool:
    for device in _names(f"{sys}/class/input"):
        words = _text(f"{sys}/class/input/{device}/capabilities/key").split()
        try:
            low = int(words[-1], 16) if words else 0
        except ValueError:
            continue
        if low & _KEYBOARD_KEYS == _KEYBOARD_KEYS:
            return True
    return False


def _has_display(sys: str) -> bool:
    """Whether a connector is not disconnected. Without connectors (no DRM driver): a display adapter and a console
    other than the dummy. (The kernel assumes VGA text mode even without an adapter.)"""
    connectors = [_text(f"{sys}/class/drm/{name}/status").strip() for name in _names(f"{sys}/class/drm") if "-" in name]
    if connectors:
        return any(status != "disconnected" for status in connectors)
    devices = f"{sys}/bus/pci/devices"
    if not any(_text(f"{devices}/{name}/class").startswith(_PCI_DISPLAY) for name in _names(devices)):
        return False
    consoles = [f"{sys}/class/vtconsole/{name}" for name in _names(f"{sys}/class/vtconsole")]
    return any(
        _text(f"{console}/bind").strip() == "1" and "dummy" not in _text(f"{console}/name") for console in consoles
    )


def _is_key(byte: int) -> bool:
    """NUL and bytes above ASCII are noise on a serial line."""
    return 0 < byte < 0x80


def _text(path: str) -> str:
    """Content of a file; empty if it cannot be read, which counts as "no operator"."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
