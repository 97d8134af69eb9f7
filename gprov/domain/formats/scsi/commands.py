"""SCSI command descriptor blocks (SPC-4, SBC-4)."""

from __future__ import annotations

from enum import IntEnum


class ScsiOpcode(IntEnum):
    """OPERATION CODE field."""

    TEST_UNIT_READY = 0x00
    REQUEST_SENSE = 0x03
    INQUIRY = 0x12
    READ_CAPACITY_10 = 0x25
    SANITIZE = 0x48
    SERVICE_ACTION_IN_16 = 0x9E
    MAINTENANCE_IN = 0xA3


READ_CAPACITY_16 = 0x10  # service action of SERVICE ACTION IN (16)
REPORT_SUPPORTED_OPERATION_CODES = 0x0C  # service action of MAINTENANCE IN
READ_CAPACITY_16_SIZE = 32
SENSE_SIZE = 252
_EVPD = 0x01
_DESC = 0x01
_ONE_COMMAND_WITH_SERVICE_ACTION = 0x02


class SanitizeAction(IntEnum):
    """SERVICE ACTION field of SANITIZE."""

    OVERWRITE = 0x01
    BLOCK_ERASE = 0x02
    CRYPTOGRAPHIC_ERASE = 0x03
    EXIT_FAILURE_MODE = 0x1F


_IMMED = 0x80
# ALLOW UNRESTRICTED SANITIZE EXIT: a failed sanitize can be left without a repetition that succeeds.
_AUSE = 0x20
_ONE_PASS = 1


def test_unit_ready() -> bytes:
    return bytes(6)


def request_sense(*, descriptors: bool = True) -> bytes:
    """Sense data of descriptor or fixed format, ``SENSE_SIZE`` bytes at most."""
    return bytes([ScsiOpcode.REQUEST_SENSE, _DESC if descriptors else 0, 0, 0, SENSE_SIZE, 0])


def inquiry(size: int, page: int | None = None) -> bytes:
    """``page``: a page of vital product data, None for the standard data. ``size``: bytes at most."""
    evpd, code = (0, 0) if page is None else (_EVPD, page)
    return bytes([ScsiOpcode.INQUIRY, evpd, code, *size.to_bytes(2), 0])


def read_capacity_16() -> bytes:
    size = READ_CAPACITY_16_SIZE.to_bytes(4)
    return bytes([ScsiOpcode.SERVICE_ACTION_IN_16, READ_CAPACITY_16, *bytes(8), *size, 0, 0])


def report_supported_operation_code(opcode: int, service_action: int, size: int) -> bytes:
    """Asks for one command that has a service action."""
    head = (ScsiOpcode.MAINTENANCE_IN, REPORT_SUPPORTED_OPERATION_CODES, _ONE_COMMAND_WITH_SERVICE_ACTION, opcode)
    return bytes([*head, *service_action.to_bytes(2), *size.to_bytes(4), 0, 0])


def sanitize(action: SanitizeAction, parameters: int = 0) -> bytes:
    """Returns as soon as the operation has begun (IMMED). ``parameters``: size of the parameter list."""
    head = (ScsiOpcode.SANITIZE, _IMMED | _AUSE | action)
    return bytes([*head, *bytes(5), *parameters.to_bytes(2), 0])


def overwrite_parameters(byte: int) -> bytes:
    """Parameter list of SANITIZE with OVERWRITE: one pass with a pattern of one byte."""
    pattern = bytes([byte])
    return bytes([_ONE_PASS, 0, *len(pattern).to_bytes(2)]) + pattern
