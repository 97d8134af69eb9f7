"""A USB serial adapter whose display does not read: it refuses (NAK) all bytes of its host from a number on.

QEMU's own usb-serial accepts everything. This is the far end of QEMU's usb-redir device: the adapter itself, an FT232R
as the kernel's driver expects one. Source of the packets: usbredir protocol 0.7 (usb-redir-protocol.txt), with the
capabilities that QEMU demands for XHCI: packet sizes of endpoints, long bulk packets, and ids of 64 bits behind the
greeting.
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Self

MANUFACTURER, PRODUCT = "Crystalfontz", "CFA-635 USB LCD"


class _Kind(IntEnum):
    HELLO = 0
    CONNECT = 1
    INTERFACES = 4
    ENDPOINTS = 5
    SET_CONFIGURATION = 6
    CONFIGURATION = 8
    SET_ALTERNATE = 9
    ALTERNATE = 11
    CANCEL = 21
    CONTROL = 100
    BULK = 101


_FULL_SPEED, _BULK_KIND, _NO_KIND = 1, 2, 255
_STALLED, _CANCELLED = 4, 1
_CAPABILITIES = 1 << 4 | 1 << 5 | 1 << 6
# Of a bulk packet: endpoint, status, length (16 bits), stream, upper half of the length.
_BULK_HEAD = 10
_PACKET = 64
_IN = 0x80
_DEVICE = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x200, 0, 0, 0, 8, 0x0403, 0x6001, 0x600, 1, 2, 0, 1)
_CONFIG = (
    struct.pack("<BBHBBBBB", 9, 2, 32, 1, 1, 0, _IN, 45)
    + struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 2, 255, 255, 255, 0)
    + struct.pack("<BBBBHB", 7, 5, _IN | 1, 2, 64, 0)
    + struct.pack("<BBBBHB", 7, 5, 2, 2, 64, 0)
)
# Modem status of ftdi_sio: no TEMT, since the transmitter is never empty.
_STATUS = bytes((0x01, 0x00))


@dataclass(frozen=True)
class _Setup:
    endpoint: int
    request: int
    kind: int
    status: int
    value: int
    index: int
    length: int


class StuckAdapter:
    """``accepts``: how many packets of bytes it takes from its host. ``refused``: how many it has kept waiting."""

    def __init__(self, path: Path, accepts: int = 0) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._accepts = accepts
        self._connection: socket.socket | None = None
        # Bulk packets without an answer, by their id.
        self._waiting: dict[int, bytes] = {}
        self.refused = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._listener.close()
        if self._connection is not None:
            self._connection.close()

    def _serve(self) -> None:
        try:
            self._connection = self._listener.accept()[0]
            hello = b"gprov test".ljust(64, b"\0") + struct.pack("<I", _CAPABILITIES)
            self._connection.sendall(struct.pack("<III", _Kind.HELLO, len(hello), 0) + hello)
            self._read(struct.unpack("<III", self._read(12))[1])
            self._connect()
            while True:
                kind, length, number = struct.unpack("<IIQ", self._read(16))
                self._answer(kind, number, self._read(length))
        except (OSError, EOFError):
            return

    def _connect(self) -> None:
        other = b"\xff" + bytes(31)
        self._send(_Kind.INTERFACES, 0, struct.pack("<I", 1) + bytes(32) + other * 3)
        kinds = bytearray([_NO_KIND]) * 32
        kinds[0], kinds[16], kinds[2], kinds[16 + 1] = 0, 0, _BULK_KIND, _BULK_KIND
        sizes = struct.pack("<32H", *(_PACKET if kind == _BULK_KIND else 8 for kind in kinds))
        self._send(_Kind.ENDPOINTS, 0, bytes(kinds) + bytes(64) + sizes)
        self._send(_Kind.CONNECT, 0, struct.pack("<BBBBHH", _FULL_SPEED, 0, 0, 0, 0x0403, 0x6001))

    def _answer(self, kind: int, number: int, body: bytes) -> None:
        match kind:
            case _Kind.SET_CONFIGURATION:
                self._send(_Kind.CONFIGURATION, number, bytes((0, body[0])))
            case _Kind.SET_ALTERNATE:
                self._send(_Kind.ALTERNATE, number, bytes((0, body[0], body[1])))
            case _Kind.CANCEL:
                waiting = self._waiting.pop(number, None)
                if waiting is not None:
                    self._send(_Kind.BULK, number, waiting[:1] + bytes((_CANCELLED, 0, 0)) + waiting[4:8] + bytes(2))
            case _Kind.CONTROL:
                self._control(number, _Setup(*struct.unpack("<BBBBHHH", body[:10])))
            case _Kind.BULK:
                self._bulk(number, body)
            case _:
                return

    def _control(self, number: int, setup: _Setup) -> None:
        if not setup.kind & _IN:
            data, status = b"", 0
        else:
            found = self._described(setup)
            data, status = found[: setup.length], 0 if found else _STALLED
        # Of a request to the device, the length is that of its data.
        length = len(data) if setup.kind & _IN else setup.length
        head = (setup.endpoint, setup.request, setup.kind, status, setup.value, setup.index, length)
        self._send(_Kind.CONTROL, number, struct.pack("<BBBBHHH", *head) + data)

    def _described(self, setup: _Setup) -> bytes:
        match setup.kind, setup.request, setup.value >> 8, setup.value & 0xFF:
            case 0x80, 6, 1, _:
                return _DEVICE
            case 0x80, 6, 2, _:
                return _CONFIG
            case 0x80, 6, 3, 0:
                return bytes((4, 3, 9, 4))
            case 0x80, 6, 3, index:
                text = (MANUFACTURER, PRODUCT)[index - 1].encode("utf-16-le")
                return bytes((2 + len(text), 3)) + text
            case 0x80, 0, _, _:
                return bytes(2)
            case 0xC0, 5, _, _:
                return _STATUS
            case 0xC0, 10, _, _:
                return bytes((16,))
            case _:
                return b""

    def _bulk(self, number: int, body: bytes) -> None:
        if not body[0] & _IN and self._accepts:
            self._accepts -= 1
            self._send(_Kind.BULK, number, body[:1] + bytes(1) + body[2:_BULK_HEAD])
            return
        self.refused += not body[0] & _IN
        self._waiting[number] = body[:_BULK_HEAD]

    def _send(self, kind: int, number: int, body: bytes) -> None:
        assert self._connection is not None
        self._connection.sendall(struct.pack("<IIQ", kind, len(body), number) + body)

    def _read(self, size: int) -> bytes:
        assert self._connection is not None
        data = b""
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data
