"""DEVICE CONFIGURATION IDENTIFY data (ATA8-ACS): what the drive could be configured to at most."""

from __future__ import annotations

from gprov.domain.errors import BadInput, Problem
from gprov.domain.formats.ata.commands import SECTOR
from gprov.domain.formats.ata.identify_words import IdentifyWords

_SIGNATURE = 0xA5


def parse_dco_sectors(raw: bytes) -> int:
    """Number of sectors without any overlay. Raises BadInput."""
    if len(raw) != SECTOR:
        raise BadInput("device configuration", [Problem("", f"{len(raw)} bytes instead of {SECTOR}")])
    words = IdentifyWords(raw)
    problems = []
    if not words[0]:
        problems.append(Problem("word 0", "no revision"))
    if words[255] & 0xFF != _SIGNATURE or sum(raw) & 0xFF:
        problems.append(Problem("word 255", "wrong checksum"))
    last = words.number(3, 4)
    if not last:
        problems.append(Problem("word 3", "maximum address 0"))
    if problems:
        raise BadInput("device configuration", problems)
    return last + 1
