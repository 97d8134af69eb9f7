"""The simulated update server and unfinished downloads keep the contracts of their ports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.update.server import URL, FakeUpdates, FakeUpdateServer
from gprov.adapters.fake.update.system import FakePartFiles
from tests.unit.contract.part_file_contract import PART_CHECKS, PartWorld
from tests.unit.contract.update_contract import CHECKS, CONTENT, UpdateWorld


class FakeWorld:
    def __init__(self) -> None:
        self.updates = FakeUpdates()
        action = self.updates.assign({"a.upd": CONTENT})
        self.url = f"{URL}/files/{action.id}/a.upd"
        self.port = FakeUpdateServer(SimulatedMachine(), self.updates)

    def set(self, *, ranges: bool = True, ends_after: int | None = None) -> None:
        self.updates.ranges = ranges
        self.updates.breaks = [ends_after] if ends_after is not None else []

    def change(self) -> None:
        self.updates.changes += 1


@pytest.mark.parametrize("check", CHECKS)
def test_the_simulated_server(check: Callable[[UpdateWorld], None]) -> None:
    check(FakeWorld())


@pytest.mark.parametrize("check", PART_CHECKS)
def test_simulated_files(check: Callable[[PartWorld], None]) -> None:
    check(PartWorld(FakePartFiles(SimulatedMachine()), ""))
