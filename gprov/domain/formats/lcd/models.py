"""Models of displays: their size, and their keys as numbered in masks and reports."""

from __future__ import annotations

from enum import Enum, IntFlag


class Model(Enum):
    """The number in the name."""

    CFA_631 = 631
    CFA_635 = 635

    @property
    def columns(self) -> int:
        return 20

    @property
    def rows(self) -> int:
        return 2 if self is Model.CFA_631 else 4

    @property
    def all_keys(self) -> int:
        """Mask of all keys."""
        return 0x0F if self is Model.CFA_631 else 0x3F


class Keys631(IntFlag):
    """Key mask of a CFA-631: keys in the corners."""

    UPPER_LEFT = 0x01
    UPPER_RIGHT = 0x02
    LOWER_LEFT = 0x04
    LOWER_RIGHT = 0x08


class Keys635(IntFlag):
    """Key mask of a CFA-635."""

    UP = 0x01
    ENTER = 0x02
    EXIT = 0x04
    LEFT = 0x08
    RIGHT = 0x10
    DOWN = 0x20
