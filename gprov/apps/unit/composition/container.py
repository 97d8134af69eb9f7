"""What the composition roots of all apps on a unit share: each port with its Linux adapter, made when first asked for.

Tests and adopters put other adapters into a container's instance with ``set_value``, ``override`` and ``wrap`` of
gprov.apps.unit.composition.wiring; nothing else needs to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.wiring import (
    Container,
    Declaration,
    deferred,
    factory,
    inject,
    lazy_factory,
    singleton,
    value,
)
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.branding import Branding
from gprov.domain.mountpoints import Places

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.unit.execution.executor import Tools
    from gprov.apps.unit.network.remote_log import RemotePorts, SinkFor
    from gprov.apps.unit.recovery.volume import RecoveryPorts
    from gprov.domain.platform.model import Platform


def _platforms() -> tuple[Platform, ...]:
    from gprov.domain.platform.default_table import default_table

    return default_table()


def _recovery_ports() -> type[RecoveryPorts]:
    from gprov.apps.unit.recovery.volume import RecoveryPorts

    return RecoveryPorts


def _remote_ports() -> type[RemotePorts]:
    from gprov.apps.unit.network.remote_log import RemotePorts

    return RemotePorts


def _tools() -> type[Tools]:
    from gprov.apps.unit.execution.executor import Tools

    return Tools


class UnitContainer(Container):
    """A provider has the type of its port, the return type of its function in adapters.py."""

    arguments = value(BootArguments())
    branding = value(Branding())
    places = singleton(Places.named, inject(branding))
    platforms = singleton(_platforms)

    clock = singleton(adapters.clock)
    randomness = singleton(adapters.randomness)
    background = singleton(adapters.background)
    bus = singleton(EventBus, inject(clock))
    processes = singleton(adapters.processes)
    power = singleton(adapters.power)
    shell_power = singleton(adapters.shell_power)
    operator = singleton(adapters.operator)

    blocks = singleton(adapters.blocks)
    mounts = singleton(adapters.mounts)
    files = singleton(adapters.files, places=inject(places))
    filesystems = singleton(adapters.filesystems, processes=inject(processes))
    partitioner = singleton(adapters.partitioner, blocks=inject(blocks), clock=inject(clock))
    arrays = singleton(adapters.arrays, processes=inject(processes))
    archives = singleton(adapters.archives, processes=inject(processes), branding=inject(branding))

    firmware = singleton(adapters.firmware)
    smbios = singleton(adapters.smbios)
    inventory = singleton(adapters.inventory)
    hasher = singleton(adapters.hasher)

    http = singleton(adapters.http, clock=inject(clock))
    network = singleton(adapters.network, processes=inject(processes), clock=inject(clock))
    factory_at = factory(adapters.factory_at, http=deferred(http))
    sink_for: Declaration[SinkFor] = value(adapters.server_sink)
    console_sink = factory(adapters.console_sink, arguments=inject(arguments))
    kmsg_sink = factory(adapters.kmsg_sink)
    milestone_sink = factory(adapters.milestone_sink)
    file_sink_at = factory(adapters.file_sink_at, clock=deferred(clock), stage="recov")

    recovery_ports = lazy_factory(
        _recovery_ports,
        blocks=inject(blocks),
        filesystems=inject(filesystems),
        mounts=inject(mounts),
        files=inject(files),
        clock=inject(clock),
        firmware=inject(firmware),
    )
    remote_ports = lazy_factory(
        _remote_ports,
        network=inject(network),
        clock=inject(clock),
        background=inject(background),
        factory_at=inject(factory_at),
        sink_for=inject(sink_for),
    )
    tools = lazy_factory(
        _tools,
        blocks=inject(blocks),
        partitioner=inject(partitioner),
        arrays=inject(arrays),
        filesystems=inject(filesystems),
        mounts=inject(mounts),
        files=inject(files),
        archives=inject(archives),
        firmware=inject(firmware),
        http=inject(http),
        clock=inject(clock),
    )
