"""What a drive reports about itself: supported techniques, reasons against the others, and areas outside of reach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gprov.domain.erase.techniques import Technique


class Media(Enum):
    ROTATING = "rotating"
    SOLID_STATE = "solid state"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Offer:
    """A technique that the drive states it supports. ``seconds``: the drive's own estimate, None if it states none."""

    technique: Technique
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A technique that cannot be used on this drive now, and why."""

    technique: Technique
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveReport:
    """``offers``: best first is not implied. ``not_examined``: areas that no addressable block reaches (host protected
    area, device configuration overlay, over-provisioning, remapped sectors), each as one line. ``in_progress``: a
    technique that the drive is carrying out now, for example since before a restart. ``password_set``: by whomever; a
    security erase that a power cut interrupted leaves one. ``notes``: further lines for the certificate."""

    media: Media = Media.UNKNOWN
    firmware: str = ""
    offers: tuple[Offer, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    not_examined: tuple[str, ...] = ()
    in_progress: Technique | None = None
    password_set: bool = False
    notes: tuple[str, ...] = ()
