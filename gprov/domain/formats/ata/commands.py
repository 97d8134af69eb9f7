"""ATA commands as values (ACS-4; host protected area and device configuration overlay: ATA8-ACS)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

SECTOR = 512


class Opcode(IntEnum):
    """COMMAND field."""

    READ_NATIVE_MAX_ADDRESS_EXT = 0x27
    ACCESSIBLE_MAX_ADDRESS = 0x78
    SMART = 0xB0
    DEVICE_CONFIGURATION = 0xB1
    SANITIZE = 0xB4
    CHECK_POWER_MODE = 0xE5
    IDENTIFY_DEVICE = 0xEC
    SECURITY_SET_PASSWORD = 0xF1
    SECURITY_UNLOCK = 0xF2
    SECURITY_ERASE_PREPARE = 0xF3
    SECURITY_ERASE_UNIT = 0xF4
    SECURITY_DISABLE_PASSWORD = 0xF6
    READ_NATIVE_MAX_ADDRESS = 0xF8


class SanitizeFeature(IntEnum):
    """FEATURE field of the commands of the Sanitize Device feature set."""

    STATUS = 0x0000
    CRYPTO_SCRAMBLE = 0x0011
    BLOCK_ERASE = 0x0012
    OVERWRITE = 0x0014
    FREEZE_LOCK = 0x0020
    ANTIFREEZE_LOCK = 0x0040


GET_NATIVE_MAX_ADDRESS = 0x0000
DEVICE_CONFIGURATION_IDENTIFY = 0xC2
SMART_READ_DATA = 0xD0
# All SMART commands have it in LBA (23:8).
_SMART_KEY = 0xC24F
CLEAR_SANITIZE_OPERATION_FAILED = 0x0001
_USES_LBA = 0x40
# Values that the LBA field must have, so that no damaged command destroys data.
_KEYS = {
    SanitizeFeature.CRYPTO_SCRAMBLE: 0x43727970,
    SanitizeFeature.BLOCK_ERASE: 0x426B4572,
    SanitizeFeature.ANTIFREEZE_LOCK: 0x416E7469,
}
_OVERWRITE_KEY = 0x4F57
# FAILURE MODE: a failed operation can be left without a repetition that succeeds.
_FAILURE_MODE = 0x0010


class Transfer(IntEnum):
    """PROTOCOL field of ATA PASS-THROUGH (SAT-5)."""

    NON_DATA = 3
    PIO_IN = 4
    PIO_OUT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaCommand:
    """``extended``: a 48-bit command. ``data_out``: whole sectors, for ``Transfer.PIO_OUT``; ``sectors_in``: for
    ``Transfer.PIO_IN``. With data, ``count`` is the number of sectors."""

    opcode: int
    transfer: Transfer = Transfer.NON_DATA
    feature: int = 0
    count: int = 0
    lba: int = 0
    device: int = 0
    extended: bool = False
    sectors_in: int = 0
    data_out: bytes = field(default=b"", repr=False)


def identify_device() -> AtaCommand:
    return AtaCommand(opcode=Opcode.IDENTIFY_DEVICE, transfer=Transfer.PIO_IN, count=1, sectors_in=1)


def device_configuration_identify() -> AtaCommand:
    return AtaCommand(
        opcode=Opcode.DEVICE_CONFIGURATION,
        transfer=Transfer.PIO_IN,
        feature=DEVICE_CONFIGURATION_IDENTIFY,
        count=1,
        sectors_in=1,
    )


def smart_read_data() -> AtaCommand:
    """The attributes, one sector (ATA/ATAPI-7, 6.54.7)."""
    return AtaCommand(
        opcode=Opcode.SMART,
        transfer=Transfer.PIO_IN,
        feature=SMART_READ_DATA,
        count=1,
        lba=_SMART_KEY << 8,
        sectors_in=1,
    )


def read_native_max_address(*, extended: bool) -> AtaCommand:
    """The reply's LBA is the last address of the medium, whatever the host protected area hides."""
    opcode = Opcode.READ_NATIVE_MAX_ADDRESS_EXT if extended else Opcode.READ_NATIVE_MAX_ADDRESS
    return AtaCommand(opcode=opcode, device=_USES_LBA, extended=extended)


def get_native_max_address() -> AtaCommand:
    """The same in the Accessible Max Address Configuration feature set."""
    return AtaCommand(
        opcode=Opcode.ACCESSIBLE_MAX_ADDRESS, feature=GET_NATIVE_MAX_ADDRESS, device=_USES_LBA, extended=True
    )


def check_power_mode() -> AtaCommand:
    return AtaCommand(opcode=Opcode.CHECK_POWER_MODE)


def sanitize_status() -> AtaCommand:
    return AtaCommand(opcode=Opcode.SANITIZE, feature=SanitizeFeature.STATUS, extended=True)


def sanitize_clear_failure() -> AtaCommand:
    """SANITIZE STATUS EXT that ends the failed state, if the operation was started with FAILURE MODE."""
    return AtaCommand(
        opcode=Opcode.SANITIZE,
        feature=SanitizeFeature.STATUS,
        count=CLEAR_SANITIZE_OPERATION_FAILED,
        extended=True,
    )


def sanitize_antifreeze_lock() -> AtaCommand:
    return _sanitize(SanitizeFeature.ANTIFREEZE_LOCK, 0, _KEYS[SanitizeFeature.ANTIFREEZE_LOCK])


def sanitize_crypto_scramble() -> AtaCommand:
    return _sanitize(SanitizeFeature.CRYPTO_SCRAMBLE, _FAILURE_MODE, _KEYS[SanitizeFeature.CRYPTO_SCRAMBLE])


def sanitize_block_erase() -> AtaCommand:
    return _sanitize(SanitizeFeature.BLOCK_ERASE, _FAILURE_MODE, _KEYS[SanitizeFeature.BLOCK_ERASE])


def sanitize_overwrite(pattern: int) -> AtaCommand:
    """One pass. ``pattern``: 32 bits."""
    return _sanitize(SanitizeFeature.OVERWRITE, _FAILURE_MODE | 1, _OVERWRITE_KEY << 32 | pattern)


def _sanitize(feature: SanitizeFeature, count: int, lba: int) -> AtaCommand:
    return AtaCommand(opcode=Opcode.SANITIZE, feature=feature, count=count, lba=lba, device=_USES_LBA, extended=True)


def security_set_password(block: bytes) -> AtaCommand:
    """``block`` of this and the next commands: from ``security_data``."""
    return _security(Opcode.SECURITY_SET_PASSWORD, block)


def security_unlock(block: bytes) -> AtaCommand:
    return _security(Opcode.SECURITY_UNLOCK, block)


def security_disable_password(block: bytes) -> AtaCommand:
    return _security(Opcode.SECURITY_DISABLE_PASSWORD, block)


def security_erase_prepare() -> AtaCommand:
    return AtaCommand(opcode=Opcode.SECURITY_ERASE_PREPARE)


def security_erase_unit(block: bytes) -> AtaCommand:
    return _security(Opcode.SECURITY_ERASE_UNIT, block)


def _security(opcode: Opcode, block: bytes) -> AtaCommand:
    return AtaCommand(opcode=opcode, transfer=Transfer.PIO_OUT, count=1, data_out=block)
