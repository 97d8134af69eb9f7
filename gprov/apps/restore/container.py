"""Composition root of the factory restore."""

from __future__ import annotations

from dependency_injector import providers

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import lazy


class RestoreContainer(UnitContainer):
    """``restore`` makes the use case; what it is made of is imported only then."""

    restore_ports = providers.Factory(
        lazy("gprov.apps.restore.flow:RestorePorts"),
        tools=UnitContainer.tools,
        recovery=UnitContainer.recovery_ports,
        remote=UnitContainer.remote_ports,
        smbios=UnitContainer.smbios,
        operator=UnitContainer.operator,
        randomness=UnitContainer.randomness,
        file_sink_at=UnitContainer.file_sink_at.provider,
    )
    restore = providers.Factory(
        lazy("gprov.apps.restore.flow:FactoryRestore"),
        restore_ports,
        UnitContainer.bus,
        UnitContainer.branding,
        UnitContainer.platforms,
        UnitContainer.places,
        UnitContainer.arguments,
    )
