"""The software RAID array that PRIMARY is to be on: what it is called, and how much it holds."""

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
    """An array to be made. ``host``: whose it is; ``name``: what its host calls it."""

    name: str
    host: str
    uuid: str
    level: RaidLevel

    @property
    def full_name(self) -> str:
        """What its members say."""
        return array_name(self.host, self.name)

    @property
    def config(self) -> str:
        """``mdadm.conf`` of the system on it (mdadm.conf(5)), in which UUIDs are four groups of eight digits."""
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
    """Whose the array is: the unit's host name, shortened if it does not fit, but still no other unit's."""
    room = _NAME_BYTES - len(name.encode()) - 1
    if len(hostname.encode()) <= room:
        return hostname
    digest = hashlib.sha1(hostname.encode(), usedforsecurity=False).hexdigest()[:_HASH_DIGITS]
    return f"{hostname[: room - _HASH_DIGITS - 1]}-{digest}"


def array_name(host: str, name: str) -> str:
    """As the members of an array spell it."""
    return f"{host}:{name}"


def capacity(level: RaidLevel | None, sizes: Sequence[int]) -> int:
    """Bytes of data on disks of these sizes, of which the smallest counts; an upper bound, since tables and metadata
    take their part. Raises HardwareMismatch if they are too few for the level."""
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
