"""``gprov lcd simulate`` as a process: text, scripts, recordings, and in a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gprov.domain.formats.lcd import commands
from gprov.domain.formats.lcd.models import Model
from gprov.domain.formats.lcd.packet import Packet, PacketReader

GPROV = [sys.executable, "-m", "gprov.apps.host.cli.main"]
_SECONDS = 30.0
_READ = 65536


def simulate(*words: str) -> subprocess.Popen[str]:
    command = [*GPROV, "lcd", "simulate", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    wait_for(path.exists)
    connection.connect(str(path))
    connection.settimeout(_SECONDS)
    return connection


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def talk(connection: socket.socket, *packets: Packet) -> list[Packet]:
    """Send each when the one before is answered."""
    reader = PacketReader()
    answers: list[Packet] = []
    for packet in packets:
        connection.sendall(packet.serialise())
        expected = len(answers) + 1
        while len(answers) < expected:
            answers += reader.feed(connection.recv(_READ))
    return answers


HELLO = (commands.clear(), commands.write_text(Model.CFA_635, 0, 0, b"Press any key"))


def test_a_script_with_a_host_is_printed_recorded_and_replayed(tmp_path: Path) -> None:
    line, script, record = tmp_path / "lcd", tmp_path / "keys", tmp_path / "record"
    script.write_text("within 20\nwait Press any key\npress ENTER\n")
    words = ["--plain", "--unix", str(line), "--keys", str(script), "--record", str(record)]
    with simulate(*words) as process, connected(line) as host:
        talk(host, *HELLO)
        assert host.recv(_READ)
        output, errors = process.communicate(timeout=_SECONDS)
    assert (process.returncode, errors) == (0, f"display CFA-635 on {line}\n")
    assert "|Press any key       |" in output.splitlines()
    assert [json.loads(each)["from"] for each in record.read_text().splitlines()][:2] == ["host", "display"]

    words = ["--plain", "--unix", str(line), "--replay", str(record)]
    with simulate(*words) as process, connected(line) as host:
        assert [packet.code for packet in talk(host, *HELLO)] == [6, 31]
        output, errors = process.communicate(timeout=_SECONDS)
    assert process.returncode == 0, errors
    assert "|Press any key       |" in output.splitlines()

    with simulate(*words) as process, connected(line) as host:
        host.sendall(commands.ping().serialise())
        output, errors = process.communicate(timeout=_SECONDS)
    assert process.returncode == 1
    assert "byte 0 from the host differs" in errors


def test_a_text_that_does_not_come_is_a_failure(tmp_path: Path) -> None:
    script = tmp_path / "keys"
    script.write_text("within 0.2\nwait Restore\n")
    with simulate("--plain", "--model", "631", "--keys", str(script)) as process:
        output, errors = process.communicate(timeout=_SECONDS)
    assert process.returncode == 3
    assert "text 'Restore' (shown: CFA-631 simulated" in errors
    assert "simulated" in output


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (("--plain", "--unix", "a", "--pty", "b"), 2, "exclude each other"),
        ((), 2, "needs a terminal"),
        (("--plain", "--model", "633"), 2, "must be one of 631, 635"),
        (("--plain", "--listen", "here"), 2, "must be HOST:PORT"),
        (("--plain", "--keys", "/nonexistent"), 3, "/nonexistent"),
        (("--plain", "--record", "/nonexistent/x"), 3, "/nonexistent/x"),
        (("--plain", "--connect", "/nonexistent"), 3, "/nonexistent"),
    ],
)
def test_what_cannot_be_done_is_refused(words: tuple[str, ...], status: int, reason: str) -> None:
    with simulate(*words) as process:
        output, errors = process.communicate(timeout=_SECONDS)
    assert (process.returncode, output) == (status, "")
    assert reason in errors


def test_the_display_is_drawn_in_a_terminal_and_its_keys_are_pressed(tmp_path: Path) -> None:
    line = tmp_path / "lcd"
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    command = [*GPROV, "lcd", "simulate", "--unix", str(line)]
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=writer, stdout=writer, stderr=writer, env=environment) as process:
        os.close(writer)
        written = b""

        def has(text: bytes) -> bool:
            nonlocal written
            while select.select([reader], [], [], 0)[0]:
                written += os.read(reader, _READ)
            return text in written

        with connected(line) as host:
            talk(host, *HELLO)
            wait_for(lambda: has(b"Press any key"))
            os.write(reader, b"\r")
            assert PacketReader().feed(host.recv(5))[0].data == bytes([5])
            os.write(reader, b"\x11")  # Ctrl-Q
            wait_for(lambda: has(b"\x1b[?1049l"))  # back from the alternate screen
            assert process.wait(_SECONDS) == 0
        os.close(reader)
