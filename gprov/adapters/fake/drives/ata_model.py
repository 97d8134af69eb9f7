"""Properties of a simulated ATA drive, and its IDENTIFY DEVICE and DEVICE CONFIGURATION IDENTIFY data."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gprov.adapters.fake.drives.ata_security import SecurityUnit
from gprov.domain.formats.ata.security_data import SecurityLevel

CRYPTO, BLOCK, OVERWRITE = 0x0011, 0x0012, 0x0014
_SANITIZE_BITS = {CRYPTO: 0x2000, BLOCK: 0x8000, OVERWRITE: 0x4000}
_LARGEST_28 = 0x0FFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class AtaModel:
    """``sectors``: of the whole medium; ``hpa_sectors`` of them are hidden at the end by a host protected area, and
    ``dco_sectors`` behind them by a device configuration overlay. ``sanitize``: FEATURE values of the operations.
    ``rotation_rate``: word 217. ``estimate_minutes``: word 89. ``accessible_max``: the drive has the Accessible Max
    Address Configuration feature set instead of the Host Protected Area feature set."""

    model: str = "Simulated ATA Drive"
    serial: str = "SIMATA0001"
    firmware: str = "1.0"
    wwn: int = 0x5000C50000000001
    sectors: int = 2048
    sector_size: int = 512
    hpa_sectors: int = 0
    dco_sectors: int = 0
    sanitize: frozenset[int] = frozenset({CRYPTO, BLOCK, OVERWRITE})
    antifreeze: bool = True
    security: bool = True
    enhanced: bool = True
    hpa: bool = True
    accessible_max: bool = False
    dco: bool = False
    wide_addresses: bool = True
    encrypts_all: bool = True
    trim: bool = True
    rotation_rate: int = 1
    estimate_minutes: int = 2
    sanitize_seconds: float = 60.0
    erase_seconds: float = 60.0


DEFAULT_ATA_MODEL = AtaModel()


def identify_data(model: AtaModel, accessible: int, security: SecurityUnit) -> bytes:
    """``accessible``: sectors."""
    words = [0] * 256
    words[0] = 0x0040
    _put_text(words, 10, 10, model.serial)
    _put_text(words, 23, 4, model.firmware)
    _put_text(words, 27, 20, model.model)
    words[47] = 0x8001
    words[49] = 0x2F00  # LBA, DMA, IORDY
    words[50] = 0x4000
    words[53] = 0x0006
    words[59] = _sanitize_word(model)
    words[60], words[61] = _words(min(accessible, _LARGEST_28), 2)
    words[69] = 0x0010 * model.encrypts_all | 0x4020 * model.trim
    words[80] = 0x07F0  # ATA8-ACS to ACS-4
    words[82] = words[85] = 0x4020 | 0x0400 * model.hpa | 0x0002 * model.security  # write cache, NOP
    words[85] = words[82] & ~0x0002 | 0x0002 * security.enabled
    words[83] = 0x4000 | 0x0400 * model.wide_addresses | 0x0800 * model.dco | 0x3000
    words[86] = words[83] & 0x3FFF
    words[84] = words[87] = 0x4100  # world wide name
    words[89] = model.estimate_minutes // 2
    words[90] = model.estimate_minutes // 2 if model.enhanced else 0
    words[92] = 0xFFFE
    if model.wide_addresses:
        words[100:104] = _words(accessible, 4)
    words[106] = 0x4000 | 0x1000 * (model.sector_size != 512)
    if model.sector_size != 512:
        words[117:119] = _words(model.sector_size // 2, 2)
    words[108:112] = reversed(_words(model.wwn, 4))
    words[119] = words[120] = 0x4000 | 0x0100 * model.accessible_max
    if model.security:
        words[128] = _security_word(model, security)
    words[169] = int(model.trim)
    words[217] = model.rotation_rate
    return _sealed(words)


def configuration_data(model: AtaModel) -> bytes:
    """DEVICE CONFIGURATION IDENTIFY."""
    words = [0] * 256
    words[0] = 2
    words[3:7] = _words(model.sectors - 1, 4)
    return _sealed(words)


def _sanitize_word(model: AtaModel) -> int:
    if not model.sanitize:
        return 0
    return 0x1800 | 0x0400 * model.antifreeze | sum(_SANITIZE_BITS[feature] for feature in model.sanitize)


def _security_word(model: AtaModel, security: SecurityUnit) -> int:
    flags = (
        True,
        security.enabled,
        security.locked,
        security.frozen,
        security.count_expired,
        model.enhanced,
        False,
        False,
        security.level is SecurityLevel.MAXIMUM,
    )
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _put_text(words: list[int], index: int, count: int, text: str) -> None:
    raw = text.encode("ascii").ljust(2 * count)[: 2 * count]
    words[index : index + count] = struct.unpack(f">{count}H", raw)


def _words(number: int, count: int) -> list[int]:
    return [number >> 16 * place & 0xFFFF for place in range(count)]


def _sealed(words: list[int]) -> bytes:
    words[255] = 0xA5
    raw = bytearray(struct.pack("<256H", *words))
    raw[511] = -sum(raw) & 0xFF
    return bytes(raw)
