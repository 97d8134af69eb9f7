"""Blocks by which it is checked that a drive that erased itself has lost its contents.

Canaries are written before the technique, with contents that no earlier run wrote. Former content is read before it.
Whatever the drive leaves, neither may be found again; zeros are not demanded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

from gprov.domain.erase.extents import Extent
from gprov.domain.erase.patterns import Pattern, Stamped
from gprov.domain.erase.sampling import draw

BLOCK = 4096
_GIB = 1 << 30
# A disk of any size is checked within minutes: with more than so many GiB, the strips are larger.
_MOST = 4096


def canary_extents(seed: str, size: int) -> tuple[Extent, ...]:
    """The first and last block, and one at a random place in each GiB. ``size``: of the disk, in bytes."""
    if size <= 2 * BLOCK:
        return (Extent(0, size),)
    blocks = size // BLOCK
    strips = min(_MOST, -(-size // _GIB))
    bounds = (blocks * number // strips for number in range(strips + 1))
    places = {0}
    for number, (low, high) in enumerate(pairwise(bounds)):
        if high > low:
            places.add(low + draw(seed, number, high - low))
    last = Extent((blocks - 1) * BLOCK, size)
    return (*(Extent(at * BLOCK, (at + 1) * BLOCK) for at in sorted(places - {blocks - 1})), last)


def canary_pattern(seed: str) -> Pattern:
    """Differs between runs, since the seed does, and in each sector."""
    return Stamped(f"canary {seed}")


@dataclass(frozen=True, slots=True)
class FormerContent:
    """One block as it was before the technique. ``uniform``: all bytes were equal, so that the same content after it
    shows nothing."""

    extent: Extent
    digest: bytes
    uniform: bool

    def still_there(self, content: bytes) -> bool:
        """Whether ``content``, read after the technique, is what was there before."""
        return not self.uniform and _digest(content) == self.digest


def former_content(extent: Extent, content: bytes) -> FormerContent:
    return FormerContent(extent, _digest(content), uniform=len(set(content)) <= 1)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
