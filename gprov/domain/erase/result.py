"""Result of the erase of a unit."""

from __future__ import annotations

from enum import Enum


class EraseResult(Enum):
    """DECLINED: not confirmed, nothing was changed. ERASED: every data disk is erased and verified."""

    DECLINED = "not confirmed, nothing was changed"
    ERASED = "done, all data disks are erased"
