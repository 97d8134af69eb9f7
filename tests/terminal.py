"""The other end of a terminal line: a person who types, and a terminal of 80 x 25 that shows what it gets.

The terminal interprets the sequences of ECMA-48 that it needs, and refuses others. It is independent of the code that
draws.
"""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

COLUMNS, ROWS = 80, 25
DEADLINE = 20.0
_SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


class Terminal80x25:
    """``lines``: what is shown; ``scrolled``: the screen has scrolled since it was cleared."""

    def __init__(self) -> None:
        self.cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.scrolled = False

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, text: str) -> None:
        while text:
            if text[0] == "\x1b":
                found = _SEQUENCE.match(text)
                assert found is not None, f"not a sequence of this terminal: {text[:10]!r}"
                self._control(found[1], found[2])
                text = text[found.end() :]
            else:
                self._character(text[0])
                text = text[1:]

    def _control(self, parameters: str, final: str) -> None:
        match final:
            case "H":
                row, _, column = parameters.partition(";")
                self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
                assert self.row in range(ROWS)
                assert self.column in range(COLUMNS)
            case "J":
                assert parameters == ""
                self._clear(self.row, self.column)
                for below in range(self.row + 1, ROWS):
                    self._clear(below, 0)
                if (self.row, self.column) == (0, 0):
                    self.scrolled = False
            case "K":
                assert parameters == ""
                self._clear(self.row, self.column)
            case "m" | "h":
                assert parameters in ("0", "?25")
            case _:
                raise AssertionError(f"not a sequence of this terminal: {parameters}{final}")

    def _clear(self, row: int, column: int) -> None:
        if column < COLUMNS:
            self.cells[row][column:] = [" "] * (COLUMNS - column)

    def _character(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._line_feed()
        elif character == "\b":
            self.column = max(0, self.column - 1)
        else:
            assert character.isprintable(), f"shown: {character!r}"
            if self.column == COLUMNS:
                self.column = 0
                self._line_feed()
            self.cells[self.row][self.column] = character
            self.column += 1

    def _line_feed(self) -> None:
        if self.row == ROWS - 1:
            self.cells = [*self.cells[1:], [" "] * COLUMNS]
            self.scrolled = True
        else:
            self.row += 1


@dataclass
class Person:
    """``line``: path of the unit's end; ``heard``: all that was shown; ``screen``: what is shown now."""

    fd: int
    line: str
    heard: str = ""
    screen: Terminal80x25 = field(default_factory=Terminal80x25)

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def listen(self, seconds: float = 0.2) -> str:
        """Everything that was shown so far."""
        while select.select([self.fd], [], [], seconds)[0]:
            self._hear()
        return self.heard

    def await_text(self, text: str, after: int = 0) -> int:
        """Wait until a text is heard. Returns where it ends."""
        end = time.monotonic() + DEADLINE
        while text not in self.heard[after:]:
            assert time.monotonic() < end, f"{text!r} was not shown: {self.heard[after:]!r}"
            if select.select([self.fd], [], [], 0.5)[0]:
                self._hear()
        return self.heard.index(text, after) + len(text)

    def _hear(self) -> None:
        with suppress(OSError):
            text = os.read(self.fd, 4096).decode()
            self.heard += text
            self.screen.feed(text)

    @contextmanager
    def answering(self, *answers: tuple[str, bytes]) -> Iterator[None]:
        """Context in which the person waits for each text and then types keys."""
        with background(lambda: self._answer(answers)):
            yield

    def _answer(self, answers: tuple[tuple[str, bytes], ...]) -> None:
        heard = len(self.heard)
        for text, keys in answers:
            heard = self.await_text(text, heard)
            self.type(keys)


@contextmanager
def background(work: Callable[[], None]) -> Iterator[None]:
    """Context in which a thread works; its failure is that of the context."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - raised again below
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failures:
        raise failures[0]


@contextmanager
def connected_person() -> Iterator[Person]:
    """A person at a pseudo-terminal."""
    person_end, unit_end = os.openpty()
    try:
        yield Person(person_end, os.ttyname(unit_end))
    finally:
        for fd in (person_end, unit_end):
            with suppress(OSError):  # the test hung up
                os.close(fd)
