"""Each port of a unit's programs with its Linux adapter, made at the first call.

Tests and adopters replace adapters in a container's instance or class with ``set_value``, ``override`` and ``wrap`` of
gprov.apps.unit.composition.wiring; no other module depends on which adapter is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.unit.composition import (
    adapters,
    burnin_adapters,
    drive_adapters,
    firmware_adapters,
    network_adapters,
)
from gprov.apps.unit.composition.wiring import Container, Declaration, factory, itself, singleton, value
from gprov.domain.boot.args import BootArguments
from gprov.domain.branding import Branding
from gprov.domain.mountpoints import MountPoints

if TYPE_CHECKING:  # each import is time on every boot
    from collections.abc import Callable

    from gprov.adapters.linux.net.factory import HttpFactory
    from gprov.adapters.linux.net.server_trust import HttpTrust
    from gprov.apps.unit.composition.flow_ports import SinkFor
    from gprov.ports.archive import Archives
    from gprov.ports.arrays import Arrays
    from gprov.ports.attention import Attention
    from gprov.ports.bmc import Bmc
    from gprov.ports.burnin import Loads
    from gprov.ports.config_tool import ConfigTools
    from gprov.ports.destructive.array_writer import ArrayWriter
    from gprov.ports.destructive.disk_writer import DiskWriter
    from gprov.ports.destructive.filesystem_maker import FileSystemMaker
    from gprov.ports.destructive.image_unpacker import ImageUnpacker
    from gprov.ports.destructive.partitioner import Partitioner
    from gprov.ports.destructive.write_loads import WriteLoads
    from gprov.ports.drives import DiskReader
    from gprov.ports.events import EventSink
    from gprov.ports.factory import (
        CredentialStore,
        DocumentStore,
        ErasureRegistry,
        RunHistory,
        SessionAccess,
        Telemetry,
        TimeSource,
    )
    from gprov.ports.files import Files
    from gprov.ports.filesystem import FileSystems
    from gprov.ports.media import MediaSearch
    from gprov.ports.network import Http, Network, TrustStore
    from gprov.ports.shell import ConsoleShell


def _mount_points(unit: PortContainer) -> MountPoints:
    return MountPoints.named(unit.branding())


def _bmc(unit: PortContainer) -> Bmc:
    return adapters.bmc(clock=unit.clock())


def _attention(unit: PortContainer) -> Attention:
    return adapters.attention(background=unit.background(), bmc=unit.bmc())


def _console_shell(unit: PortContainer) -> ConsoleShell:
    return adapters.console_shell(clock=unit.clock(), mounts=unit.mounts())


def _files(unit: PortContainer) -> Files:
    return adapters.files(mount_points=unit.mount_points())


def _media_search(unit: PortContainer) -> MediaSearch:
    return adapters.media_search(mount_points=unit.mount_points())


def _filesystems(unit: PortContainer) -> FileSystems:
    return adapters.filesystems(processes=unit.processes())


def _filesystem_maker(unit: PortContainer) -> FileSystemMaker:
    return adapters.filesystem_maker(processes=unit.processes())


def _arrays(unit: PortContainer) -> Arrays:
    return adapters.arrays(processes=unit.processes())


def _array_writer(unit: PortContainer) -> ArrayWriter:
    return adapters.array_writer(processes=unit.processes())


def _partitioner(unit: PortContainer) -> Partitioner:
    return adapters.partitioner(blocks=unit.blocks(), clock=unit.clock())


def _disk_writer(unit: PortContainer) -> DiskWriter:
    return drive_adapters.disk_writer(blocks=unit.blocks(), clock=unit.clock())


def _disk_reader(unit: PortContainer) -> DiskReader:
    return drive_adapters.disk_reader(blocks=unit.blocks(), clock=unit.clock())


def _loads(unit: PortContainer) -> Loads:
    return burnin_adapters.loads(processes=unit.processes())


def _write_loads(unit: PortContainer) -> WriteLoads:
    return burnin_adapters.write_loads(processes=unit.processes())


def _image_archives(unit: PortContainer) -> adapters.ImageArchives:
    return adapters.image_archives(processes=unit.processes(), branding=unit.branding())


def _archives(unit: PortContainer) -> Archives:
    return unit.image_archives()


def _image_unpacker(unit: PortContainer) -> ImageUnpacker:
    return unit.image_archives()


def _config_tools(unit: PortContainer) -> ConfigTools:
    return firmware_adapters.config_tools(processes=unit.processes(), arguments=unit.arguments())


def _http(unit: PortContainer) -> Http:
    return network_adapters.http(clock=unit.clock(), trust=unit.http_trust())


def _trust_store(unit: PortContainer) -> TrustStore:
    return unit.http_trust()


def _network(unit: PortContainer) -> Network:
    return network_adapters.network(processes=unit.processes(), clock=unit.clock(), background=unit.background())


def _factory_clients(unit: PortContainer) -> Callable[[str], HttpFactory]:
    return network_adapters.factory_clients(http=unit.http(), clock=unit.clock())


def _telemetry_at(unit: PortContainer) -> Callable[[str], Telemetry]:
    return network_adapters.client_at(unit.factory_clients)


def _session_access_at(unit: PortContainer) -> Callable[[str], SessionAccess]:
    return network_adapters.client_at(unit.factory_clients)


def _time_source_at(unit: PortContainer) -> Callable[[str], TimeSource]:
    return network_adapters.client_at(unit.factory_clients)


def _document_store_at(unit: PortContainer) -> Callable[[str], DocumentStore]:
    return network_adapters.client_at(unit.factory_clients)


def _credential_store_at(unit: PortContainer) -> Callable[[str], CredentialStore]:
    return network_adapters.client_at(unit.factory_clients)


def _run_history_at(unit: PortContainer) -> Callable[[str], RunHistory]:
    return network_adapters.client_at(unit.factory_clients)


def _erasure_registry_at(unit: PortContainer) -> Callable[[str], ErasureRegistry]:
    return network_adapters.client_at(unit.factory_clients)


def _console_sink(unit: PortContainer) -> EventSink:
    return adapters.console_sink(log=unit.console_log(), arguments=unit.arguments())


def _file_sink_at(unit: PortContainer) -> Callable[[str], EventSink]:
    return adapters.file_sink_at(clock=unit.clock, stage="recov")


class PortContainer(Container):
    """A provider has the type of its port: the return type of the function that makes the adapter."""

    arguments = value(BootArguments())
    branding = value(Branding())
    mount_points = singleton(_mount_points, itself)

    clock = singleton(adapters.clock)
    randomness = singleton(adapters.randomness)
    background = singleton(adapters.background)
    processes = singleton(adapters.processes)
    power = singleton(adapters.power)
    console_log = singleton(adapters.console_log)
    bmc = singleton(_bmc, itself)
    attention = singleton(_attention, itself)
    console_shell = singleton(_console_shell, itself)

    blocks = singleton(adapters.blocks)
    mounts = singleton(adapters.mounts)
    files = singleton(_files, itself)
    media_search = singleton(_media_search, itself)
    filesystems = singleton(_filesystems, itself)
    arrays = singleton(_arrays, itself)
    # One object with both ports: what it decoded while it verified an image, it need not decode again to unpack it.
    image_archives = singleton(_image_archives, itself)
    archives = factory(_archives, itself)

    partitioner = singleton(_partitioner, itself)
    filesystem_maker = singleton(_filesystem_maker, itself)
    array_writer = singleton(_array_writer, itself)
    image_unpacker = factory(_image_unpacker, itself)
    variable_writer = singleton(firmware_adapters.variable_writer)
    tpm = singleton(firmware_adapters.tpm)
    has_tpm = factory(firmware_adapters.has_tpm)

    drive_queries = singleton(drive_adapters.drive_queries)
    unready_drives = singleton(drive_adapters.unready_drives)
    drive_commands = singleton(drive_adapters.drive_commands)
    disk_writer = singleton(_disk_writer, itself)
    disk_reader = singleton(_disk_reader, itself)

    loads = singleton(_loads, itself)
    write_loads = singleton(_write_loads, itself)
    sensors = singleton(burnin_adapters.sensors)

    firmware = singleton(firmware_adapters.firmware)
    code_signatures = singleton(firmware_adapters.code_signatures)
    smbios = singleton(firmware_adapters.smbios)
    inventory = singleton(firmware_adapters.inventory)
    hasher = singleton(adapters.hasher)
    signature_verifier = singleton(adapters.signature_verifier)
    # Stores of numbers that never go down, besides the file on RECOVERY.
    config_tools = singleton(_config_tools, itself)

    http_trust: Declaration[Container, HttpTrust] = singleton(network_adapters.http_trust)
    trust_store = factory(_trust_store, itself)
    http = singleton(_http, itself)
    network = singleton(_network, itself)
    # The factory's ports; each takes the URL of the server. Of gprov's own server, all are one client: one session.
    factory_clients = singleton(_factory_clients, itself)
    telemetry_at = factory(_telemetry_at, itself)
    session_access_at = factory(_session_access_at, itself)
    time_source_at = factory(_time_source_at, itself)
    document_store_at = factory(_document_store_at, itself)
    credential_store_at = factory(_credential_store_at, itself)
    run_history_at = factory(_run_history_at, itself)
    erasure_registry_at = factory(_erasure_registry_at, itself)
    sink_for: Declaration[Container, SinkFor] = value(network_adapters.server_sink)
    console_sink = factory(_console_sink, itself)
    kmsg_sink = factory(adapters.kmsg_sink)
    milestone_sink = factory(adapters.milestone_sink)
    file_sink_at = factory(_file_sink_at, itself)
