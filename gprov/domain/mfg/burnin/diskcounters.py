"""Error counters of a drive: attributes of ATA drives, the health log of NVMe drives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gprov.domain.formats.ata.smart import CRC_ERRORS, OFFLINE_UNCORRECTABLE, PENDING, REALLOCATED
from gprov.domain.formats.nvme.health_log import HealthLog

_NAMES = {
    REALLOCATED: "reallocated sectors",
    PENDING: "pending sectors",
    OFFLINE_UNCORRECTABLE: "uncorrectable sectors",
    CRC_ERRORS: "CRC errors of the interface",
}


@dataclass(frozen=True, slots=True)
class DiskCounters:
    """``counts``: by name. ``warnings``: what the drive itself reports as critical."""

    counts: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...] = ()

    def growth(self, before: DiskCounters) -> tuple[tuple[str, int], ...]:
        """Counters that are higher than before, and by how much."""
        old = dict(before.counts)
        return tuple((name, count - old.get(name, 0)) for name, count in self.counts if count > old.get(name, 0))


def of_ata(attributes: Mapping[int, int]) -> DiskCounters:
    """``attributes``: raw values by id. Drives have some of the counters only."""
    return DiskCounters(tuple((name, attributes[number]) for number, name in _NAMES.items() if number in attributes))


def of_nvme(log: HealthLog) -> DiskCounters:
    return DiskCounters((("media errors", log.media_errors),), log.warnings)
