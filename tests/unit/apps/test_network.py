"""Which interfaces are waited for and asked on, with interfaces that come one after the other on a simulated clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from typing_extensions import override

from gprov.adapters.fake.system.clock import FakeClock
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.network.connect import NIC_SECONDS, connect, connect_any, wait_for_nics
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.branding import Branding
from gprov.domain.errors import NetworkFault
from gprov.domain.mountpoints import MountPoints
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.lease import Lease
from gprov.domain.unit.nics import ANY_MAC, Nic, NicInfo
from gprov.ports.network import Network, Report

OWN = tuple(Nic(name=f"eth{9 - number}", mac=f"56:78:90:00:00:0{number}") for number in range(4))
FOREIGN = Nic(name="usb0", mac="00:e0:4c:00:00:01")


@dataclass
class Slowly(Network):
    """Interfaces by the second in which their driver finds them. Keeps on which ones an address was asked."""

    clock: FakeClock
    arrivals: dict[Nic, float]
    started: float = 0.0
    asked: list[tuple[Nic, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.clock.monotonic()

    @property
    def elapsed(self) -> float:
        return self.clock.monotonic() - self.started

    @override
    def nics(self) -> tuple[Nic, ...]:
        return tuple(nic for nic, second in self.arrivals.items() if second <= self.elapsed)

    @override
    def connect(self, nics: Sequence[Nic], seconds: float, report: Report) -> Lease:
        self.asked.append(tuple(nics))
        return Lease(interface=nics[0].name, address="10.0.0.2", prefix=24)


def unit(info: NicInfo) -> Unit:
    return Unit(
        platform=replace(default_table()[0], nic_info=info),
        manufacturer="GPROV_QEMU",
        product="mfg_test",
        sku="",
        serial="SN1",
    )


def names(nics: Sequence[Nic]) -> list[str]:
    return [nic.name for nic in nics]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def context(clock: FakeClock) -> UnitContext:
    return UnitContext(
        branding=Branding(),
        mount_points=MountPoints(),
        arguments=BootArguments(),
        bus=EventBus(clock),
        load_platforms=default_table,
    )


def test_ports_of_one_board_are_waited_for_together(clock: FakeClock, context: UnitContext) -> None:
    """The DIAG port is known by counting, so that asking too early would ask on it."""
    network = Slowly(clock, {OWN[1]: 1.0, OWN[0]: 2.5, OWN[2]: 4.0})
    connect(network, clock, unit(NicInfo(diag_ports=(1,))), context)
    assert names(network.asked[0]) == names([OWN[0], OWN[2]])
    assert 4.0 + SETTLE_SECONDS <= network.elapsed < 4.0 + SETTLE_SECONDS + 1


def test_a_foreign_interface_does_not_end_the_wait(clock: FakeClock, context: UnitContext) -> None:
    network = Slowly(clock, {FOREIGN: 0.0, OWN[0]: 9.0})
    connect_any(network, clock, context)
    assert names(network.asked[0]) == [OWN[0].name]


def test_in_the_factory_any_interface_will_do_in_the_end(clock: FakeClock, context: UnitContext) -> None:
    network = Slowly(clock, {FOREIGN: 0.0})
    connect_any(network, clock, context)
    assert names(network.asked[0]) == [FOREIGN.name]
    assert NIC_SECONDS <= network.elapsed < NIC_SECONDS + 1


def test_a_known_unit_never_uses_a_foreign_interface(clock: FakeClock, context: UnitContext) -> None:
    network = Slowly(clock, {FOREIGN: 0.0})
    with pytest.raises(NetworkFault, match="usb0 00:e0:4c:00:00:01"):
        connect(network, clock, unit(NicInfo()), context)
    assert not network.asked


@pytest.mark.parametrize("prefixes", [("00:e0",), (ANY_MAC,)])
def test_unless_its_platform_says_that_they_are_its_own(
    clock: FakeClock, context: UnitContext, prefixes: tuple[str, ...]
) -> None:
    network = Slowly(clock, {FOREIGN: 0.0})
    connect(network, clock, unit(NicInfo(mac_prefixes=prefixes)), context)
    assert names(network.asked[0]) == [FOREIGN.name]
    assert network.elapsed < SETTLE_SECONDS + 1


def test_all_usable_ports_are_asked_on_at_once_in_the_order_of_their_macs(
    clock: FakeClock, context: UnitContext
) -> None:
    network = Slowly(clock, dict.fromkeys(OWN, 0.0))
    connect(network, clock, unit(NicInfo(diag_ports=(0, 3))), context)
    assert [names(each) for each in network.asked] == [names(OWN[1:3])]


def test_nothing_but_diagnosis_is_nothing(clock: FakeClock, context: UnitContext) -> None:
    network = Slowly(clock, {OWN[0]: 0.0})
    with pytest.raises(NetworkFault):
        connect(network, clock, unit(NicInfo(diag_ports=(0,))), context)


def test_without_any_interface_the_wait_ends(clock: FakeClock, context: UnitContext) -> None:
    network = Slowly(clock, {})
    with pytest.raises(NetworkFault, match="none appeared"):
        connect_any(network, clock, context)
    assert NIC_SECONDS <= network.elapsed < NIC_SECONDS + 1


def test_interfaces_that_come_and_go_for_ever_do_not_hold_it_up(clock: FakeClock) -> None:
    class Flapping(Slowly):
        @override
        def nics(self) -> tuple[Nic, ...]:
            return OWN[:1] if int(self.elapsed) % 2 else OWN[:2]

    network = Flapping(clock, {})
    assert wait_for_nics(network, clock, ("56:78:90",))
    assert network.elapsed < NIC_SECONDS + 1
