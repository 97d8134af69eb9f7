"""What a restore has found out about the unit before it chooses an image."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.restore.optional_recovery import RestorePlace
from gprov.domain.disk.model import Disk
from gprov.domain.emergency.request import EmergencyRequest
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import Lcd
from gprov.domain.unit.restore_options import RestoreOptions


@dataclass(frozen=True, kw_only=True)
class RestoreJob:
    """``targets``: the disks to overwrite, in the order of their names. ``emergency``: the request that this restore
    answers, None for one from RECOVERY alone. ``lcd``: the display that was found."""

    place: RestorePlace
    unit: Unit
    options: RestoreOptions
    targets: tuple[Disk, ...]
    emergency: EmergencyRequest | None = None
    lcd: Lcd = Lcd.NONE
