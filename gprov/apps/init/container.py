"""Composition root of init: a normal boot, and the restore or erase that it may end in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gprov.apps.erase.container import EraseContainer
from gprov.apps.init.flow import Boot
from gprov.apps.init.ports import BootFailures, ConfirmedSystem, FindRoot, InitPorts, ShellFlow, Survey
from gprov.apps.restore.container import RestoreContainer
from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.wiring import Container, Declaration, factory, itself, value

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.unit.composition.flow_ports import FileSinkAt
    from gprov.ports.file_system_keys import FileSystemKeys
    from gprov.ports.start_display import StartDisplay


def _survey(unit: InitContainer) -> Survey:
    from gprov.apps.init.survey import Surveyor

    return Surveyor(unit.volume_ports(), unit.smbios(), unit.context())


def _boot_failures(unit: InitContainer) -> BootFailures:
    from gprov.apps.init.boot_failures import BootFailureRecorder

    return BootFailureRecorder(unit.flow_ports(), unit.context())


def _confirmed_system(unit: InitContainer) -> ConfirmedSystem:
    from gprov.apps.init import confirmed_system

    return confirmed_system.ConfirmedSystem(unit.flow_ports(), unit.context())


def _shell_file_sink_at(unit: InitContainer) -> FileSinkAt:
    return adapters.file_sink_at(clock=unit.clock, stage="shell")


def _shell_at(unit: InitContainer) -> Callable[[FindRoot], ShellFlow]:
    """Makes the recovery shell of a boot."""

    def shell(find_root: FindRoot) -> ShellFlow:
        from gprov.apps.init.recovery_shell import RecoveryShell, ShellPorts

        ports = ShellPorts(
            flow=replace(unit.flow_ports(), file_sink_at=unit.shell_file_sink_at()),
            operator=unit.operator(),
            hasher=unit.hasher(),
            shell=unit.console_shell(),
            end_unsealing=unit.end_unsealing(),
        )
        return RecoveryShell(ports, unit.context(), find_root)

    return shell


def _start_display(unit: InitContainer) -> StartDisplay:
    return adapters.start_display(
        clock=unit.clock(),
        background=unit.background(),
        arguments=unit.arguments(),
        new_root=unit.mount_points().root,
    )


def _init_ports(unit: InitContainer) -> InitPorts:
    return InitPorts(
        volumes=unit.volume_ports(),
        operator=unit.operator(),
        attention=unit.attention,
        start_display=unit.start_display,
        power=unit.power(),
        restore=unit.restore,
        erase=unit.erase,
        shell=unit.shell_at(),
        survey=unit.survey,
        boot_failures=unit.boot_failures,
        confirmed_system=unit.confirmed_system,
        media_search=unit.media_search,
        end_unsealing=unit.end_unsealing(),
        ratchets=unit.more_ratchets,
        file_system_keys=unit.file_system_keys,
    )


def _boot(unit: InitContainer) -> Boot:
    return Boot(unit.init_ports(), unit.context())


class InitContainer(RestoreContainer, EraseContainer):
    """``boot`` makes the use case: one boot of the normal kernel."""

    file_system_keys: Declaration[Container, FileSystemKeys | None] = value(None)
    survey = factory(_survey, itself)
    boot_failures = factory(_boot_failures, itself)
    confirmed_system = factory(_confirmed_system, itself)
    shell_file_sink_at = factory(_shell_file_sink_at, itself)
    shell_at = factory(_shell_at, itself)
    start_display = factory(_start_display, itself)
    init_ports = factory(_init_ports, itself)
    boot = factory(_boot, itself)
