"""A server process that is attacked, what it uses meanwhile, and a unit that behaves and measures how it is served."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SECONDS = 60.0
# For a report of a unit, in seconds: its client waits 20, then it tries again.
DEADLINE = 10.0
JSON = {"Content-Type": "application/json"}
MIB = 1 << 20


class Attacked:
    """``files``: limit of the process for open files."""

    def __init__(self, data: Path, settings: str = "", files: int = 1024) -> None:
        self.data = data
        self.port = 0
        self._files = files
        self._process: subprocess.Popen[str] | None = None
        data.mkdir(exist_ok=True)
        (data / "server.toml").write_text(settings)

    def start(self) -> None:
        modules = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
        command = ["prlimit", f"--nofile={self._files}", sys.executable, "-m", "gprov.apps.host.cli.main", "server"]
        options = ["--data", str(self.data), "--key-file", f"{self.data}.key", "--port", "0", "--isolated"]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=modules
            )
        output = self._process.stdout
        assert output is not None
        self.port = int(_line(output).rstrip().rpartition(":")[2])

    @property
    def _log(self) -> Path:
        return self.data / "err"

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def close(self) -> None:
        if self._process is not None:
            assert self._process.poll() is None, f"the server has ended: {self.log[-2000:]}"
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(SECONDS)
            assert self._process.stdout is not None
            self._process.stdout.close()

    def memory(self) -> int:
        """Bytes that the process has of its own in memory now."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most that they were."""
        return self._status("VmHWM")

    def _status(self, key: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) << 10
        raise AssertionError(key)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def sockets(self) -> int:
        """Descriptors that are sockets: those of connections, and some of its own."""
        folder = Path(f"/proc/{self.pid}/fd")
        return sum(os.readlink(path).startswith("socket:") for path in folder.iterdir() if path.is_symlink())

    def store_size(self) -> int:
        return sum(path.stat().st_size for path in (self.data / "store").iterdir())

    def connect(self, source: str = "127.0.0.66", seconds: float = SECONDS) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), seconds, (source, 0))

    def send(self, data: bytes, source: str = "127.0.0.66", seconds: float = 5.0) -> bytes:
        """What comes back until the server closes the connection, or until no more comes for so long."""
        with closing(self.connect(source, seconds)) as peer:
            return exchange(peer, data)

    def head_of_reply(self, data: bytes, source: str = "127.0.0.66") -> bytes:
        """What comes back until a reply's head has ended, or the server closes the connection."""
        received = b""
        with closing(self.connect(source, SECONDS)) as peer, suppress(OSError):
            peer.sendall(data)
            while b"\r\n\r\n" not in received and (piece := peer.recv(65536)):
                received += piece
        return received

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        source: str = "127.0.0.66",
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS, source_address=(source, 0))
        with closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            return reply.status, reply.read(), {name.lower(): value for name, value in reply.getheaders()}

    def post(self, path: str, message: Mapping[str, Any], source: str = "127.0.0.66") -> int:
        return self.ask("POST", f"/api/v1/{path}", json.dumps(message).encode(), JSON, source=source)[0]

    def state_of(self, serial: str) -> str:
        status, body, _ = self.ask("GET", f"/api/v1/unit?serial={serial}", source="127.0.0.3")
        assert status == 200, (status, body)
        found: str = json.loads(body)["summary"]["state"]
        return found


def exchange(peer: socket.socket, data: bytes) -> bytes:
    received = bytearray()
    try:
        peer.sendall(data)
        while piece := peer.recv(65536):
            received += piece
    except OSError:  # closed by the server, or nothing for the time that is allowed
        pass
    return bytes(received)


def is_open(peer: socket.socket) -> bool:
    """Whether the server has not closed this connection yet. What it sent is discarded."""
    peer.setblocking(False)
    try:
        while piece := peer.recv(65536):
            del piece
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def session(number: int) -> str:
    return f"{number:032x}"


@dataclass
class Unit:
    """A unit that reports its state again and again from its own address. ``slowest``: seconds of the slowest report;
    one that was not answered within a minute fails."""

    server: Attacked
    serial: str = "well-behaved"
    source: str = "127.0.0.2"
    slowest: float = 0.0
    reports: int = 0
    failures: list[str] = field(default_factory=list)

    def report(self, state: str = "MFG_STARTED") -> None:
        began = time.monotonic()
        message = {"serial": self.serial, "session": session(1), "state": state}
        try:
            status = self.server.post("state", message, self.source)
            if status != 204:
                self.failures.append(f"status {status}")
        except OSError as exc:
            self.failures.append(repr(exc))
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.reports += 1

    @contextmanager
    def reporting(self) -> Iterator[Unit]:
        """Meanwhile it reports, ten times a second."""
        ends = threading.Event()

        def go_on() -> None:
            while not ends.wait(0.1):
                self.report()

        self.report()
        self.slowest, self.reports = 0.0, 0
        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield self
        finally:
            ends.set()
            thread.join()

    def was_served(self) -> None:
        """Every report was stored and answered in time."""
        print(f"{self.reports} reports, the slowest after {self.slowest:.2f} s; {self.failures[:3]}")
        assert not self.failures
        assert self.reports
        assert self.slowest < DEADLINE
        assert self.server.state_of(self.serial) == "MFG_STARTED"


def _line(stream: IO[str]) -> str:
    timer = threading.Timer(SECONDS, stream.close)
    timer.start()
    try:
        line = stream.readline()
    finally:
        timer.cancel()
    assert line, "the server ended before it listened"
    return line
