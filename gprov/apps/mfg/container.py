"""Composition root of provisioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import factory, itself

if TYPE_CHECKING:  # the container may be imported by a program that does not provision
    from collections.abc import Callable

    from gprov.apps.mfg.flow import Provisioning
    from gprov.apps.mfg.hardware_tool import HardwarePorts
    from gprov.apps.mfg.ports import MfgPorts
    from gprov.ports.events import EventSink


def _file_sink_at(unit: MfgContainer) -> Callable[[str], EventSink]:
    return adapters.file_sink_at(clock=unit.clock, stage="provision")


def _mfg_ports(unit: MfgContainer) -> MfgPorts:
    from gprov.apps.mfg.ports import MfgPorts
    from gprov.apps.unit.devices.bmc_versions import BmcVersions

    return MfgPorts(
        volumes=unit.volume_ports(),
        executor=unit.executor(),
        smbios=unit.smbios(),
        network=unit.network(),
        background=unit.background(),
        telemetry_at=unit.telemetry_at(),
        time_source_at=unit.time_source_at(),
        document_store_at=unit.document_store_at(),
        credential_store_at=unit.credential_store_at(),
        sink_for=unit.sink_for(),
        file_sink_at=unit.file_sink_at(),
        archives=unit.archives(),
        bmc=unit.bmc(),
        bmc_versions=BmcVersions(unit.bmc(), unit.clock(), unit.bus().warning),
        http=unit.http(),
        inventory=unit.inventory(),
        processes=unit.processes(),
        hasher=unit.hasher(),
        randomness=unit.randomness(),
    )


def _hardware_ports(unit: MfgContainer) -> HardwarePorts:
    from gprov.apps.mfg.hardware_tool import HardwarePorts

    return HardwarePorts(inventory=unit.inventory(), blocks=unit.blocks(), network=unit.network(), smbios=unit.smbios())


def _provisioning(unit: MfgContainer) -> Provisioning:
    from gprov.apps.mfg.flow import Provisioning

    return Provisioning(unit.mfg_ports(), unit.context())


class MfgContainer(UnitContainer):
    """``provisioning`` makes the use case; ``hardware_ports`` are those of ``gprov-hardware``."""

    file_sink_at = factory(_file_sink_at, itself)
    mfg_ports = factory(_mfg_ports, itself)
    hardware_ports = factory(_hardware_ports, itself)
    provisioning = factory(_provisioning, itself)
