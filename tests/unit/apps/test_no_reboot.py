"""NO_REBOOT: a shell as root without a password, in the factory only."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.linux.system.power import SystemPower
from gprov.adapters.linux.system.shell_power import ShellPower
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.main import container_for
from gprov.apps.unit.composition.start import allow_shell
from gprov.domain.event_text import event_text


@pytest.fixture
def sink() -> MemorySink:
    return MemorySink()


@pytest.fixture
def unit(sink: MemorySink) -> InitContainer:
    container = InitContainer()
    container.bus().attach(sink)
    return container


def test_the_provisioning_kernel_leaves_a_shell(unit: InitContainer, sink: MemorySink) -> None:
    allow_shell(unit, provisioning=True)
    assert isinstance(unit.power(), ShellPower)
    assert isinstance(container_for(unit).power(), ShellPower)
    assert sink.events == []


def test_the_normal_kernel_refuses_and_restarts_as_usual(unit: InitContainer, sink: MemorySink) -> None:
    allow_shell(unit, provisioning=False)
    assert isinstance(unit.power(), SystemPower)
    assert isinstance(unit.init_ports().power, SystemPower)
    [event] = sink.events
    assert "WARNING NO_REBOOT is refused" in event_text(event)
