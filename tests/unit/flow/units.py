"""Simulated units in the states that tests of flows begin with.

Each state is reached once in a test session; every call hands out a copy of its own. Copies share nothing that changes,
and a copy takes less than a millisecond.
"""

from __future__ import annotations

from functools import cache

from gprov.adapters.fake.machine.stop import StopReason
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.platform.model import RaidLevel
from tests.unit.flow.driver import UnitDriver


def blank(*, firmware: FirmwareKind = FirmwareKind.UEFI, level: RaidLevel | None = None, disks: int = 1) -> UnitDriver:
    """A unit with empty disks, and a factory that serves what provisioning needs."""
    return UnitDriver(new_world(firmware=firmware, level=level, disks=disks))


def provisioned(
    *, firmware: FirmwareKind = FirmwareKind.UEFI, level: RaidLevel | None = None, disks: int = 1
) -> UnitDriver:
    """Provisioned, and not started since: its next start restores it."""
    return _provisioned(firmware, level, disks).copy()


def running(
    *, firmware: FirmwareKind = FirmwareKind.UEFI, level: RaidLevel | None = None, disks: int = 1
) -> UnitDriver:
    """Provisioned, restored, started once, and switched off."""
    return _running(firmware, level, disks).copy()


@cache
def _provisioned(firmware: FirmwareKind, level: RaidLevel | None, disks: int) -> UnitDriver:
    unit = blank(firmware=firmware, level=level, disks=disks)
    assert unit.provision() is StopReason.REBOOT
    return unit


@cache
def _running(firmware: FirmwareKind, level: RaidLevel | None, disks: int) -> UnitDriver:
    unit = _provisioned(firmware, level, disks).copy()
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return unit
