"""Memory limits for decoding an image. Sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.xz_layout import XzLayout

CHUNK = 1 << 20
# Bytes that an image may unpack to where the disk is not known.
MAX_ARCHIVE = 2 << 40
# A decoder's own needs besides its dictionary: input, output being made, and what it hands over.
_PER_WORKER = 4 * CHUNK
_MIN_WINDOW = 4 * CHUNK
# Left to the kernel, the file system's dirty pages, tar, and all other programs.
_RESERVE = 128 << 20


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """``workers``: decoding threads; ``window``: bytes that they may be ahead of the reader; ``keep``: bytes of the
    unpacked archive that may be kept from verification for unpacking. ``needed``: minimum memory of a single worker."""

    workers: int
    window: int
    keep: int
    needed: int


def check_unpacked_size(source: str, layout: XzLayout, limit: int | None) -> None:
    """Raise IntegrityFault if the index states more than ``limit`` unpacked bytes. (Decoding checks that blocks have
    the stated sizes.)"""
    size = layout.uncompressed_size
    if limit is not None and size > limit:
        raise IntegrityFault(source, f"states that it unpacks to {size} bytes, more than the {limit} that fit")


def decoding_limits(layout: XzLayout, cores: int, available: int, keep_limit: int | None = None) -> DecodingLimits:
    """``available``: bytes of memory available without swapping. ``keep_limit``: maximum of ``keep``.

    Memory is assigned first to workers (they halve the time of both passes), then to a window of one block for each
    worker but the one whose block is being read; the rest keeps unpacked data.
    """
    dictionary = max((block.dictionary for block in layout.blocks), default=0)
    largest = max((block.uncompressed_size for block in layout.blocks), default=0)
    worker_memory = dictionary + _PER_WORKER
    spare = max(0, available - max(_RESERVE, available // 4))
    workers = max(1, min(cores, len(layout.blocks)))
    while workers > 1 and workers * worker_memory + _MIN_WINDOW > spare:
        workers -= 1
    # Compressed data travel along with what they unpack to: half as much again is room for them.
    full_window = (workers - 1) * (largest + largest // 2) + workers * _PER_WORKER
    window = max(_MIN_WINDOW, min(full_window, (spare - workers * worker_memory) // 2))
    keep = max(0, spare - workers * worker_memory - window)
    return DecodingLimits(workers, window, keep if keep_limit is None else min(keep, keep_limit), worker_memory)
