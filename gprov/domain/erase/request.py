"""What an erase was asked for: level, techniques, overwrite scheme, verification, behaviour after a failure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gprov.domain.erase.patterns import Fill, Pattern, Stamped
from gprov.domain.erase.techniques import Level, Technique
from gprov.domain.erase.variable_choice import VariableChoice


class OnFailure(Enum):
    """After a technique failed or was not verified: NEXT tries the next one and certifies the level that is then
    achieved; STOP ends the erase of that disk."""

    NEXT = "next"
    STOP = "stop"


class Scheme(Enum):
    """Overwrite schemes. One pass is sufficient (NIST SP 800-88 Rev. 2); THREE is what the earlier system wrote,
    for those whose rules demand it."""

    STAMPED = "stamped"
    ZERO = "zero"
    ONE = "one"
    THREE = "three"


def scheme_passes(scheme: Scheme, seed: str) -> tuple[Pattern, ...]:
    """The patterns of the passes, in order. ``seed``: of the stamped pattern."""
    match scheme:
        case Scheme.STAMPED:
            return (Stamped(seed),)
        case Scheme.ZERO:
            return (Fill(0x00),)
        case Scheme.ONE:
            return (Fill(0xFF),)
        case Scheme.THREE:
            return (Fill(0x55), Fill(0xAA), Fill(0x00))


class ReadBack(Enum):
    """Verification of an overwrite: all of the last pass, or a random sample of it."""

    FULL = "full"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRequest:
    """``level``: the lowest level that counts as success; a disk that reaches less is reported as failed.
    ``technique``: the only one to use; None: all that the drive supports, best first. ``opted_in``: techniques that are
    used only on request (``TechniqueFacts.opt_in``). ``keep_raid_metadata``: put the metadata of the host's firmware
    RAID back after the erase; None: if the platform has any. ``clear_uefi_variables``: remove those of earlier systems
    (gprov.domain.erase.owner_variables), and ``uefi_variables``. ``unrecorded``: go on if RECOVERY cannot be
    written."""

    level: Level = Level.CLEAR
    technique: Technique | None = None
    opted_in: frozenset[Technique] = field(default_factory=frozenset)
    on_failure: OnFailure = OnFailure.NEXT
    scheme: Scheme = Scheme.STAMPED
    read_back: ReadBack = ReadBack.FULL
    keep_raid_metadata: bool | None = None
    clear_uefi_variables: bool = False
    uefi_variables: tuple[VariableChoice, ...] = ()
    clear_tpm: bool = False
    unrecorded: bool = False
