"""Memory limits for decoding an image. Sizes in bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gprov.domain.errors import IntegrityFault
from gprov.domain.formats.image.xz_layout import XzLayout
from gprov.domain.image.contents import VerifiedImage

CHUNK = 1 << 20
# Bytes that an image may unpack to where the disk is not known.
MAX_ARCHIVE = 2 << 40
# A decoder's own needs besides its dictionary: input, output being made, and what it hands over.
_PER_WORKER = 4 * CHUNK
_MIN_WINDOW = 4 * CHUNK
# Left to the kernel, the file system's dirty pages, tar, and all other programs.
_RESERVE = 128 << 20
# For an image with a trusted SHA-256, of any size: with the interpreter and what else the program holds, it stays below
# 256 MiB.
AUTHENTIC_MEMORY = 160 << 20


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """``workers``: decoding threads; ``window``: bytes that they may be ahead of the reader; ``keep``: bytes of the
    image (unpacked or as stored) that may be kept from verification for unpacking. ``needed``: minimum memory of a
    single worker."""

    workers: int
    window: int
    keep: int
    needed: int


class UnpacksTooLarge(IntegrityFault):
    """An image states that it unpacks to more bytes than are allowed."""


def check_unpacked_size(source: str, layout: XzLayout, limit: int | None) -> None:
    """Raise UnpacksTooLarge if the index states more than ``limit`` unpacked bytes. (Decoding checks that blocks have
    the stated sizes.)"""
    size = layout.uncompressed_size
    if limit is not None and size > limit:
        raise UnpacksTooLarge(source, f"states that it unpacks to {size} bytes, more than the limit of {limit}")


def check_authentic_size(expected: VerifiedImage, size: int) -> None:
    """Raise IntegrityFault if the file has another size, in bytes, than a trusted manifest states."""
    if size != expected.size:
        raise IntegrityFault(expected.path, f"has {size} bytes, should have {expected.size}")


def check_authentic_layout(expected: VerifiedImage, layout: XzLayout, limit: int | None) -> None:
    """Raise IntegrityFault if the index states another unpacked size than a trusted manifest does, UnpacksTooLarge if
    more than ``limit`` bytes."""
    size = layout.uncompressed_size
    if size != expected.unpacked:
        raise IntegrityFault(expected.path, f"states that it unpacks to {size} bytes, should be {expected.unpacked}")
    check_unpacked_size(expected.path, layout, limit)


def check_authentic_digest(expected: VerifiedImage, digest: str) -> None:
    """Raise IntegrityFault if the file has another SHA-256 (``digest``: lower-case hex) than a trusted manifest
    states."""
    if digest != expected.digest:
        raise IntegrityFault(expected.path, f"has the SHA-256 {digest}, should have {expected.digest}")


def decoding_limits(layout: XzLayout, cores: int, available: int, keep_limit: int | None = None) -> DecodingLimits:
    """For decoding twice. ``available``: bytes of memory available without swapping. ``keep_limit``: maximum of
    ``keep``."""
    return _limits(layout, cores, _spare(available), keep_limit, _raw_too)


def authentic_limits(layout: XzLayout, cores: int, available: int, keep_limit: int | None = None) -> DecodingLimits:
    """For decoding once. Compressed data that are not kept are read again."""
    return _limits(layout, cores, min(_spare(available), AUTHENTIC_MEMORY), keep_limit, _data_only)


def _spare(available: int) -> int:
    return max(0, available - max(_RESERVE, available // 4))


def _raw_too(size: int) -> int:
    """Compressed data travel along with what they unpack to: half as much again is room for them."""
    return size + size // 2


def _data_only(size: int) -> int:
    return size


def _limits(
    layout: XzLayout, cores: int, spare: int, keep_limit: int | None, ahead: Callable[[int], int]
) -> DecodingLimits:
    """Memory is assigned first to workers, as many as have room for a block decoded ahead, then to a window of one
    block for each worker but the one whose block is being read; the rest keeps data."""
    dictionary = max((block.dictionary for block in layout.blocks), default=0)
    largest = ahead(max((block.uncompressed_size for block in layout.blocks), default=0))
    worker_memory = dictionary + _PER_WORKER
    workers = max(1, min(cores, len(layout.blocks)))
    while workers > 1 and workers * worker_memory + _MIN_WINDOW > spare:
        workers -= 1
    # More than two only if each finds room for its block: workers that wait for the reader only take memory.
    while workers > 2 and (workers - 1) * largest > (spare - workers * worker_memory) // 2:
        workers -= 1
    full_window = (workers - 1) * largest + workers * _PER_WORKER
    window = max(_MIN_WINDOW, min(full_window, (spare - workers * worker_memory) // 2))
    keep = max(0, spare - workers * worker_memory - window)
    return DecodingLimits(workers, window, keep if keep_limit is None else min(keep, keep_limit), worker_memory)
