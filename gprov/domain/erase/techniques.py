"""Erase techniques, and what level of sanitisation each is documented to reach.

Levels are those of NIST SP 800-88 Rev. 2 (Clear, Purge, Destroy; no software reaches Destroy). A row states the
document on which it is based. gprov states what a technique is documented to reach and what was verified; whether that
is sufficient (validation) is a decision of the organisation that owns the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """Ordered by ``rank``."""

    NOT_CLASSIFIED = "not classified"
    CLEAR = "clear"
    PURGE = "purge"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class Technique(Enum):
    """The values are stable: they stand in certificates, records and on the command line."""

    NVME_SANITIZE_CRYPTO = "nvme-sanitize-crypto"
    NVME_SANITIZE_BLOCK = "nvme-sanitize-block"
    NVME_FORMAT_CRYPTO = "nvme-format-crypto"
    NVME_FORMAT_USER = "nvme-format-user"
    ATA_SANITIZE_CRYPTO = "ata-sanitize-crypto"
    ATA_SANITIZE_BLOCK = "ata-sanitize-block"
    ATA_SANITIZE_OVERWRITE = "ata-sanitize-overwrite"
    ATA_SECURITY_ENHANCED = "ata-security-enhanced"
    ATA_SECURITY_NORMAL = "ata-security-normal"
    SCSI_SANITIZE_CRYPTO = "scsi-sanitize-crypto"
    SCSI_SANITIZE_BLOCK = "scsi-sanitize-block"
    SCSI_SANITIZE_OVERWRITE = "scsi-sanitize-overwrite"
    DISCARD = "discard"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueFacts:
    """``name``: for people. ``basis``: document and clause of the level. ``opt_in``: only used if a person or a
    platform asks for it. ``firmware``: carried out by the drive; what it leaves need not be zero."""

    name: str
    level: Level
    basis: str
    opt_in: bool = False
    firmware: bool = True


_SP = "NIST SP 800-88 Rev. 2"
_ATA_DRIVES_LOST = "drives of several makers were lost to an interrupted or faulty ATA security erase"

TECHNIQUES: Mapping[Technique, TechniqueFacts] = {
    Technique.NVME_SANITIZE_CRYPTO: TechniqueFacts(
        name="NVMe Sanitize, crypto erase",
        level=Level.PURGE,
        basis=f"{_SP}, Purge by cryptographic erase, if the drive encrypts all user data",
    ),
    Technique.NVME_SANITIZE_BLOCK: TechniqueFacts(
        name="NVMe Sanitize, block erase", level=Level.PURGE, basis=f"{_SP}, Purge by a dedicated sanitize command"
    ),
    Technique.NVME_FORMAT_CRYPTO: TechniqueFacts(
        name="NVMe Format, crypto erase (SES=2)",
        level=Level.PURGE,
        basis=f"{_SP}, Purge by cryptographic erase, if the drive encrypts all user data",
    ),
    Technique.NVME_FORMAT_USER: TechniqueFacts(
        name="NVMe Format, user data erase (SES=1)",
        level=Level.CLEAR,
        basis=f"{_SP}, Clear by a command of the interface; areas outside of the namespace are not covered",
    ),
    Technique.ATA_SANITIZE_CRYPTO: TechniqueFacts(
        name="ATA Sanitize, crypto scramble",
        level=Level.PURGE,
        basis=f"{_SP}, Purge by cryptographic erase, if the drive encrypts all user data",
    ),
    Technique.ATA_SANITIZE_BLOCK: TechniqueFacts(
        name="ATA Sanitize, block erase", level=Level.PURGE, basis=f"{_SP}, Purge by a dedicated sanitize command"
    ),
    Technique.ATA_SANITIZE_OVERWRITE: TechniqueFacts(
        name="ATA Sanitize, overwrite", level=Level.PURGE, basis=f"{_SP}, Purge by a dedicated sanitize command"
    ),
    Technique.ATA_SECURITY_ENHANCED: TechniqueFacts(
        name="ATA Security Erase, enhanced",
        level=Level.PURGE,
        basis=f"{_SP}, Purge by the enhanced mode; opt-in, since {_ATA_DRIVES_LOST}",
        opt_in=True,
    ),
    Technique.ATA_SECURITY_NORMAL: TechniqueFacts(
        name="ATA Security Erase, normal",
        level=Level.CLEAR,
        basis=f"{_SP}, Clear by a command of the interface; opt-in, since {_ATA_DRIVES_LOST}",
        opt_in=True,
    ),
    Technique.SCSI_SANITIZE_CRYPTO: TechniqueFacts(
        name="SCSI SANITIZE, cryptographic erase",
        level=Level.PURGE,
        basis=f"{_SP}, Purge by cryptographic erase, if the drive encrypts all user data",
    ),
    Technique.SCSI_SANITIZE_BLOCK: TechniqueFacts(
        name="SCSI SANITIZE, block erase", level=Level.PURGE, basis=f"{_SP}, Purge by a dedicated sanitize command"
    ),
    Technique.SCSI_SANITIZE_OVERWRITE: TechniqueFacts(
        name="SCSI SANITIZE, overwrite", level=Level.PURGE, basis=f"{_SP}, Purge by a dedicated sanitize command"
    ),
    Technique.DISCARD: TechniqueFacts(
        name="discard of all blocks",
        level=Level.NOT_CLASSIFIED,
        basis="no document classifies it: the drive may keep the data in its flash",
    ),
    Technique.OVERWRITE: TechniqueFacts(
        name="overwrite of all addressable blocks",
        level=Level.CLEAR,
        basis=f"{_SP}, Clear by overwriting; remapped and over-provisioned areas are not covered",
        firmware=False,
    ),
}
