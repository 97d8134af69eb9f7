"""Management controllers that misbehave, and what provisioning makes of each: the same on the simulated machine and
through the driver of a real kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.bmc.faults import BmcFaults
from gprov.adapters.fake.bmc.model import FakeBoard
from gprov.apps.unit.devices.bmc import Controller
from gprov.apps.unit.devices.bmc_account import BmcAccount
from gprov.apps.unit.devices.bmc_versions import BmcVersions
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.errors import GprovError
from gprov.domain.unit.credentials import Secret
from gprov.ports.bmc import Bmc
from gprov.ports.clock import Clock
from tests.unit.bmc.test_fru import BOARD, board, inventory, texts

SHORT, LONG = "Aa3456789bcdefgh", "Aa3456789bcdefghijkm"
FRU_VERSION = "FRU Ver 1.26"
DEVICE_ID, CHANNEL_INFO, USER_NAME, SET_NAME, LAN = (6, 1), (6, 0x42), (6, 0x46), (6, 0x45), (0x0C, 2)
# The simulated account in the factory's and in the unit's name.
DELIVERED, OWN = ("ADMIN", "ADMIN"), "admin"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``ends``: what the outcome begins with, a regular expression. ``lets_in``: the unit's account works then."""

    faults: Callable[[], BmcFaults] = BmcFaults
    ends: str = "done 56:78:90:00:ff:01"
    lets_in: bool = True
    password: str = SHORT

    def controller(self) -> FakeController:
        fru = inventory(board(*texts((*BOARD, FRU_VERSION))))
        return FakeController(FakeBoard(fru=fru), self.faults())

    def check(self, outcome: str, controller: FakeController) -> None:
        """Assert that the outcome is right, and that the controller lets in whom it should."""
        assert re.match(self.ends, outcome), outcome
        assert controller.board.logs_in(OWN, self.password) is self.lets_in
        # Only when the unit's account works, that of the manufacturer is disabled.
        assert controller.board.logs_in(*DELIVERED) is not self.lets_in


def failing(faults: Callable[[], BmcFaults], ends: str, password: str = SHORT) -> Scenario:
    return Scenario(faults=faults, ends=ends, lets_in=False, password=password)


SHORTER = "let the factory server issue passwords of at most 16 characters"
SCENARIOS = {
    "as it should be": Scenario(),
    "a long password": Scenario(password=LONG),
    "busy for a while": Scenario(faults=lambda: BmcFaults(busy=8)),
    "starting": Scenario(faults=lambda: BmcFaults(busy=8, busy_code=0xD2)),
    "busy for ever": failing(lambda: BmcFaults(busy=10**6), r"CommandRefused: .*busy \(0xc0\), still after"),
    "silent once": Scenario(faults=lambda: BmcFaults(silent=1)),
    "silent for ever": failing(
        lambda: BmcFaults(silent=10**6), r"(CommandRefused: .*timed out|DeadlineExceeded: .*no response)"
    ),
    "passwords of 16 bytes": Scenario(faults=lambda: BmcFaults(short_passwords=True)),
    "passwords of 16 bytes, a long one": failing(
        lambda: BmcFaults(short_passwords=True), f"CommandRefused: .*{SHORTER}", LONG
    ),
    "passwords that are cut": failing(lambda: BmcFaults(cuts_passwords=True), f"DeviceFault: .*{SHORTER}", LONG),
    "passwords that are not kept": failing(
        lambda: BmcFaults(forgets_passwords=True), "CommandRefused: .*the controller has another password"
    ),
    "any password": Scenario(faults=lambda: BmcFaults(accepts_any=True)),
    "gaps between accounts": Scenario(faults=lambda: BmcFaults(unnamed_slots=frozenset({3, 4, 7}))),
    "no account takes a name": failing(lambda: BmcFaults(codes={SET_NAME: 0xCC}), "DeviceFault: .*no free slot"),
    "names that are not kept": failing(lambda: BmcFaults(forgets_names=True), "DeviceFault: .*no free slot"),
    "rights that are not kept": failing(
        lambda: BmcFaults(forgets_access=True),
        "DeviceFault: .*user 3 may not log in over channel 1: its privilege limit",
    ),
    "accounts that stay enabled": Scenario(faults=lambda: BmcFaults(stays_enabled=frozenset({2}))),
    "an empty response": failing(lambda: BmcFaults(sizes={DEVICE_ID: 0}), "BadInput: .*the response has 0 bytes"),
    "a short response": failing(lambda: BmcFaults(sizes={USER_NAME: 9}), "BadInput: .*the response has 9 bytes"),
    "a long response": failing(lambda: BmcFaults(sizes={USER_NAME: 30}), "BadInput: .*the response has 30 bytes"),
    "a MAC of 5 bytes": failing(lambda: BmcFaults(sizes={LAN: 6}), "BadInput: .*the response has 6 bytes"),
    "no channels": failing(lambda: BmcFaults(codes={CHANNEL_INFO: 0xC1}), "HardwareMismatch: .*no LAN channel"),
    "refuses to answer": failing(lambda: BmcFaults(codes={DEVICE_ID: 0xFF}), "CommandRefused: .*unspecified error"),
}


def attempt(bmc: Bmc, clock: Clock, scenario: Scenario, seconds: float) -> str:
    """Set up the controller as provisioning does: "done" with its MACs, or the error. ``seconds``: how long it may be
    busy."""
    controller = Controller(bmc, clock, seconds)
    try:
        facts = controller.facts(0)
        used = tuple(channel.number for channel in facts.channels)
        account = BmcAccount(controller, controller.lan_channels(), used, EventBus(clock))
        account.establish(OWN, Secret(scenario.password))
    except GprovError as error:
        return f"{type(error).__name__}: {error}"
    return f"done {', '.join(facts.macs)}"


def versions(bmc: Bmc, clock: Clock) -> str:
    return repr(BmcVersions(bmc, clock, lambda _text: None)())
