"""Composition root of data erase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import factory, itself

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.erase.flow import DataErase
    from gprov.apps.erase.ports import ErasePorts
    from gprov.apps.unit.composition.flow_ports import FileSinkAt
    from gprov.domain.erase.request import EraseRequest


def _request() -> EraseRequest:
    from gprov.domain.erase.request import EraseRequest

    return EraseRequest()


def _ports(unit: EraseContainer) -> ErasePorts:
    from gprov.apps.erase.ports import ErasePorts

    return ErasePorts(
        flow=unit.flow_ports(),
        queries=unit.drive_queries(),
        unready=unit.unready_drives(),
        reader=unit.disk_reader(),
        runner=unit.erasure_runner(),
        machine=unit.machine_eraser(),
        registry_at=unit.erasure_registry_at(),
        operator=unit.operator(),
        randomness=unit.randomness(),
    )


def _file_sink_at(unit: EraseContainer) -> FileSinkAt:
    return adapters.file_sink_at(clock=unit.clock, stage="data_erase")


def _erase(unit: EraseContainer) -> DataErase:
    from gprov.apps.erase.flow import DataErase

    # The log of an erase has a name of its own.
    ports = replace(unit.erase_ports(), flow=replace(unit.flow_ports(), file_sink_at=unit.erase_file_sink_at()))
    return DataErase(ports, unit.context(), unit.erase_request())


class EraseContainer(UnitContainer):
    """``erase`` makes the use case; its modules are imported only then."""

    erase_request = factory(_request)
    erase_file_sink_at = factory(_file_sink_at, itself)
    erase_ports = factory(_ports, itself)
    erase = factory(_erase, itself)
