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
        UnitContainer.smbios,
        UnitContainer.inventory,
        UnitContainer.blocks,
        UnitContainer.mounts,
        UnitContainer.network,
        UnitContainer.clock,
        UnitContainer.firmware,
    )
    factory_ports = providers.Factory(
        lazy("gprov.apps.mfg.work:FactoryPorts"),
        UnitContainer.telemetry_at.provider,
        UnitContainer.time_source_at.provider,
        UnitContainer.document_store_at.provider,
        UnitContainer.credential_store_at.provider,
    )
    mfg_ports = providers.Factory(
        lazy("gprov.apps.mfg.work:MfgPorts"),
        UnitContainer.tools,
        UnitContainer.recovery_ports,
        UnitContainer.remote_ports,
        factory_ports,
        inspect_ports,
        UnitContainer.processes,
        UnitContainer.hasher,
        file_sink_at.provider,
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
