"""Composition root of init: a normal boot, and the restore that it may end in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.init.flow import Boot
from gprov.apps.init.ports import BootFailures, InitPorts, Survey
from gprov.apps.restore.container import RestoreContainer
from gprov.apps.unit.composition.wiring import Declaration, deferred, factory, inject, lazy_factory

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.init.boot_failures import BootFailureRecorder
    from gprov.apps.init.survey import Surveyor


def _survey() -> type[Surveyor]:
    from gprov.apps.init.survey import Surveyor

    return Surveyor


def _boot_failures() -> type[BootFailureRecorder]:
    from gprov.apps.init.boot_failures import BootFailureRecorder

    return BootFailureRecorder


class InitContainer(RestoreContainer):
    """``boot`` makes the use case: one boot of the normal kernel."""

    survey: Declaration[Survey] = lazy_factory(
        _survey,
        inject(RestoreContainer.volume_ports),
        inject(RestoreContainer.smbios),
        inject(RestoreContainer.context),
    )
    boot_failures: Declaration[BootFailures] = lazy_factory(
        _boot_failures, inject(RestoreContainer.flow_ports), inject(RestoreContainer.context)
    )
    init_ports = factory(
        InitPorts,
        volumes=inject(RestoreContainer.volume_ports),
        operator=inject(RestoreContainer.operator),
        power=inject(RestoreContainer.power),
        restore=deferred(RestoreContainer.restore),
        survey=deferred(survey),
        boot_failures=deferred(boot_failures),
    )
    boot = factory(Boot, inject(init_ports), inject(RestoreContainer.context))
