"""Provisioning as process 1: run it once, show a failure for long, start again."""

from __future__ import annotations

from gprov.apps.mfg.container import MfgContainer
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import share
from gprov.domain.boot.args import BootArguments
from gprov.domain.errors import GprovError

# In a factory somebody comes by, but perhaps after a weekend.
HOLD_SECONDS = 48 * 3600.0


def provision(arguments: BootArguments, unit: UnitContainer) -> None:
    """Provision the machine and reboot, never returning; on failure show why for up to 48 h first."""
    container = container_for(unit)
    bus = unit.bus()
    try:
        container.provisioning().run()
    except GprovError as error:
        unit.operator().show(str(error))
        hold = HOLD_SECONDS if arguments.failure_hold is None else arguments.failure_hold
        bus.message(f"Provisioning failed; restarting in {hold:g} s")
        bus.close()
        unit.clock().sleep(hold)
    bus.close()
    unit.power().reboot()


def container_for(unit: UnitContainer) -> MfgContainer:
    """Made of the same adapters, names and tables as the unit's container, whatever was put in there."""
    container = MfgContainer()
    # A log file of provisioning is named so, unless somebody wants another log.
    own = () if unit.file_sink_at.overridden else ("file_sink_at",)
    share(UnitContainer, unit, container, but=own)
    return container
