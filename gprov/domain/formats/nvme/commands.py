"""Opcodes and command dwords of NVMe admin commands (NVM Express Base Specification 2.0; figure numbers of 2.1).

A dword is an integer of 32 bits. Secure erase settings have no member for "none": a Format NVM command without
secure erase cannot be built here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

DWORD_LIMIT = 1 << 32


class Opcode(IntEnum):
    """Admin command opcodes."""

    GET_LOG_PAGE = 0x02
    IDENTIFY = 0x06
    FORMAT_NVM = 0x80
    SANITIZE = 0x84


class Identify(IntEnum):
    """CNS, bits 0 to 7 of dword 10 of Identify: which data structure is returned."""

    NAMESPACE = 0x00
    CONTROLLER = 0x01
    ACTIVE_NAMESPACES = 0x02
    ALLOCATED_NAMESPACES = 0x10


SANITIZE_LOG = 0x81


class SanitizeAction(Enum):
    """SANACT, bits 0 to 2 of dword 10 of Sanitize (Figure 372)."""

    EXIT_FAILURE_MODE = 1
    BLOCK_ERASE = 2
    OVERWRITE = 3
    CRYPTO_ERASE = 4


@dataclass(frozen=True, slots=True)
class SanitizeParameters:
    """``unrestricted``: AUSE, a failure can be left with EXIT_FAILURE_MODE instead of only by another sanitize
    operation. ``keep_allocated``: NODAS, do not deallocate the blocks afterwards. ``passes``: OWPASS, 0 means 16."""

    action: SanitizeAction
    unrestricted: bool = False
    keep_allocated: bool = False
    passes: int = 0


_UNRESTRICTED = 1 << 3
_PASSES_AT = 4
_KEEP_ALLOCATED = 1 << 9


def sanitize_dword10(parameters: SanitizeParameters) -> int:
    return (
        parameters.action.value
        | parameters.unrestricted * _UNRESTRICTED
        | (parameters.passes & 0xF) << _PASSES_AT
        | parameters.keep_allocated * _KEEP_ALLOCATED
    )


def parse_sanitize_dword10(dword: int) -> SanitizeParameters | None:
    """None if the action is none that the specification defines."""
    try:
        action = SanitizeAction(dword & 7)
    except ValueError:
        return None
    return SanitizeParameters(
        action, bool(dword & _UNRESTRICTED), bool(dword & _KEEP_ALLOCATED), dword >> _PASSES_AT & 0xF
    )


class SecureErase(Enum):
    """SES, bits 9 to 11 of dword 10 of Format NVM (Figure 189)."""

    USER_DATA = 1
    CRYPTO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatParameters:
    """``format_index``: index of the LBA format (0 to 15: the upper bits of the index only have an effect if the host
    has enabled them). ``metadata_extended``: MSET, metadata follow each block in the same buffer. ``protection``: PI,
    type of protection information, 0 to 3. ``protection_first``: PIL."""

    erase: SecureErase
    format_index: int = 0
    metadata_extended: bool = False
    protection: int = 0
    protection_first: bool = False


_METADATA_EXTENDED = 1 << 4
_PROTECTION_AT = 5
_PROTECTION_FIRST = 1 << 8
_ERASE_AT = 9
MAX_FORMAT_INDEX = 15


def format_dword10(parameters: FormatParameters) -> int:
    return (
        (parameters.format_index & MAX_FORMAT_INDEX)
        | parameters.metadata_extended * _METADATA_EXTENDED
        | (parameters.protection & 7) << _PROTECTION_AT
        | parameters.protection_first * _PROTECTION_FIRST
        | parameters.erase.value << _ERASE_AT
    )


def secure_erase_setting(dword: int) -> int:
    """SES of dword 10 of Format NVM, 0 to 7; 0: none."""
    return dword >> _ERASE_AT & 7


def parse_format_dword10(dword: int) -> FormatParameters | None:
    """None if no known secure erase is requested."""
    try:
        erase = SecureErase(secure_erase_setting(dword))
    except ValueError:
        return None
    return FormatParameters(
        erase=erase,
        format_index=dword & MAX_FORMAT_INDEX,
        metadata_extended=bool(dword & _METADATA_EXTENDED),
        protection=dword >> _PROTECTION_AT & 7,
        protection_first=bool(dword & _PROTECTION_FIRST),
    )


def log_page_dwords(page: int, size: int) -> tuple[int, int]:
    """Dwords 10 and 11 of Get Log Page for the first ``size`` bytes (a multiple of 4): LID, and NUMD, the number of
    dwords minus one."""
    count = size // 4 - 1
    return page | (count & 0xFFFF) << 16, count >> 16
