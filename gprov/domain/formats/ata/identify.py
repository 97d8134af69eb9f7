"""IDENTIFY DEVICE data (ACS-4; host protected area and device configuration overlay: ATA8-ACS)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.commands import SECTOR
from gprov.domain.formats.ata.identify_words import IdentifyWords

_SIGNATURE = 0xA5
_MAX_SECTORS_28 = 0x0FFFFFFF
_NOT_ROTATING = 1
_ROTATION_RATES = range(0x0401, 0xFFFF)
_MINUTES_PER_UNIT = 2
_SECONDS_PER_MINUTE = 60


class AfterTrim(Enum):
    """What a trimmed sector reads as."""

    NOT_SUPPORTED = "no TRIM"
    INDETERMINATE = "indeterminate"
    DETERMINISTIC = "deterministic"
    ZEROS = "zeros"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaSecurity:
    """Words 128, 89 and 90. ``enabled``: a user password is set. ``frozen``: no security command is accepted until the
    next power cycle. ``count_expired``: too many wrong passwords. ``erase_seconds``: the drive's estimates, None if it
    states none."""

    supported: bool = False
    enabled: bool = False
    locked: bool = False
    frozen: bool = False
    count_expired: bool = False
    enhanced_supported: bool = False
    maximum: bool = False
    erase_seconds: float | None = None
    enhanced_erase_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaSanitizeFeatures:
    """Word 59."""

    supported: bool = False
    crypto_scramble: bool = False
    block_erase: bool = False
    overwrite: bool = False
    antifreeze: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """``sectors``: number of accessible logical sectors; ``sector_size`` in bytes. ``rotation_rate``: per minute, 0:
    does not rotate, None: not stated. ``encrypts_all``: the drive states that it encrypts all user data."""

    serial: str
    firmware: str
    model: str
    sectors: int
    sector_size: int
    wide_addresses: bool
    security: AtaSecurity
    sanitize: AtaSanitizeFeatures
    hpa: bool
    accessible_max: bool
    dco: bool
    after_trim: AfterTrim
    encrypts_all: bool
    rotation_rate: int | None


def parse_identify(raw: bytes) -> Identify:
    """Raises BadInput: wrong size, an ATAPI or CFA device, wrong checksum, no sectors."""
    if len(raw) != SECTOR:
        raise BadInput("ATA IDENTIFY DEVICE data", [Problem("", f"{len(raw)} bytes instead of {SECTOR}")])
    words = IdentifyWords(raw)
    sectors, sector_size = _sectors(words), _sector_size(words)
    problems = _problems(raw, words)
    if not sectors:
        problems.append(Problem("words 60, 100, 230", "no addressable sectors"))
    if sector_size < SECTOR or sector_size % 2:
        problems.append(Problem("word 117", f"logical sectors of {sector_size} bytes"))
    if problems:
        raise BadInput("ATA IDENTIFY DEVICE data", problems)
    return Identify(
        serial=words.text(10, 10),
        firmware=words.text(23, 4),
        model=words.text(27, 20),
        sectors=sectors,
        sector_size=sector_size,
        wide_addresses=words.feature(83, 10),
        security=_security(words),
        sanitize=_sanitize(words),
        hpa=words.feature(82, 10),
        accessible_max=words.extended_feature(119, 8),
        dco=words.feature(83, 11),
        after_trim=_after_trim(words),
        encrypts_all=words.bit(69, 4),
        rotation_rate=_rotation_rate(words[217]),
    )


def _problems(raw: bytes, words: IdentifyWords) -> list[Problem]:
    problems = []
    if words.bit(0, 15):
        problems.append(Problem("word 0", f"{words[0]:04X}h is no ATA device"))
    if raw == raw[:1] * SECTOR:
        problems.append(Problem("", f"only bytes {raw[0]:02X}h"))
    # Word 255 is optional: without the signature there is no checksum.
    if words[255] & 0xFF == _SIGNATURE and sum(raw) & 0xFF:
        problems.append(Problem("word 255", "wrong checksum"))
    return problems


def _sectors(words: IdentifyWords) -> int:
    if words.bit(69, 3) and (extended := words.number(230, 4)):
        return extended
    wide = words.number(100, 4) if words.feature(83, 10) else 0
    return wide or words.number(60, 2) & _MAX_SECTORS_28


def _sector_size(words: IdentifyWords) -> int:
    if words.valid(106) and words.bit(106, 12):
        return words.number(117, 2) * 2
    return SECTOR


def _security(words: IdentifyWords) -> AtaSecurity:
    return AtaSecurity(
        supported=words.bit(128, 0),
        enabled=words.bit(128, 1),
        locked=words.bit(128, 2),
        frozen=words.bit(128, 3),
        count_expired=words.bit(128, 4),
        enhanced_supported=words.bit(128, 5),
        maximum=words.bit(128, 8),
        erase_seconds=_erase_seconds(words[89]),
        enhanced_erase_seconds=_erase_seconds(words[90]),
    )


def _erase_seconds(word: int) -> float | None:
    units = word & 0x7FFF if word & 0x8000 else word & 0xFF
    return float(units * _MINUTES_PER_UNIT * _SECONDS_PER_MINUTE) if units else None


def _sanitize(words: IdentifyWords) -> AtaSanitizeFeatures:
    supported = words.bit(59, 12)
    return AtaSanitizeFeatures(
        supported=supported,
        crypto_scramble=supported and words.bit(59, 13),
        overwrite=supported and words.bit(59, 14),
        block_erase=supported and words.bit(59, 15),
        antifreeze=supported and words.bit(59, 10),
    )


def _after_trim(words: IdentifyWords) -> AfterTrim:
    if not words.bit(169, 0):
        return AfterTrim.NOT_SUPPORTED
    if not words.bit(69, 14):
        return AfterTrim.INDETERMINATE
    return AfterTrim.ZEROS if words.bit(69, 5) else AfterTrim.DETERMINISTIC


def _rotation_rate(word: int) -> int | None:
    if word == _NOT_ROTATING:
        return 0
    return word if word in _ROTATION_RATES else None
