"""Composition root of data erase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import factory, itself, value
from gprov.domain.erase.request import EraseRequest

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.erase.flow import DataErase
    from gprov.apps.erase.ports import ErasePorts


def _ports(unit: EraseContainer) -> ErasePorts:
    from gprov.apps.erase.ports import ErasePorts

    return ErasePorts(
        flow=unit.flow_ports(),
        queries=unit.drive_queries(),
        reader=unit.disk_reader(),
        runner=unit.erasure_runner(),
        operator=unit.operator(),
        randomness=unit.randomness(),
    )


def _erase(unit: EraseContainer) -> DataErase:
    from gprov.apps.erase.flow import DataErase

    return DataErase(unit.erase_ports(), unit.context(), unit.erase_request())


class EraseContainer(UnitContainer):
    """``erase`` makes the use case; its modules are imported only then."""

    erase_request = value(EraseRequest())
    erase_ports = factory(_ports, itself)
    erase = factory(_erase, itself)
