"""Units in the states that most tests of flows begin with."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.domain.boot.firmware import FirmwareKind
from tests.unit.flow import units
from tests.unit.flow.driver import UnitDriver


@pytest.fixture
def blank() -> UnitDriver:
    """A unit with empty disks."""
    return units.blank()


@pytest.fixture
def provisioned() -> UnitDriver:
    """A unit whose next start restores it for the first time."""
    return units.provisioned()


@pytest.fixture
def restored(provisioned: UnitDriver) -> UnitDriver:
    """A unit that restored itself and has not started its system yet."""
    assert provisioned.boot() is StopReason.REBOOT
    return provisioned


@pytest.fixture
def unit() -> UnitDriver:
    """A unit that restored itself, started its system once, and is switched off."""
    return units.running()


@pytest.fixture
def flagless() -> UnitDriver:
    """A unit whose next start restores it, since the flag file of its system is gone."""
    unit = units.running()
    unit.remove_flag()
    return unit


@pytest.fixture(scope="module")
def running() -> UnitDriver:
    """As ``unit``, for all tests of a module, which start copies of it."""
    return units.running()


@pytest.fixture(scope="module")
def updatable(running: UnitDriver) -> UnitDriver:
    """The same with a newer image, which has a newer kernel, on RECOVERY; its next start is a normal one."""
    unit = running.copy()
    unit.add_image(kernel=101, files={"etc/newer": b"yes"})
    return unit


@pytest.fixture(scope="module")
def updating(updatable: UnitDriver) -> UnitDriver:
    """The same, and its next start restores the newer image."""
    unit = updatable.copy()
    unit.remove_flag()
    return unit


@pytest.fixture(params=list(FirmwareKind), ids=lambda firmware: firmware.value)
def firmware(request: pytest.FixtureRequest) -> FirmwareKind:
    """Each kind of firmware in turn."""
    kind: FirmwareKind = request.param
    return kind
