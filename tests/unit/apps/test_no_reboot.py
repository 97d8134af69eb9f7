"""NO_REBOOT: a shell as root without a password, in the factory only."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from typing_extensions import override

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.linux.system.power import SystemPower
from gprov.adapters.linux.system.shell_power import ShellPower
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.main import container_for
from gprov.apps.unit.composition.start import allow_shell
from gprov.domain.errors import DeviceFault
from gprov.domain.event_text import event_text
from gprov.ports.power import Power


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


class NoPower(Power):
    """Ends the test where the machine would restart."""

    @override
    def reboot(self) -> NoReturn:
        raise MachineStopped(StopReason.REBOOT)

    @override
    def power_off(self) -> NoReturn:
        raise AssertionError


def test_no_shell_opens_while_the_tpm_returns_secrets(tmp_path: Path) -> None:
    """Where the cap fails, the machine restarts."""

    def refused() -> None:
        raise DeviceFault("TPM", "it is in failure mode")

    console = tmp_path / "console"
    console.touch()
    shell = ShellPower(refused, shell="/nonexistent", console=str(console), machine=NoPower())
    with pytest.raises(MachineStopped, match="reboot"):
        shell.reboot()
    assert (
        "no shell, since the TPM still returns secrets: TPM: it is in failure mode; restarting" in console.read_text()
    )


def test_the_normal_kernel_refuses_and_restarts_as_usual(unit: InitContainer, sink: MemorySink) -> None:
    allow_shell(unit, provisioning=False)
    assert isinstance(unit.power(), SystemPower)
    assert isinstance(unit.init_ports().power, SystemPower)
    [event] = sink.events
    assert "WARNING NO_REBOOT is refused" in event_text(event)
