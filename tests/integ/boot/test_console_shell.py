"""The shell of the consoles on real terminals: a real shell, and pseudo-terminals whose other ends are persons."""

from __future__ import annotations

import ctypes
import os
import pty
import select
import struct
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gprov.adapters.linux.console.shell import PtyShell
from gprov.adapters.linux.system.clock import SystemClock
from gprov.adapters.linux.system.forks import end_session, start_on_terminal
from gprov.domain.errors import ToolMissing
from gprov.ports.shell import ShellEnd

DEADLINE = 20.0
PROMPT = b"recovery# "


@dataclass
class Person:
    """At the other end of a serial line."""

    fd: int
    line: str
    seen: bytes = b""

    def waits_for(self, text: bytes) -> None:
        end = time.monotonic() + DEADLINE
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0, f"{text!r} is not in {self.seen!r}"
            if select.select([self.fd], [], [], left)[0]:
                self.seen += os.read(self.fd, 4096)

    def types(self, text: bytes) -> None:
        os.write(self.fd, text)


@dataclass
class Session:
    """A session in the background."""

    persons: tuple[Person, ...]
    idle: float = 60.0
    shell: tuple[str, ...] = ("/bin/sh",)
    transcript: bytearray = field(default_factory=bytearray)
    ends: list[ShellEnd] = field(default_factory=list)

    def start(self) -> None:
        lines = [person.line for person in self.persons]
        shell = PtyShell(SystemClock(), lambda: lines, shell=self.shell)
        self._thread = threading.Thread(
            target=lambda: self.ends.append(shell.run("WELCOME", self.transcript.extend, self.idle))
        )
        self._thread.start()

    def end(self) -> ShellEnd:
        self._thread.join(DEADLINE)
        assert self.ends, "the session goes on"
        return self.ends[0]


@pytest.fixture
def persons() -> Iterator[tuple[Person, ...]]:
    pairs = [pty.openpty() for _ in range(2)]
    for _, slave in pairs:
        tty.setraw(slave)
    yield tuple(Person(master, os.ttyname(slave)) for master, slave in pairs)
    for pair in pairs:
        for fd in pair:
            os.close(fd)


def test_all_consoles_show_one_shell_and_each_may_type(persons: tuple[Person, ...]) -> None:
    session, (first, second) = Session(persons), persons
    session.start()
    first.waits_for(b"WELCOME\r")
    first.waits_for(PROMPT)
    first.types(b"echo one$((40 + 2)); tty\r")
    second.waits_for(b"one42\r\n")
    second.waits_for(b"/dev/pts/")
    second.types(b"echo two$((40 + 3))\r")
    first.waits_for(b"two43\r\n")
    first.types(b"exit\r")
    assert session.end() is ShellEnd.EXITED
    assert b"one42" in session.transcript
    assert b"two43" in session.transcript


def test_keys_for_jobs_work_since_the_shell_has_a_terminal_of_its_own(persons: tuple[Person, ...]) -> None:
    session, (first, _) = Session(persons), persons
    session.start()
    first.waits_for(PROMPT)
    first.types(b"cat\r")
    first.types(b"hello\r")
    first.waits_for(b"hello\r\nhello\r\n")
    first.types(b"\x03")
    first.waits_for(b"^C\r\n" + PROMPT)
    first.types(b"echo still$((40 + 4))\r")
    first.waits_for(b"still44\r\n")
    first.types(b"\x04")
    assert session.end() is ShellEnd.EXITED


def test_a_shell_that_is_left_open_ends(persons: tuple[Person, ...]) -> None:
    session = Session(persons, idle=1.0)
    session.start()
    persons[0].waits_for(PROMPT)
    persons[0].types(b"sleep 4321 & echo =$!=\r")
    persons[0].waits_for(b"$!=\r\n=")
    persons[0].waits_for(b"=\r\n" + PROMPT)
    assert session.end() is ShellEnd.IDLE
    sleeper = int(persons[0].seen.split(b"=")[-2])
    stat = Path(f"/proc/{sleeper}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z", "a job of the shell goes on"


@contextmanager
def folder_that_hangs(folder: Path) -> Iterator[None]:
    """Context in which ``stat`` of any file in the folder waits in the kernel and cannot be killed: a FUSE file system
    whose program has read the request and does not answer (linux/fuse.h)."""
    fd = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
    assert libc.mount(b"hangs", str(folder).encode(), b"fuse", 0, options) == 0

    def serve() -> None:
        with suppress(OSError):
            while True:
                _, operation, number = struct.unpack_from("<IIQ", os.read(fd, 1 << 17))
                if operation == 26:  # FUSE_INIT: version 7.31, the rest as by default
                    answer = struct.pack("<IIIIHHII", 7, 31, 0, 0, 0, 0, 4096, 0).ljust(64, b"\0")
                    os.write(fd, struct.pack("<IiQ", 16 + len(answer), 0, number) + answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        libc.umount2(str(folder).encode(), 1)  # MNT_FORCE: waiting requests fail
        libc.umount2(str(folder).encode(), 2)  # MNT_DETACH
        thread.join(DEADLINE)
        os.close(fd)


def test_a_program_that_cannot_be_killed_does_not_keep_the_unit_in_the_shell(
    persons: tuple[Person, ...], tmp_path: Path
) -> None:
    if os.geteuid() or not os.path.exists("/dev/fuse"):
        pytest.skip("needs root and FUSE")
    session = Session(persons, idle=1.0)
    with folder_that_hangs(tmp_path):
        session.start()
        persons[0].waits_for(PROMPT)
        persons[0].types(f"stat {tmp_path}/file\r".encode())
        assert session.end() is ShellEnd.IDLE


def test_much_output_while_a_console_reads_nothing(persons: tuple[Person, ...]) -> None:
    session, (first, _) = Session(persons), persons
    session.start()
    first.waits_for(PROMPT)
    first.types(b"seq 1 30000; echo done$((40 + 5))\r")
    first.waits_for(b"done45\r\n")
    first.types(b"exit\r")
    assert session.end() is ShellEnd.EXITED


def test_a_shell_that_is_not_there(persons: tuple[Person, ...]) -> None:
    with pytest.raises(ToolMissing):
        PtyShell(SystemClock(), lambda: [persons[0].line], shell=("/nowhere/sh",)).run("", lambda _: None, 1.0)


def test_the_environment_holds_nothing_of_the_kernel_arguments(persons: tuple[Person, ...]) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ
    session, (first, _) = Session(persons), persons
    session.start()
    first.waits_for(PROMPT)
    first.types(b"env; echo end$((40 + 6))\r")
    first.waits_for(b"end46\r\n")
    assert b"PATH=" in first.seen
    assert b"PYTEST_CURRENT_TEST" not in first.seen
    first.types(b"exit\r")
    session.end()


def test_a_pipe_ends_what_writes_to_it_without_a_message(persons: tuple[Person, ...]) -> None:
    """Python ignores the signal for that; the programs of the shell must not."""
    session, (first, _) = Session(persons), persons
    session.start()
    first.waits_for(PROMPT)
    first.types(b"yes | head -n 1; echo end$((40 + 7))\r")
    first.waits_for(b"end47\r\n")
    assert b"Broken pipe" not in first.seen
    first.types(b"exit\r")
    session.end()


def test_a_process_that_cannot_be_ended_does_not_keep_the_unit() -> None:
    """As one that waits for a disk that hangs."""
    pid, terminal = start_on_terminal(("/bin/sleep", "1000"), {}, "/")
    assert not end_session(pid, seconds=0.2, members=lambda _: {0x3FFFFFFF})
    assert end_session(pid)
    assert not Path(f"/proc/{pid}").exists()
    os.close(terminal)
