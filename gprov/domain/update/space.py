"""Whether an image fits on RECOVERY, and what has to be removed for it: the rules of a restore's retention, applied
only as far as space is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gprov.domain.image.retention import ImageFacts, Removal, plan_images

# For the files beside the image, records and logs.
RESERVE = 32 << 20
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Room:
    """``removals``: in the order of execution, before the download begins."""

    removals: tuple[Removal, ...]


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing is removed. ``reason``: with the numbers."""

    reason: str


def make_room(facts: ImageFacts, missing: int) -> Room | NoRoom:
    """``facts``: of the folder of images; ``protected`` names the running image and the one to come, with its
    unfinished download. ``missing``: bytes still to be downloaded."""
    required = missing + RESERVE
    if facts.free >= required:
        return Room(())
    removals = _as_needed(facts, required)
    gain = sum(removal.size for removal in removals)
    if facts.free + gain >= required:
        return Room(removals)
    numbers = f"{_mib(missing)} MiB are to be downloaded, and {_mib(RESERVE)} MiB must stay free"
    have = f"{facts.free // _MIB} MiB are free, and images that may go have {gain // _MIB}"
    return NoRoom(f"RECOVERY is too small: {numbers}; {have}")


def _as_needed(facts: ImageFacts, required: int) -> tuple[Removal, ...]:
    """The removals of a retention that may remove as much as it can, up to the last one that is needed."""
    planned = plan_images(replace(facts, required=required))
    free = facts.free
    for count, removal in enumerate(planned):
        if free >= required:
            return planned[:count]
        free += removal.size
    return planned


def _mib(size: int) -> int:
    return -(-size // _MIB)
