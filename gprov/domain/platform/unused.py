"""Values of a platform that gprov itself does nothing with in this version, though the earlier system did."""

from __future__ import annotations

from gprov.domain.errors import Problem
from gprov.domain.platform.model import Platform


def unused_values(platform: Platform) -> tuple[Problem, ...]:
    """The place is the key in the platform table. Each is for a warning: no unit is refused for it."""
    problems = []
    if platform.fakeraid_type is not None:
        text = f"{platform.fakeraid_type.value}: provisioning and restores do not use RAID of the firmware"
        problems.append(
            Problem(
                "FakeraidType",
                f"{text}, an erase of the data disks puts its metadata back (unless keep-raid-metadata:no)",
            )
        )
    return tuple(problems)
