"""Composition root of provisioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import deferred, factory, inject, lazy_factory

if TYPE_CHECKING:  # the container may be imported by a program that does not provision
    from gprov.apps.mfg.flow import Provisioning
    from gprov.apps.mfg.ports import MfgPorts


def _mfg_ports() -> type[MfgPorts]:
    from gprov.apps.mfg.ports import MfgPorts

    return MfgPorts


def _provisioning() -> type[Provisioning]:
    from gprov.apps.mfg.flow import Provisioning

    return Provisioning


class MfgContainer(UnitContainer):
    """``provisioning`` makes the use case."""

    file_sink_at = factory(adapters.file_sink_at, clock=deferred(UnitContainer.clock), stage="mfg")
    mfg_ports = lazy_factory(
        _mfg_ports,
        volumes=inject(UnitContainer.volume_ports),
        executor=inject(UnitContainer.executor),
        smbios=inject(UnitContainer.smbios),
        network=inject(UnitContainer.network),
        background=inject(UnitContainer.background),
        telemetry_at=inject(UnitContainer.telemetry_at),
        time_source_at=inject(UnitContainer.time_source_at),
        document_store_at=inject(UnitContainer.document_store_at),
        credential_store_at=inject(UnitContainer.credential_store_at),
        sink_for=inject(UnitContainer.sink_for),
        file_sink_at=inject(file_sink_at),
        archives=inject(UnitContainer.archives),
        http=inject(UnitContainer.http),
        inventory=inject(UnitContainer.inventory),
        processes=inject(UnitContainer.processes),
        hasher=inject(UnitContainer.hasher),
    )
    provisioning = lazy_factory(_provisioning, inject(mfg_ports), inject(UnitContainer.context))
