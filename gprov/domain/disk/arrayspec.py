"""Name, UUID, configuration and capacity of the software RAID array for PRIMARY."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.disk.md_superblock import uuid_text
from gprov.domain.platform.model import RaidLevel

# md's set_name holds 32 bytes; mdadm leaves the host out if "host:name" with its final zero does not fit.
_NAME_BYTES = 31
_HASH_DIGITS = 8
UUID_BYTES = 16
_WORD = 8


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """An array to be created. ``host``: host name of the unit; ``name``: name of the array on that host."""

    name: str
    host: str
    uuid: str
    level: RaidLevel

    @property
    def full_name(self) -> str:
        """Name in the superblocks, ``host:name``."""
        return array_name(self.host, self.name)

    @property
    def config(self) -> str:
        """``mdadm.conf`` for the restored system (mdadm.conf(5)); it writes a UUID as four groups of eight digits."""
        digits = self.uuid.replace("-", "")
        uuid = ":".join(digits[start : start + _WORD] for start in range(0, len(digits), _WORD))
        return (
            "# Written by the factory restore that made this array.\n"
            "HOMEHOST <system>\nMAILADDR root\n"
            f"ARRAY /dev/md/{self.name} metadata=1.2 UUID={uuid} name={self.full_name}\n"
        )


def array_spec(name: str, hostname: str, entropy: bytes, level: RaidLevel) -> ArraySpec:
    """``entropy``: ``UUID_BYTES`` random bytes."""
    return ArraySpec(name, array_host(hostname, name), uuid_text(entropy), level)


def array_host(hostname: str, name: str) -> str:
    """The unit's host name; if it is too long, its start and a hash, so that it stays unique."""
    max_bytes = _NAME_BYTES - len(name.encode()) - 1
    if len(hostname.encode()) <= max_bytes:
        return hostname
    digest = hashlib.sha1(hostname.encode(), usedforsecurity=False).hexdigest()[:_HASH_DIGITS]
    return f"{hostname[: max_bytes - _HASH_DIGITS - 1]}-{digest}"


def array_name(host: str, name: str) -> str:
    """Name in the superblocks of the members."""
    return f"{host}:{name}"


def capacity(level: RaidLevel | None, sizes: Sequence[int]) -> int:
    """Capacity in bytes of an array on disks of these sizes. The smallest disk limits all. An upper bound: partition
    tables and metadata are not subtracted. Raises HardwareMismatch if there are too few disks for the level."""
    if level is None:
        return min(sizes, default=0)
    if len(sizes) < level.min_disks:
        raise HardwareMismatch(f"RAID {level.value} needs at least {level.min_disks} disks, not {len(sizes)}")
    count = len(sizes)
    halves = {
        RaidLevel.RAID0: 2 * count,
        RaidLevel.RAID1: 2,
        RaidLevel.RAID5: 2 * (count - 1),
        RaidLevel.RAID6: 2 * (count - 2),
        RaidLevel.RAID10: count,
    }
    return min(sizes) * halves[level] // 2
