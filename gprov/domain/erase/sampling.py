"""Random samples of a disk, and what a clean sample states.

If a share p of the blocks differs, a random block is clean with probability 1 - p, and n different random blocks are
all clean with at most (1 - p)^n. After n clean blocks, less than p of the disk differs with confidence
1 - (1 - p)^n. The statement holds for contents that were there before the seed was chosen.
"""

from __future__ import annotations

import hashlib
import math

from gprov.domain.erase.extents import Extent, merged

_DRAW_BYTES = 16


def draw(seed: str, number: int, below: int) -> int:
    """The ``number``-th random value of a seed, 0 to ``below`` - 1."""
    raw = hashlib.shake_128(f"{seed}:{number}".encode()).digest(_DRAW_BYTES)
    return int.from_bytes(raw) % below


def sampled_extents(seed: str, size: int, count: int, block: int) -> tuple[Extent, ...]:
    """``count`` different blocks of a disk of ``size`` bytes, or all of them if there are fewer. Blocks begin at
    multiples of ``block``; the last one may be shorter. Adjacent ones are joined."""
    blocks = -(-size // block)
    if count >= blocks:
        return merged((Extent(0, size),))
    chosen: set[int] = set()
    number = 0
    while len(chosen) < count:
        chosen.add(draw(seed, number, blocks))
        number += 1
    return merged(Extent(at * block, min(size, (at + 1) * block)) for at in chosen)


def confidence(count: int, share: float) -> float:
    """That less than ``share`` (0 to 1) of the blocks differ, after ``count`` clean ones."""
    return 1.0 - (1.0 - share) ** count


def blocks_needed(wanted: float, share: float) -> int:
    """Clean blocks for a confidence ``wanted``, both between 0 and 1 (exclusive)."""
    count = max(1, math.ceil(math.log1p(-wanted) / math.log1p(-share)))
    return count if confidence(count, share) >= wanted else count + 1
