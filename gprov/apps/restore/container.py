"""Composition root of the factory restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import factory, itself

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.init.ports import RestoreFlow


def _restore(unit: RestoreContainer) -> RestoreFlow:
    from gprov.apps.restore.flow import FactoryRestore

    return FactoryRestore(
        unit.flow_ports(),
        archives=unit.archives(),
        operator=unit.operator(),
        randomness=unit.randomness(),
        hasher=unit.hasher(),
        context=unit.context(),
    )


class RestoreContainer(UnitContainer):
    """``restore`` makes the use case; its modules are imported only then."""

    restore = factory(_restore, itself)
