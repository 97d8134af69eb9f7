"""Composition root of init: a normal boot, and the restore that it may end in."""

from __future__ import annotations

from dependency_injector import providers

from gprov.apps.init.flow import Boot
from gprov.apps.init.ports import InitPorts, SearchPorts
from gprov.apps.restore.container import RestoreContainer
from gprov.apps.unit.composition.wiring import lazy


class InitContainer(RestoreContainer):
    """``boot`` makes the use case of one start of the normal kernel."""

    search_ports = providers.Factory(
        SearchPorts,
        RestoreContainer.blocks,
        RestoreContainer.mounts,
        RestoreContainer.files,
        RestoreContainer.arrays.provider,
    )
    survey = providers.Factory(
        lazy("gprov.apps.init.survey:Surveyor"),
        RestoreContainer.recovery_ports,
        RestoreContainer.arrays.provider,
        RestoreContainer.smbios,
        RestoreContainer.platforms,
        RestoreContainer.arguments,
        RestoreContainer.branding,
        RestoreContainer.places,
        RestoreContainer.bus,
    )
    standstill = providers.Factory(
        lazy("gprov.apps.init.standstill:Standstill"),
        RestoreContainer.recovery_ports,
        RestoreContainer.tools,
        RestoreContainer.remote_ports,
        RestoreContainer.smbios,
        RestoreContainer.file_sink_at.provider,
        RestoreContainer.platforms,
        RestoreContainer.arguments,
        RestoreContainer.branding,
        RestoreContainer.places,
        RestoreContainer.bus,
    )
    init_ports = providers.Factory(
        InitPorts,
        search=search_ports,
        filesystems=RestoreContainer.filesystems,
        firmware=RestoreContainer.firmware,
        operator=RestoreContainer.operator,
        power=RestoreContainer.power,
        clock=RestoreContainer.clock,
        restore=RestoreContainer.restore.provider,
        survey=survey.provider,
        in_vain=standstill.provider,
    )
    boot = providers.Factory(
        Boot,
        init_ports,
        RestoreContainer.bus,
        RestoreContainer.branding,
        RestoreContainer.places,
        RestoreContainer.arguments,
    )
