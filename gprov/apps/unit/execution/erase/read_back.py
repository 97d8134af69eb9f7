"""Reading back what an overwrite pass wrote."""

from __future__ import annotations

from gprov.domain.erase.extents import Extent
from gprov.domain.erase.outcome import Verification
from gprov.domain.erase.patterns import Pattern
from gprov.domain.erase.plan import DiskErasure
from gprov.domain.erase.request import ReadBack
from gprov.domain.erase.sampling import blocks_needed, sampled_extents
from gprov.domain.erase.techniques import Technique
from gprov.domain.erase.verification import ReadBack as Found
from gprov.domain.erase.verification import full_verification, sample_verification
from gprov.ports.drives import BytesDone, DiskReader

# A sample: with this confidence, less than this share of the disk differs.
SAMPLE_CONFIDENCE = 0.99
SAMPLE_SHARE = 0.001
SAMPLE_BLOCK = 1 << 20


def read_back(erasure: DiskErasure, pattern: Pattern, reader: DiskReader, progress: BytesDone) -> Verification:
    """Compare the disk, or a random sample of it, with the last pattern. The sample is chosen by a part of the seed
    that the drive has not seen."""
    disk, seed = erasure.disk, f"sample {erasure.progress.seed}"
    # What a pass before a restart could not write is not recorded: a sample could miss it.
    resumed = erasure.progress.technique is Technique.OVERWRITE
    whole = resumed or erasure.request.read_back is ReadBack.FULL
    if whole:
        wanted: tuple[Extent, ...] = (Extent(0, disk.size),)
    else:
        count = blocks_needed(SAMPLE_CONFIDENCE, SAMPLE_SHARE)
        wanted = sampled_extents(seed, disk.size, count, SAMPLE_BLOCK)
        # A sample that is not smaller than the disk is a full read-back, and proves as much.
        whole = wanted == (Extent(0, disk.size),)
    found = reader.compare(disk, wanted, pattern, progress)
    result = Found(
        wanted=wanted,
        examined=found.examined,
        different=found.different,
        unreadable=found.unreadable,
        error=found.error,
    )
    return (
        full_verification(disk.size, result) if whole else sample_verification(seed, SAMPLE_BLOCK, SAMPLE_SHARE, result)
    )
