"""Composition root of provisioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import factory, itself, singleton, value

if TYPE_CHECKING:  # the container may be imported by a program that does not provision
    from collections.abc import Callable

    from gprov.apps.mfg.flow import Provisioning
    from gprov.apps.mfg.hardware_tool import HardwarePorts
    from gprov.apps.mfg.ports import MfgPorts
    from gprov.domain.mfg.qa.template import QaTemplate
    from gprov.ports.events import EventSink


def _file_sink_at(unit: MfgContainer) -> Callable[[str], EventSink]:
    return adapters.file_sink_at(clock=unit.clock, stage="provision")


def _qa_template(unit: MfgContainer) -> QaTemplate:
    """Raises BadInput, DeviceFault."""
    from gprov.domain.mfg.qa.page import standard_template
    from gprov.domain.mfg.qa.template import parse_template

    files, path = unit.files(), unit.qa_template_file()
    return standard_template() if files.status(path) is None else parse_template(path, files.read(path))


def _mfg_ports(unit: MfgContainer) -> MfgPorts:
    from gprov.apps.mfg.ports import MfgPorts
    from gprov.apps.unit.devices.bmc_versions import BmcVersions

    return MfgPorts(
        volumes=unit.volume_ports(),
        executor=unit.executor(),
        smbios=unit.smbios(),
        network=unit.network(),
        trust=unit.trust_ports(),
        image_trust=unit.image_trust_ports(),
        background=unit.background(),
        telemetry_at=unit.telemetry_at(),
        session_access_at=unit.session_access_at(),
        time_source_at=unit.time_source_at(),
        document_store_at=unit.document_store_at(),
        credential_store_at=unit.credential_store_at(),
        run_history_at=unit.run_history_at(),
        sink_for=unit.sink_for(),
        file_sink_at=unit.file_sink_at(),
        archives=unit.archives(),
        bmc=unit.bmc(),
        bmc_versions=BmcVersions(unit.bmc(), unit.clock(), unit.bus().warning),
        http=unit.http(),
        inventory=unit.inventory(),
        processes=unit.processes(),
        config_tools=unit.config_tools(),
        hasher=unit.hasher(),
        randomness=unit.randomness(),
        burn_in_runner=unit.burn_in_runner,
        qa_template=unit.qa_template,
    )


def _hardware_ports(unit: MfgContainer) -> HardwarePorts:
    from gprov.apps.mfg.hardware_tool import HardwarePorts
    from gprov.apps.unit.devices.bmc_versions import BmcVersions

    return HardwarePorts(
        inventory=unit.inventory(),
        blocks=unit.blocks(),
        network=unit.network(),
        smbios=unit.smbios(),
        bmc_versions=lambda warn: BmcVersions(unit.bmc(), unit.clock(), warn)(),
    )


def _provisioning(unit: MfgContainer) -> Provisioning:
    from gprov.apps.mfg.flow import Provisioning

    return Provisioning(unit.mfg_ports(), unit.context())


class MfgContainer(UnitContainer):
    """``provisioning`` makes the use case; ``hardware_ports`` are those of ``gprov-hardware``. ``qa_template_file``: an
    adopter's template of the QA document; without such a file the standard one is used."""

    file_sink_at = factory(_file_sink_at, itself)
    qa_template_file = value("/etc/gprov/qa-document.htm")
    qa_template = singleton(_qa_template, itself)
    mfg_ports = factory(_mfg_ports, itself)
    hardware_ports = factory(_hardware_ports, itself)
    provisioning = factory(_provisioning, itself)
