"""The simulated Http adapter keeps the contract of its port."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.net.http import FakeHttp
from gprov.adapters.fake.net.origin import FakeOrigin, ServerFault
from tests.unit.contract.http_contract import ALL_FAULTS, CONTENT, OUTCOMES, check_outcome, check_request


class SimulatedWorld:
    url = "http://factory.invalid/file"
    target = "/run/file.partial"

    def __init__(self) -> None:
        machine = SimulatedMachine()
        self._origin = FakeOrigin(content={self.url: CONTENT})
        self._files = FakeFiles(machine)
        self._files.make_folder("/run")
        self.http = FakeHttp(machine, self._origin)

    def serve(self, fault: ServerFault | None) -> None:
        self._origin.faults = {self.url: fault} if fault else {}
        self._origin.remaining_breaks = 2

    def stored(self) -> bytes:
        return self._files.read(self.target)


@pytest.mark.parametrize("fault", ALL_FAULTS, ids=lambda fault: fault.value if fault else "good")
def test_outcome(fault: ServerFault | None) -> None:
    check_outcome(SimulatedWorld(), fault)
    check_request(SimulatedWorld(), fault)


def test_every_fault_has_an_outcome() -> None:
    assert set(OUTCOMES) == {None, *ServerFault}
