"""Composition root of the factory restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import Declaration, inject, lazy_factory

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.init.ports import RestoreFlow
    from gprov.apps.restore.flow import FactoryRestore, RestorePorts


def _restore_ports() -> type[RestorePorts]:
    from gprov.apps.restore.flow import RestorePorts

    return RestorePorts


def _restore() -> type[FactoryRestore]:
    from gprov.apps.restore.flow import FactoryRestore

    return FactoryRestore


class RestoreContainer(UnitContainer):
    """``restore`` makes the use case; what it is made of is imported only then."""

    restore_ports = lazy_factory(
        _restore_ports,
        tools=inject(UnitContainer.tools),
        recovery=inject(UnitContainer.recovery_ports),
        remote=inject(UnitContainer.remote_ports),
        smbios=inject(UnitContainer.smbios),
        operator=inject(UnitContainer.operator),
        randomness=inject(UnitContainer.randomness),
        file_sink_at=inject(UnitContainer.file_sink_at),
    )
    restore: Declaration[RestoreFlow] = lazy_factory(
        _restore,
        inject(restore_ports),
        bus=inject(UnitContainer.bus),
        branding=inject(UnitContainer.branding),
        platforms=inject(UnitContainer.platforms),
        places=inject(UnitContainer.places),
        arguments=inject(UnitContainer.arguments),
    )
