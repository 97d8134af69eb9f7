"""The panel of the simulated machine keeps the contract of its port."""

from __future__ import annotations

from itertools import groupby

import pytest
from typing_extensions import override

from gprov.adapters.fake.console.panel import FakePanel
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.domain.display.keys import Input, Typed
from gprov.domain.display.render import render
from gprov.domain.display.screen import CONSOLE
from tests.unit.display.panel_contract import PanelContract, Site


class SimulatedSite(Site):
    def __init__(self) -> None:
        self.machine = SimulatedMachine()
        self.panel = FakePanel(self.machine)
        self.clock = self.machine.clock

    @override
    def come(self) -> None:
        self.machine.operator_present = True

    @override
    def enter(self, *entered: Input) -> None:
        """Words of the script: one for each key, and one for characters in a row, since the panel types no word before
        input is read."""
        for is_text, group in groupby(entered, lambda one: isinstance(one, Typed)):
            words = [one.character if isinstance(one, Typed) else f"key:{one.value}" for one in group]
            self.machine.keys += [f"type:{''.join(words)}"] if is_text else words

    @override
    def sees(self, text: str) -> bool:
        shown = self.machine.shown
        return shown is not None and any(text in line for line in render(shown, CONSOLE, 0).lines)


class TestFakePanel(PanelContract):
    @pytest.fixture
    def site(self) -> Site:
        return SimulatedSite()
