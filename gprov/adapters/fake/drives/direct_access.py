"""Commands that all simulated SCSI drives have: identification, capacity, reading and writing (SPC-4, SBC-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gprov.adapters.fake.drives.mode_pages import mode_data
from gprov.adapters.fake.drives.sense import (
    INVALID_FIELD,
    INVALID_OPCODE,
    MISCOMPARE,
    OUT_OF_RANGE,
    PARAMETER_LENGTH,
    check,
    good,
    illegal,
)
from gprov.adapters.fake.drives.store import Store
from gprov.adapters.fake.drives.vital_pages import vital_page
from gprov.domain.erase.drive_io import ScsiCommand, ScsiReply

Handler = Callable[[ScsiCommand], ScsiReply]

_TEN_BYTES = 0x20  # operation codes of shorter commands are below
_PROTECT = 0xE0
_MISCOMPARE = 0x0E
# BYTCHK
_RESERVED_COMPARISON, _ONE_BLOCK_FOR_ALL = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiIdentity:
    """``wwn``: 64 bits. ``rotation_rate``: 1: does not rotate. ``ata_information``: contents of page 89h, empty for a
    SCSI drive. ``unmap``: the drive states that it supports UNMAP (it does not)."""

    vendor: str
    product: str
    revision: str
    serial: str
    wwn: int
    rotation_rate: int
    block_size: int = 512
    ata_information: bytes = b""


class DirectAccess:
    """``blocks``: the present number of logical blocks."""

    def __init__(self, store: Store, identity: ScsiIdentity, blocks: Callable[[], int]) -> None:
        self.identity = identity
        self._store = store
        self._blocks = blocks

    def identification(self) -> Mapping[int, Handler]:
        """Commands that a drive carries out in every state, by operation code."""
        return {0x12: self._inquiry, 0xA0: self._report_luns}

    def media(self) -> Mapping[int, Handler]:
        """Commands that need the medium."""
        return {
            0x00: lambda _command: good(),
            0x08: lambda command: self._read(command, _lba_6(command.cdb), command.cdb[4] or 256),
            0x0A: lambda command: self._write(command, _lba_6(command.cdb), command.cdb[4] or 256),
            0x1A: lambda command: self._mode_sense(command, 6),
            0x1B: lambda _command: good(),
            0x25: self._capacity_10,
            0x28: lambda command: self._read(command, *_range(command.cdb, 2, 4, 7, 2)),
            0x2A: lambda command: self._write(command, *_range(command.cdb, 2, 4, 7, 2)),
            0x2F: lambda command: self._verify(command, *_range(command.cdb, 2, 4, 7, 2)),
            0x35: lambda _command: good(),
            0x5A: lambda command: self._mode_sense(command, 10),
            0x88: lambda command: self._read(command, *_range(command.cdb, 2, 8, 10, 4)),
            0x8A: lambda command: self._write(command, *_range(command.cdb, 2, 8, 10, 4)),
            0x8F: lambda command: self._verify(command, *_range(command.cdb, 2, 8, 10, 4)),
            0x91: lambda _command: good(),
            0x9E: self._service_action_in,
        }

    def _inquiry(self, command: ScsiCommand) -> ScsiReply:
        evpd, page, size = command.cdb[1] & 1, command.cdb[2], int.from_bytes(command.cdb[3:5])
        if evpd:
            contents = vital_page(self.identity, page)
            if contents is None:
                return illegal(INVALID_FIELD)
            data = bytes([0, page, *len(contents).to_bytes(2)]) + contents
        elif page:
            return illegal(INVALID_FIELD)
        else:
            data = self._standard()
        return good(data[: min(size, command.data_in)])

    def _standard(self) -> bytes:
        texts = _text(self.identity.vendor, 8) + _text(self.identity.product, 16) + _text(self.identity.revision, 4)
        head = bytes([0x00, 0x00, 0x06, 0x02, 96 - 5, 0x00, 0x00, 0x02])
        # Version descriptors: SAM-5, SPC-4, SBC-3.
        return (head + texts + bytes(22) + b"\x00\xa0\x04\x60\x04\xc0").ljust(96, b"\0")

    def _report_luns(self, command: ScsiCommand) -> ScsiReply:
        size = int.from_bytes(command.cdb[6:10])
        return good((b"\0\0\0\x08" + bytes(12))[: min(size, command.data_in)])

    def _mode_sense(self, command: ScsiCommand, size: int) -> ScsiReply:
        data = mode_data(command.cdb, size)
        return illegal(INVALID_FIELD) if data is None else good(data[: command.data_in])

    def _capacity_10(self, command: ScsiCommand) -> ScsiReply:
        last = min(self._blocks() - 1, 0xFFFFFFFF)
        return good((last.to_bytes(4) + self.identity.block_size.to_bytes(4))[: command.data_in])

    def _service_action_in(self, command: ScsiCommand) -> ScsiReply:
        if command.cdb[1] & 0x1F != 0x10:
            return illegal(INVALID_FIELD)
        size = int.from_bytes(command.cdb[10:14])
        data = (self._blocks() - 1).to_bytes(8) + self.identity.block_size.to_bytes(4) + bytes(20)
        return good(data[: min(size, command.data_in)])

    def _read(self, command: ScsiCommand, lba: int, count: int) -> ScsiReply:
        if (problem := self._problem(command, lba, count)) is not None:
            return problem
        block_size = self.identity.block_size
        return good(self._store.read(lba * block_size, count * block_size)[: command.data_in])

    def _verify(self, command: ScsiCommand, lba: int, count: int) -> ScsiReply:
        if (problem := self._problem(command, lba, count)) is not None:
            return problem
        compared = command.cdb[1] >> 1 & 3
        if compared == _RESERVED_COMPARISON:
            return illegal(INVALID_FIELD)
        block_size = self.identity.block_size
        expected = command.data_out * count if compared == _ONE_BLOCK_FOR_ALL else command.data_out
        if compared and expected != self._store.read(lba * block_size, count * block_size):
            return check(_MISCOMPARE, MISCOMPARE)
        return good()

    def _write(self, command: ScsiCommand, lba: int, count: int) -> ScsiReply:
        if (problem := self._problem(command, lba, count)) is not None:
            return problem
        if len(command.data_out) < count * self.identity.block_size:
            return illegal(PARAMETER_LENGTH)
        self._store.write(lba * self.identity.block_size, command.data_out[: count * self.identity.block_size])
        return good()

    def _problem(self, command: ScsiCommand, lba: int, count: int) -> ScsiReply | None:
        """Without protection information, RDPROTECT, WRPROTECT and VRPROTECT are 0."""
        if command.cdb[0] >= _TEN_BYTES and command.cdb[1] & _PROTECT:
            return illegal(INVALID_FIELD)
        return illegal(OUT_OF_RANGE) if lba + count > self._blocks() else None


def supported_codes(command: ScsiCommand, opcodes: frozenset[int], actions: Mapping[int, frozenset[int]]) -> ScsiReply:
    """REPORT SUPPORTED OPERATION CODES for one command. ``actions``: service actions by operation code."""
    cdb = command.cdb
    if cdb[1] & 0x1F != 0x0C:
        return illegal(INVALID_FIELD)
    options, opcode, action = cdb[2] & 7, cdb[3], int.from_bytes(cdb[4:6])
    if options not in (1, 2, 3):
        return illegal(INVALID_FIELD)
    known = action in actions[opcode] if opcode in actions and options != 1 else opcode in opcodes
    size = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}.get(opcode >> 5, 0)
    data = bytes([0, 3, *size.to_bytes(2), opcode]) + bytes([0xFF]) * max(0, size - 1) if known else bytes([0, 1, 0, 0])
    return good(data[: min(int.from_bytes(cdb[6:10]), command.data_in)])


def no_such_command(_command: ScsiCommand) -> ScsiReply:
    return illegal(INVALID_OPCODE)


def _lba_6(cdb: bytes) -> int:
    return int.from_bytes(cdb[1:4]) & 0x1FFFFF


def _range(cdb: bytes, lba_at: int, lba_size: int, count_at: int, count_size: int) -> tuple[int, int]:
    return int.from_bytes(cdb[lba_at : lba_at + lba_size]), int.from_bytes(cdb[count_at : count_at + count_size])


def _text(text: str, size: int) -> bytes:
    return text.encode("ascii", errors="replace").ljust(size)[:size]
