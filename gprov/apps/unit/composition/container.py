"""What the composition roots of all apps on a unit share: each port with its Linux adapter, made when first asked for.

Tests and adopters put other adapters into a container's instance with ``set_value``, ``override`` and ``wrap`` of
gprov.apps.unit.composition.wiring; no other module depends on which adapter is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import adapters
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
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
from gprov.domain.mountpoints import MountPoints

if TYPE_CHECKING:  # each import is time on every boot
    from gprov.apps.unit.composition.flow_ports import FlowPorts, SinkFor
    from gprov.apps.unit.execution.destructive_ports import DestructivePorts
    from gprov.apps.unit.execution.executor import Executor, PlanPorts
    from gprov.domain.platform.model import Platform


def _platforms() -> tuple[Platform, ...]:
    from gprov.domain.platform.default_table import default_table

    return default_table()


def _plan_ports() -> type[PlanPorts]:
    from gprov.apps.unit.execution.executor import PlanPorts

    return PlanPorts


def _destructive_ports() -> type[DestructivePorts]:
    from gprov.apps.unit.execution.destructive_ports import DestructivePorts

    return DestructivePorts


def _executor() -> type[Executor]:
    from gprov.apps.unit.execution.executor import Executor

    return Executor


def _flow_ports() -> type[FlowPorts]:
    from gprov.apps.unit.composition.flow_ports import FlowPorts

    return FlowPorts


class UnitContainer(Container):
    """A provider has the type of its port, the return type of its function in adapters.py."""

    arguments = value(BootArguments())
    branding = value(Branding())
    mount_points = singleton(MountPoints.named, inject(branding))
    platforms = singleton(_platforms)

    clock = singleton(adapters.clock)
    randomness = singleton(adapters.randomness)
    background = singleton(adapters.background)
    bus = singleton(EventBus, inject(clock))
    context = factory(
        UnitContext,
        branding=inject(branding),
        mount_points=inject(mount_points),
        arguments=inject(arguments),
        bus=inject(bus),
        load_platforms=deferred(platforms),
    )
    processes = singleton(adapters.processes)
    power = singleton(adapters.power)
    shell_power = singleton(adapters.shell_power)
    operator = singleton(adapters.operator, clock=inject(clock))

    blocks = singleton(adapters.blocks)
    mounts = singleton(adapters.mounts)
    files = singleton(adapters.files, mount_points=inject(mount_points))
    filesystems = singleton(adapters.filesystems, processes=inject(processes))
    arrays = singleton(adapters.arrays, processes=inject(processes))
    # One object with both ports: what it decoded while it verified an image, it need not decode again to unpack it.
    image_archives = singleton(adapters.image_archives, processes=inject(processes), branding=inject(branding))
    archives = factory(adapters.archives, image_archives=inject(image_archives))

    partitioner = singleton(adapters.partitioner, blocks=inject(blocks), clock=inject(clock))
    filesystem_maker = singleton(adapters.filesystem_maker, processes=inject(processes))
    array_writer = singleton(adapters.array_writer, processes=inject(processes))
    image_unpacker = factory(adapters.image_unpacker, image_archives=inject(image_archives))
    variable_writer = singleton(adapters.variable_writer)

    firmware = singleton(adapters.firmware)
    smbios = singleton(adapters.smbios)
    inventory = singleton(adapters.inventory)
    hasher = singleton(adapters.hasher)

    http = singleton(adapters.http, clock=inject(clock))
    network = singleton(adapters.network, processes=inject(processes), clock=inject(clock))
    # The factory's ports; each takes the URL of the server. Of gprov's own server, all are one client: one session.
    factory_clients = singleton(adapters.factory_clients, http=deferred(http), clock=deferred(clock))
    telemetry_at = factory(adapters.telemetry_at, clients=deferred(factory_clients))
    time_source_at = factory(adapters.time_source_at, clients=deferred(factory_clients))
    document_store_at = factory(adapters.document_store_at, clients=deferred(factory_clients))
    credential_store_at = factory(adapters.credential_store_at, clients=deferred(factory_clients))
    sink_for: Declaration[SinkFor] = value(adapters.server_sink)
    console_sink = factory(adapters.console_sink, arguments=inject(arguments))
    kmsg_sink = factory(adapters.kmsg_sink)
    milestone_sink = factory(adapters.milestone_sink)
    file_sink_at = factory(adapters.file_sink_at, clock=deferred(clock), stage="recov")

    volume_ports = factory(
        VolumePorts,
        blocks=inject(blocks),
        mounts=inject(mounts),
        files=inject(files),
        filesystems=inject(filesystems),
        firmware=inject(firmware),
        clock=inject(clock),
        arrays=deferred(arrays),
    )
    plan_ports = lazy_factory(
        _plan_ports,
        blocks=inject(blocks),
        mounts=inject(mounts),
        files=inject(files),
        filesystems=inject(filesystems),
        firmware=inject(firmware),
        clock=inject(clock),
        arrays=deferred(arrays),
        http=inject(http),
    )
    destructive_ports = lazy_factory(
        _destructive_ports,
        partitioner=inject(partitioner),
        filesystem_maker=inject(filesystem_maker),
        array_writer=inject(array_writer),
        image_unpacker=inject(image_unpacker),
        variable_writer=inject(variable_writer),
    )
    executor = lazy_factory(_executor, inject(plan_ports), inject(destructive_ports), inject(bus))
    flow_ports = lazy_factory(
        _flow_ports,
        volumes=inject(volume_ports),
        executor=inject(executor),
        smbios=inject(smbios),
        network=inject(network),
        background=inject(background),
        telemetry_at=inject(telemetry_at),
        sink_for=inject(sink_for),
        file_sink_at=inject(file_sink_at),
    )
