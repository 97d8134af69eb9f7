"""Checks that a drive which erased itself has lost its contents: canaries and sampled former content."""

from __future__ import annotations

from dataclasses import replace

from gprov.apps.unit.execution.erase.ports import ErasurePorts
from gprov.domain.disk.model import Disk
from gprov.domain.erase.canaries import BLOCK, FormerContent, canary_extents, canary_pattern, former_content
from gprov.domain.erase.extents import Extent
from gprov.domain.erase.outcome import Verification
from gprov.domain.erase.patterns import pattern_bytes
from gprov.domain.erase.record import DiskProgress
from gprov.domain.erase.sampling import sampled_extents
from gprov.domain.erase.verification import BlockAfter, canary_verification
from gprov.domain.errors import DeviceFault

_FORMER_BLOCKS = 256


class CanaryCheck:
    """``progress``: its seed determines where canaries are and what they contain, so that they can be checked after a
    restart; its ``former`` are the digests of former content."""

    def __init__(self, disk: Disk, progress: DiskProgress, ports: ErasurePorts) -> None:
        self._disk = disk
        self._progress = progress
        self._ports = ports
        self._places = canary_extents(progress.seed, disk.size)

    def plant(self) -> DiskProgress:
        """Read samples of the former content, then write the canaries, and make sure that they can be read. Returns the
        progress with the digests. Raises DeviceFault: a drive that does not store them cannot be checked."""
        former = self._sample_former()
        self._progress = replace(self._progress, former=former)
        pattern = canary_pattern(self._progress.seed)
        for place in self._places:
            content = pattern_bytes(pattern, place.start, place.size)
            self._ports.writer.write(self._disk, place.start, content)
        for place in self._places:
            if self._ports.reader.read(self._disk, place) != pattern_bytes(pattern, place.start, place.size):
                raise DeviceFault(self._disk.node, f"does not return what was written to {place.describe()}")
        return self._progress

    def verify(self) -> Verification:
        """Read all of these blocks again, after the technique."""
        pattern = canary_pattern(self._progress.seed)
        canaries = tuple(
            BlockAfter(
                former_content(place, pattern_bytes(pattern, place.start, place.size)), self._read_or_none(place)
            )
            for place in self._places
        )
        return canary_verification(self._progress.seed, len(self._places), canaries, self._former_after())

    def _sample_former(self) -> tuple[tuple[int, str], ...]:
        """Blocks of one repeated byte say nothing and are left out, and so are unreadable ones and places of
        canaries."""
        samples: list[tuple[int, str]] = []
        canaries = set(self._places)
        for extent in sampled_extents(f"former {self._progress.seed}", self._disk.size, _FORMER_BLOCKS, BLOCK):
            for start in range(extent.start, extent.end - BLOCK + 1, BLOCK):
                place = Extent(start, start + BLOCK)
                content = self._read_or_none(place) if place not in canaries else None
                if content is None or len(samples) >= _FORMER_BLOCKS:
                    continue
                found = former_content(place, content)
                if not found.uniform:
                    samples.append((start, found.digest.hex()))
        return tuple(samples)

    def _former_after(self) -> tuple[BlockAfter, ...]:
        blocks = []
        for start, digest in self._progress.former:
            place = Extent(start, min(start + BLOCK, self._disk.size))
            former = FormerContent(place, bytes.fromhex(digest), uniform=False)
            blocks.append(BlockAfter(former, self._read_or_none(place)))
        return tuple(blocks)

    def _read_or_none(self, place: Extent) -> bytes | None:
        try:
            return self._ports.reader.read(self._disk, place)
        except DeviceFault:
            # Counted by the caller: an unreadable block is never good.
            return None
