"""Composition root of the factory restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import Declaration, inject, lazy_factory

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.init.ports import RestoreFlow
    from gprov.apps.restore.flow import FactoryRestore


def _restore() -> type[FactoryRestore]:
    from gprov.apps.restore.flow import FactoryRestore

    return FactoryRestore


class RestoreContainer(UnitContainer):
    """``restore`` makes the use case; its modules are imported only then."""

    restore: Declaration[RestoreFlow] = lazy_factory(
        _restore,
        inject(UnitContainer.flow_ports),
        archives=inject(UnitContainer.archives),
        operator=inject(UnitContainer.operator),
        randomness=inject(UnitContainer.randomness),
        context=inject(UnitContainer.context),
    )
