"""What a restore has found out about the unit before it chooses an image."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.unit.recovery.volume import RecoveryVolume
from gprov.domain.disk.model import Disk
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.restore_options import RestoreOptions


@dataclass(frozen=True)
class RestoreJob:
    """``targets``: the disks to overwrite, in the order of their names."""

    recovery: RecoveryVolume
    unit: Unit
    options: RestoreOptions
    targets: tuple[Disk, ...]
