"""From what was read back to a verification, and to the verdict on a disk.

What was not examined never counts as good.
"""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.erase.canaries import FormerContent
from gprov.domain.erase.extents import Extent, merged, total_size
from gprov.domain.erase.outcome import Pass, Verdict, Verification, VerificationMethod
from gprov.domain.erase.sampling import confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """Result of a comparison with the pattern that was written: the fields of ``gprov.ports.drives.Comparison``.
    ``wanted``: the ranges that were to be compared."""

    wanted: tuple[Extent, ...]
    examined: int
    different: tuple[Extent, ...] = ()
    unreadable: tuple[Extent, ...] = ()
    error: str = ""


def full_verification(size: int, found: ReadBack) -> Verification:
    """``size``: of the disk, in bytes. Any byte that was neither compared nor stated as unreadable is an error."""
    missing = "" if merged(found.wanted) == (Extent(0, size),) else "not all of the disk was to be read"
    return Verification(
        method=VerificationMethod.FULL,
        examined=found.examined,
        different=found.different,
        unreadable=found.unreadable,
        error=found.error or missing or _not_reached(found),
    )


def sample_verification(seed: str, block: int, share: float, found: ReadBack) -> Verification:
    """``share``: of the disk that may differ unnoticed, for which the confidence is stated (0 if it did not pass)."""
    error = found.error or _not_reached(found)
    clean = not (error or found.different or found.unreadable)
    return Verification(
        method=VerificationMethod.SAMPLE,
        examined=found.examined,
        different=found.different,
        unreadable=found.unreadable,
        seed=seed,
        confidence=confidence(found.examined // block, share) if clean else 0.0,
        undetected_share=share if clean else 0.0,
        error=error,
    )


def _not_reached(found: ReadBack) -> str:
    wanted = total_size(merged(found.wanted))
    reached = found.examined + total_size(found.unreadable)
    return "" if reached == wanted else f"{reached} of {wanted} bytes were reached"


@dataclass(frozen=True, slots=True)
class BlockAfter:
    """A block read after a technique. ``content``: None if it could not be read."""

    former: FormerContent
    content: bytes | None


def canary_verification(
    seed: str, wanted: int, canaries: tuple[BlockAfter, ...], former: tuple[BlockAfter, ...] = (), error: str = ""
) -> Verification:
    """``canaries`` and ``former``: blocks that gprov wrote, and blocks with former content, each with what was read
    after the technique; ``wanted``: number of canaries that were written. Uniform former content is not evidence and
    is not counted."""
    evidence = [block for block in (*canaries, *former) if not block.former.uniform]
    read = [(block.former, block.content) for block in evidence if block.content is not None]
    short = "" if len(canaries) >= wanted else f"{len(canaries)} of {wanted} canaries were examined"
    return Verification(
        method=VerificationMethod.CANARIES,
        examined=sum(former.extent.size for former, _ in read),
        different=merged(former.extent for former, content in read if former.still_there(content)),
        unreadable=merged(block.former.extent for block in evidence if block.content is None),
        seed=seed,
        error=error or short,
    )


def verdict(*, completed: bool, passes: tuple[Pass, ...], verification: Verification) -> Verdict:
    """``completed``: a technique states that it completed, or its passes ended without an error.

    PARTIAL needs a full read-back: only then everything but the stated ranges is known to be good.
    """
    last = passes[-1] if passes else None
    if not completed or (last is not None and last.error):
        return Verdict.FAILED
    unwritten = last.unwritten if last is not None else ()
    if verification.passed:
        return Verdict.PARTIAL if unwritten else Verdict.ERASED
    full = verification.method is VerificationMethod.FULL and not verification.error
    good = verification.examined > total_size(merged(verification.different))
    return Verdict.PARTIAL if full and good else Verdict.FAILED
