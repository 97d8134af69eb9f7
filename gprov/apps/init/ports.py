"""What a start of the normal kernel works with: ports, and other use cases that it may end in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gprov.apps.init.search import SearchPorts
from gprov.domain.boot.args import PreferredImage
from gprov.domain.boot.survey import TargetSurvey
from gprov.ports.clock import Clock
from gprov.ports.filesystem import FileSystems
from gprov.ports.firmware import Firmware
from gprov.ports.operator import Operator
from gprov.ports.power import Power


class RestoreFlow(Protocol):
    def run(self, preferred: PreferredImage, *, by_person: bool = False) -> None:
        """Returns when the unit is restored and may reboot. Raises GprovError. One that a person asked for does not
        wait, however many there were before."""

    @property
    def counted(self) -> bool:
        """Does RECOVERY know of this restore?"""


class Survey(Protocol):
    def look(self) -> TargetSurvey:
        """What is on the data disks now. Never raises."""


class StartsInVain(Protocol):
    def given_up(self, reason: str) -> float:
        """Count it; returns how many seconds to wait before the next start. Never raises."""

    def reset(self) -> None:
        """Count from zero: a person took over. Never raises."""


@dataclass(frozen=True, kw_only=True)
class InitPorts:
    """``restore``, ``survey`` and ``in_vain`` are made only if they are needed: a normal boot needs none."""

    search: SearchPorts
    filesystems: FileSystems
    firmware: Firmware
    operator: Operator
    power: Power
    clock: Clock
    restore: Callable[[], RestoreFlow]
    survey: Callable[[], Survey]
    in_vain: Callable[[], StartsInVain]
