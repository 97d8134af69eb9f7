"""Composition root of init: a normal boot, and the restore or erase that it may end in."""

from __future__ import annotations

from gprov.apps.erase.container import EraseContainer
from gprov.apps.init.flow import Boot
from gprov.apps.init.ports import BootFailures, InitPorts, Survey
from gprov.apps.restore.container import RestoreContainer
from gprov.apps.unit.composition.wiring import factory, itself


def _survey(unit: InitContainer) -> Survey:
    from gprov.apps.init.survey import Surveyor

    return Surveyor(unit.volume_ports(), unit.smbios(), unit.context())


def _boot_failures(unit: InitContainer) -> BootFailures:
    from gprov.apps.init.boot_failures import BootFailureRecorder

    return BootFailureRecorder(unit.flow_ports(), unit.context())


def _init_ports(unit: InitContainer) -> InitPorts:
    return InitPorts(
        volumes=unit.volume_ports(),
        operator=unit.operator(),
        power=unit.power(),
        restore=unit.restore,
        erase=unit.erase,
        survey=unit.survey,
        boot_failures=unit.boot_failures,
        media_search=unit.media_search,
    )


def _boot(unit: InitContainer) -> Boot:
    return Boot(unit.init_ports(), unit.context())


class InitContainer(RestoreContainer, EraseContainer):
    """``boot`` makes the use case: one boot of the normal kernel."""

    survey = factory(_survey, itself)
    boot_failures = factory(_boot_failures, itself)
    init_ports = factory(_init_ports, itself)
    boot = factory(_boot, itself)
