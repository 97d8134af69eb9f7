"""Composition root of the agent, without dependency_injector: the program is one file in an image, which has Python and
libcrypto, and no further packages."""

from __future__ import annotations

import os

from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.domain.boot.args import BootArguments
from gprov.domain.branding import Branding
from gprov.domain.mountpoints import MountPoints
from gprov.domain.update.config import UpdateConfig
from gprov.ports.archive import Archives
from gprov.ports.clock import Clock
from gprov.ports.signatures import SignatureVerifier
from gprov.ports.update import Restart, UpdateServer

# Bytes of an unsigned image that its verification may keep in memory.
_MEMORY = 16 << 20


def clock() -> Clock:
    from gprov.adapters.linux.system.clock import SystemClock

    return SystemClock()


def context(paths: UpdatePaths, bus: EventBus) -> UnitContext:
    """What code that it shares with a restore takes."""
    return UnitContext(
        branding=paths.branding,
        mount_points=MountPoints(recovery=paths.recovery),
        arguments=BootArguments(),
        bus=bus,
        load_platforms=lambda: (),
    )


def linux_ports(paths: UpdatePaths, bus: EventBus) -> UpdatePorts:
    """``paths``: below another folder than /, nothing has to be mounted, and the restart is only reported."""
    from gprov.adapters.linux.files.files import LinuxFiles
    from gprov.adapters.linux.update.part_file import LinuxPartFiles
    from gprov.adapters.linux.update.system import SystemLocalTime, is_mount_point

    restart: Restart = _ReportedRestart(bus) if paths.system else _restart()
    return UpdatePorts(
        files=LinuxFiles((paths.recovery,)),
        parts=LinuxPartFiles(),
        clock=clock(),
        local_time=SystemLocalTime(),
        restart=restart,
        server_for=_server_for,
        archives=lambda: _archives(paths.branding),
        verifier=_verifier,
        is_mounted=os.path.isdir if paths.system else is_mount_point,
    )


def _restart() -> Restart:
    from gprov.adapters.linux.system.process import SystemProcesses
    from gprov.adapters.linux.update.system import SystemctlRestart

    return SystemctlRestart(SystemProcesses())


def _server_for(config: UpdateConfig) -> UpdateServer:
    from gprov.adapters.linux.update.http import ServerCertificate, StdUpdateServer

    return StdUpdateServer(ServerCertificate(ca_file=config.ca_file, pinned=config.server_sha256))


def _archives(branding: Branding) -> Archives:
    from gprov.adapters.linux.archive import XzTarArchives
    from gprov.adapters.linux.system.process import SystemProcesses

    return XzTarArchives(SystemProcesses(), memory_budget=_MEMORY, workers=1, branding=branding)


def _verifier() -> SignatureVerifier:
    from gprov.adapters.linux.system.libcrypto import LibcryptoVerifier

    return LibcryptoVerifier()


class _ReportedRestart:
    """Of a folder that stands for a unit."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def restart(self) -> None:
        self._bus.message("restart requested")
