"""A management controller outside of QEMU that is the simulated one with its faults; a machine's side of the line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.domain.errors import DeadlineExceeded
from gprov.domain.formats.ipmi.message import IpmbAddress, NetworkFunction, Request, Response, parse_response
from gprov.ports.bmc import Bmc
from tests.integ.bmc.vm_protocol import VERSION_COMMAND, Unframer, command, framed

# A command that no controller has (application, F0h): go on with another controller, of this number.
SELECT = 0xF0
_SECONDS = 10.0
# Set and Get BMC Global Enables, Clear and Get Message Flags: what the driver of a kernel sends by itself.
_HOUSEKEEPING = {(6, 0x2E): b"\0", (6, 0x2F): b"\0\x01", (6, 0x30): b"\0", (6, 0x31): b"\0\0"}


def select(number: int) -> Request:
    return Request(NetworkFunction.APPLICATION, SELECT, bytes((number,)))


@dataclass
class OutsideBmc:
    """``make``: the controller of a number. ``controllers``: those that were selected."""

    make: Callable[[int], FakeController]
    controllers: dict[int, FakeController] = field(default_factory=dict)
    current: FakeController = field(default_factory=FakeController)

    def respond(self, message: bytes) -> bytes | None:
        """``message``: sequence number, network function and LUN, command, data."""
        sequence, function, code, data = message[0], message[1] >> 2, message[2], message[3:]
        content = self._content(function, code, data)
        if content is None:
            return None
        return bytes((sequence, (function | 1) << 2, code)) + content

    def _content(self, function: int, code: int, data: bytes) -> bytes | None:
        if (function, code) == (NetworkFunction.APPLICATION, SELECT):
            self.current = self.controllers[data[0]] = self.make(data[0])
            return b"\0"
        # Otherwise the driver would use up the faults.
        return _HOUSEKEEPING.get((function, code)) or self.current.respond(function, code, data)


@contextmanager
def serving(bmc: OutsideBmc, path: Path) -> Iterator[None]:
    """Serve at a Unix socket while the context lasts, one machine after the other."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(bmc, listener), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS)


def _serve(bmc: OutsideBmc, listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            line, _ = listener.accept()
            with line, suppress(OSError):
                unframer = Unframer()
                line.sendall(command(VERSION_COMMAND))
                while content := line.recv(4096):
                    for message in unframer.messages(content):
                        if (answer := bmc.respond(message)) is not None:
                            line.sendall(framed(answer))


class LineBmc(Bmc):
    """The BMC at the end of a TCP line in place of QEMU's."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=_SECONDS)
        self._unframer = Unframer()
        self._sequence = 0

    def close(self) -> None:
        self._line.close()

    @override
    def exchange(self, request: Request, to: IpmbAddress | None = None) -> Response:
        assert to is None
        self._sequence = (self._sequence + 1) & 0xFF
        self._line.sendall(framed(bytes((self._sequence, request.function << 2, request.command)) + request.data))
        while True:
            try:
                content = self._line.recv(4096)
            except TimeoutError as exc:
                raise DeadlineExceeded("line", _SECONDS) from exc
            for message in self._unframer.messages(content):
                if message[0] == self._sequence and message[2] == request.command:
                    return parse_response(message[3:])
