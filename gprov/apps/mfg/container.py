"""Composition root of provisioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import deferred, factory, inject, lazy_factory

if TYPE_CHECKING:  # the container may be imported where nothing is provisioned
    from gprov.apps.mfg.flow import Provisioning
    from gprov.apps.mfg.inspect import InspectPorts
    from gprov.apps.mfg.work import MfgPorts


def _inspect_ports() -> type[InspectPorts]:
    from gprov.apps.mfg.inspect import InspectPorts

    return InspectPorts


def _mfg_ports() -> type[MfgPorts]:
    from gprov.apps.mfg.work import MfgPorts

    return MfgPorts


def _provisioning() -> type[Provisioning]:
    from gprov.apps.mfg.flow import Provisioning

    return Provisioning


class MfgContainer(UnitContainer):
    """``provisioning`` makes the use case."""

    file_sink_at = factory(adapters.file_sink_at, clock=deferred(UnitContainer.clock), stage="mfg")
    inspect_ports = lazy_factory(
        _inspect_ports,
        smbios=inject(UnitContainer.smbios),
        inventory=inject(UnitContainer.inventory),
        blocks=inject(UnitContainer.blocks),
        mounts=inject(UnitContainer.mounts),
        network=inject(UnitContainer.network),
        clock=inject(UnitContainer.clock),
        firmware=inject(UnitContainer.firmware),
    )
    mfg_ports = lazy_factory(
        _mfg_ports,
        tools=inject(UnitContainer.tools),
        recovery=inject(UnitContainer.recovery_ports),
        remote=inject(UnitContainer.remote_ports),
        inspect=inject(inspect_ports),
        processes=inject(UnitContainer.processes),
        hasher=inject(UnitContainer.hasher),
        file_sink_at=inject(file_sink_at),
    )
    provisioning = lazy_factory(
        _provisioning,
        inject(mfg_ports),
        bus=inject(UnitContainer.bus),
        branding=inject(UnitContainer.branding),
        platforms=inject(UnitContainer.platforms),
        places=inject(UnitContainer.places),
        arguments=inject(UnitContainer.arguments),
    )
