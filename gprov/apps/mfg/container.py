"""Composition root of provisioning."""

from __future__ import annotations

from dependency_injector import providers

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import lazy


class MfgContainer(UnitContainer):
    """``provisioning`` makes the use case."""

    file_sink_at = providers.Factory(
        lazy("gprov.adapters.linux.events.sinks:FileSink"), UnitContainer.clock, stage="mfg"
    )
    inspect_ports = providers.Factory(
        lazy("gprov.apps.mfg.inspect:InspectPorts"),
        smbios=UnitContainer.smbios,
        inventory=UnitContainer.inventory,
        blocks=UnitContainer.blocks,
        mounts=UnitContainer.mounts,
        network=UnitContainer.network,
        clock=UnitContainer.clock,
        firmware=UnitContainer.firmware,
    )
    mfg_ports = providers.Factory(
        lazy("gprov.apps.mfg.work:MfgPorts"),
        tools=UnitContainer.tools,
        recovery=UnitContainer.recovery_ports,
        remote=UnitContainer.remote_ports,
        inspect=inspect_ports,
        processes=UnitContainer.processes,
        hasher=UnitContainer.hasher,
        file_sink_at=file_sink_at.provider,
    )
    provisioning = providers.Factory(
        lazy("gprov.apps.mfg.flow:Provisioning"),
        mfg_ports,
        UnitContainer.bus,
        UnitContainer.branding,
        UnitContainer.platforms,
        UnitContainer.places,
        UnitContainer.arguments,
    )
