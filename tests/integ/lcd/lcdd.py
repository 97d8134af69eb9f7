"""LCDd of the LCDproc project, and a client of it. Source: LCDproc developer's guide, "The LCDproc Protocol"."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LCDD = "/usr/sbin/LCDd"
_SECONDS = 20.0
# Names of LCDd for the keys of a display.
KEYS = ("Up", "Down", "Left", "Right", "Enter", "Escape")
_CONFIGURATION = """
[server]
DriverPath=/usr/lib/x86_64-linux-gnu/lcdproc/
Driver=CFontzPacket
Bind=127.0.0.1
Port={port}
Foreground=yes
ReportToSyslog=no
ServerScreen=off
WaitTime=2
[CFontzPacket]
Device={device}
Model={model}
"""


class Client:
    """A client with one screen, which has one string per row of the display."""

    def __init__(self, connection: socket.socket, lines: TextIO) -> None:
        self._connection = connection
        self._lines = lines

    def start(self, rows: int) -> str:
        """Returns LCDd's greeting, which has the size of the display."""
        self._send("hello")
        greeting = self._lines.readline()
        for command in (
            "client_set -name gprov",
            "screen_add screen",
            "screen_set screen -heartbeat off",  # each option has a reply of its own
            "screen_set screen -priority alert",
            *(f"widget_add screen row{row} string" for row in range(rows)),
            *(f"client_add_key {key}" for key in KEYS),
        ):
            self.command(command)
        return greeting

    def show(self, rows: Sequence[str]) -> None:
        for number, text in enumerate(rows):
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            self.command(f'widget_set screen row{number} 1 {number + 1} "{quoted}"')

    def command(self, text: str) -> None:
        self._send(text)
        while (reply := self._lines.readline()) != "success\n":
            assert reply.split()[0] in ("listen", "ignore"), f"{text}: {reply}"

    def next_key(self) -> str:
        while (reply := self._lines.readline()).split()[0] in ("listen", "ignore"):
            pass
        return reply.strip()

    def _send(self, text: str) -> None:
        self._connection.sendall(text.encode("latin-1") + b"\n")


@contextmanager
def lcdd(device: str, model: int, folder: Path) -> Iterator[Client]:
    """Run LCDd on a serial line."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "LCDd.conf"
    configuration.write_text(_CONFIGURATION.format(port=port, device=device, model=model))
    log = (folder / "LCDd.log").open("wb")
    with log, subprocess.Popen([LCDD, "-f", "-c", str(configuration)], stdout=log, stderr=log) as process:
        try:
            with _connected(port) as connection, connection.makefile("r", encoding="latin-1") as lines:
                yield Client(connection, lines)
        finally:
            process.terminate()


def _connected(port: int) -> socket.socket:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
