"""The simulated network keeps the contract of TrustStore."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.net.certificate import FakeCertificate
from gprov.adapters.fake.net.http import FakeHttp
from gprov.adapters.fake.net.origin import FakeOrigin
from gprov.adapters.fake.net.server_trust import FakeTrust
from gprov.domain.unit.trust import OwnCa
from gprov.ports.network import Http, TrustStore
from tests.unit.contract.trust_contract import (
    CASES,
    CONTENT,
    Case,
    Shown,
    check_case,
    check_fetch,
    check_without_trust,
)

DAY_NS = 86_400 * 10**9


class SimulatedWorld:
    url = "https://factory.invalid/file"
    plain_url = "http://factory.invalid/file"
    ca_url = "https://factory.invalid/ca.pem"
    ca = OwnCa(b"\x30\x81\x90" + bytes(range(144)))

    def __init__(self) -> None:
        self._machine = SimulatedMachine()
        files = {self.url: CONTENT, self.plain_url: CONTENT, self.ca_url: self.ca.pem.encode()}
        self._origin = FakeOrigin(content=files)
        trust = FakeTrust(self._machine, self._origin)
        self.trust: TrustStore = trust
        self.http: Http = FakeHttp(self._machine, self._origin, trust)

    def show(self, certificate: Shown) -> None:
        now = self._machine.clock.now_ns()
        ca = OwnCa(self.ca.der[:-1] + b"x") if certificate is Shown.OTHER_CA else self.ca
        begins = now + DAY_NS if certificate is Shown.NOT_YET_VALID else now - 2 * DAY_NS
        ends = now - DAY_NS if certificate is Shown.EXPIRED else now + 2 * DAY_NS
        self._origin.certificate = FakeCertificate(ca, begins, ends, names_other_server=certificate is Shown.OTHER_NAME)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_certificate(case: Case) -> None:
    check_case(SimulatedWorld(), case)


def test_without_trust() -> None:
    check_without_trust(SimulatedWorld())


def test_fetching_a_ca() -> None:
    check_fetch(SimulatedWorld())
