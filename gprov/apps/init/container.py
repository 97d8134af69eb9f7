"""Composition root of init: a normal boot, and the restore that it may end in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.init.flow import Boot
from gprov.apps.init.ports import InitPorts, StartsInVain, Survey
from gprov.apps.init.search import SearchPorts
from gprov.apps.restore.container import RestoreContainer
from gprov.apps.unit.composition.wiring import Declaration, deferred, factory, inject, lazy_factory

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.init.standstill import Standstill, StandstillPorts
    from gprov.apps.init.survey import Surveyor, SurveyPorts


def _survey_ports() -> type[SurveyPorts]:
    from gprov.apps.init.survey import SurveyPorts

    return SurveyPorts


def _survey() -> type[Surveyor]:
    from gprov.apps.init.survey import Surveyor

    return Surveyor


def _standstill_ports() -> type[StandstillPorts]:
    from gprov.apps.init.standstill import StandstillPorts

    return StandstillPorts


def _standstill() -> type[Standstill]:
    from gprov.apps.init.standstill import Standstill

    return Standstill


class InitContainer(RestoreContainer):
    """``boot`` makes the use case of one start of the normal kernel."""

    search_ports = factory(
        SearchPorts,
        blocks=inject(RestoreContainer.blocks),
        mounts=inject(RestoreContainer.mounts),
        files=inject(RestoreContainer.files),
        arrays=deferred(RestoreContainer.arrays),
    )
    survey_ports = lazy_factory(
        _survey_ports,
        recovery=inject(RestoreContainer.recovery_ports),
        arrays=deferred(RestoreContainer.arrays),
        smbios=inject(RestoreContainer.smbios),
    )
    survey: Declaration[Survey] = lazy_factory(
        _survey,
        inject(survey_ports),
        bus=inject(RestoreContainer.bus),
        branding=inject(RestoreContainer.branding),
        platforms=inject(RestoreContainer.platforms),
        places=inject(RestoreContainer.places),
        arguments=inject(RestoreContainer.arguments),
    )
    standstill_ports = lazy_factory(
        _standstill_ports,
        tools=inject(RestoreContainer.tools),
        recovery=inject(RestoreContainer.recovery_ports),
        remote=inject(RestoreContainer.remote_ports),
        smbios=inject(RestoreContainer.smbios),
        file_sink_at=inject(RestoreContainer.file_sink_at),
    )
    standstill: Declaration[StartsInVain] = lazy_factory(
        _standstill,
        inject(standstill_ports),
        bus=inject(RestoreContainer.bus),
        branding=inject(RestoreContainer.branding),
        platforms=inject(RestoreContainer.platforms),
        places=inject(RestoreContainer.places),
        arguments=inject(RestoreContainer.arguments),
    )
    init_ports = factory(
        InitPorts,
        search=inject(search_ports),
        filesystems=inject(RestoreContainer.filesystems),
        firmware=inject(RestoreContainer.firmware),
        operator=inject(RestoreContainer.operator),
        power=inject(RestoreContainer.power),
        clock=inject(RestoreContainer.clock),
        restore=deferred(RestoreContainer.restore),
        survey=deferred(survey),
        in_vain=deferred(standstill),
    )
    boot = factory(
        Boot,
        inject(init_ports),
        bus=inject(RestoreContainer.bus),
        branding=inject(RestoreContainer.branding),
        places=inject(RestoreContainer.places),
        arguments=inject(RestoreContainer.arguments),
    )
