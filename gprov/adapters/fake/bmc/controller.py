"""A simulated management controller: bytes of a request in, bytes of a response out."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

from gprov.adapters.fake.bmc.accounts import DONE, INVALID, WRONG_LENGTH, Accounts, Reply
from gprov.adapters.fake.bmc.faults import BmcFaults, CommandKey
from gprov.adapters.fake.bmc.model import FakeBoard, FakeLan

_UNKNOWN: Reply = (0xC1, b"")
_NOT_THERE: Reply = (0xCB, b"")
_NO_PARAMETER: Reply = (0x80, b"")
_UNREACHABLE: Reply = (0xD3, b"")
_GET_DEVICE_ID: CommandKey = (0x06, 0x01)
_LAN_MEDIUM = 4
_REVISION = b"\x11"


class FakeController:
    """``board``: its state; ``faults``: how it misbehaves. Both may be changed at any time."""

    def __init__(self, board: FakeBoard | None = None, faults: BmcFaults | None = None) -> None:
        self.board = board or FakeBoard()
        self.faults = faults or BmcFaults()

    def respond(self, function: int, command: int, data: bytes, to: tuple[int, int] | None = None) -> bytes | None:
        """Completion code and data; None if it is silent. ``to``: channel and slave address of another controller."""
        faults, key = self.faults, (function, command)
        if faults.silent:
            faults.silent -= 1
            return None
        if faults.busy:
            faults.busy -= 1
            return bytes((faults.busy_code,))
        if key in faults.codes:
            return bytes((faults.codes[key],))
        code, content = self._engine(key, to) if to else self._reply(key, data)
        if key in faults.sizes and code == 0:
            content = content[: faults.sizes[key]].ljust(faults.sizes[key], b"\0")
        return bytes((code,)) + content

    def _reply(self, key: CommandKey, data: bytes) -> Reply:
        handler = self._handlers().get(key)
        return handler(data) if handler else _UNKNOWN

    def _handlers(self) -> Mapping[CommandKey, Callable[[bytes], Reply]]:
        accounts = Accounts(self.board, self.faults)
        return {
            (0x00, 0x04): self._identify,
            _GET_DEVICE_ID: lambda _data: (0, _device_id(*self.board.firmware)),
            (0x06, 0x42): self._channel,
            (0x06, 0x43): accounts.set_access,
            (0x06, 0x44): accounts.get_access,
            (0x06, 0x45): accounts.set_name,
            (0x06, 0x46): accounts.get_name,
            (0x06, 0x47): accounts.password,
            (0x0A, 0x10): self._fru_area,
            (0x0A, 0x11): self._fru_data,
            (0x0A, 0x40): self._event_log,
            (0x0A, 0x43): self._event,
            (0x0C, 0x02): self._lan,
        }

    def _engine(self, key: CommandKey, to: tuple[int, int]) -> Reply:
        engine = self.board.engine
        if engine is None or engine[:2] != to:
            return _UNREACHABLE
        return (0, _device_id(*engine[2:])) if key == _GET_DEVICE_ID else _UNKNOWN

    def _identify(self, data: bytes) -> Reply:
        if len(data) > 2:
            return WRONG_LENGTH
        # Without a byte: for 15 seconds (28.5).
        self.board.identify_seconds = data[0] if data else 15
        return DONE

    def _channel(self, data: bytes) -> Reply:
        if len(data) != 1:
            return WRONG_LENGTH
        number = data[0] & 0x0F
        if number in self.board.channels:
            return 0, bytes((number, _LAN_MEDIUM, 1, 0x80, 0xF2, 0x1B, 0, 0, 0))
        # The primary IPMB and the system interface are always there.
        fixed = {0: 1, 0x0F: 0x0C}
        return (0, bytes((number, fixed[number], 1, 0, 0xF2, 0x1B, 0, 0, 0))) if number in fixed else INVALID

    def _lan(self, data: bytes) -> Reply:
        if len(data) != 4:
            return WRONG_LENGTH
        lan = self.board.channels.get(data[0] & 0x0F)
        if lan is None:
            return INVALID
        value = _parameters(lan).get(data[1])
        return (0, _REVISION + value) if value else _NO_PARAMETER

    def _fru_area(self, data: bytes) -> Reply:
        if len(data) != 1:
            return WRONG_LENGTH
        return (0, struct.pack("<HB", len(self.board.fru), 0)) if data[0] == 0 and self.board.fru else _NOT_THERE

    def _fru_data(self, data: bytes) -> Reply:
        if len(data) != 4:
            return WRONG_LENGTH
        number, offset, count = struct.unpack("<BHB", data)
        content = self.board.fru[offset : offset + count]
        return (0, bytes((len(content),)) + content) if number == 0 and content else _NOT_THERE

    def _event_log(self, _data: bytes) -> Reply:
        added = int.from_bytes(self.board.events[-1][3:7], "little") if self.board.events else 0xFFFFFFFF
        return 0, struct.pack("<BHHIIB", 0x51, len(self.board.events), 0xFFFF, added, 0, 2)

    def _event(self, data: bytes) -> Reply:
        """Records are numbered from 1."""
        if len(data) != 6:
            return WRONG_LENGTH
        number = int.from_bytes(data[2:4], "little")
        index = {0: 0, 0xFFFF: len(self.board.events) - 1}.get(number, number - 1)
        if not 0 <= index < len(self.board.events):
            return _NOT_THERE
        following = index + 2 if index + 1 < len(self.board.events) else 0xFFFF
        record = struct.pack("<HH", following, index + 1) + self.board.events[index][2:]
        return 0, record


def _device_id(major: int, minor: int) -> bytes:
    """A controller of IPMI 2.0 with all optional functions, of OpenIPMI's manufacturer number."""
    return bytes((0x20, 1, major, minor, 2, 0xBF, 0xF2, 0x1B, 0, 1, 0)) + bytes(4)


def _parameters(lan: FakeLan) -> Mapping[int, bytes]:
    """Table 23-4."""
    return {3: lan.address, 4: bytes((lan.source,)), 5: lan.mac, 6: lan.mask, 12: lan.gateway}
