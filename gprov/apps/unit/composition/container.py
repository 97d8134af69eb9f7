"""What the composition roots of all apps on a unit share: each port with its Linux adapter, made when first asked for.

Tests and adopters override providers on a container's instance; nothing else needs to know.
"""

from __future__ import annotations

from dependency_injector import containers, providers

from gprov.apps.unit.composition.wiring import lazy
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.args import BootArguments
from gprov.domain.branding import Branding
from gprov.domain.mountpoints import Places

_LINUX = "gprov.adapters.linux"


class UnitContainer(containers.DeclarativeContainer):
    """Providers name adapters by import string: an adapter that is not used is not imported."""

    arguments = providers.Object(BootArguments())
    branding = providers.Object(Branding())
    places = providers.Singleton(Places.named, branding)
    platforms = providers.Singleton(lazy("gprov.domain.platform.default_table:default_table"))

    clock = providers.Singleton(lazy(f"{_LINUX}.system.clock:SystemClock"))
    randomness = providers.Singleton(lazy(f"{_LINUX}.system.random:SystemRandomness"))
    background = providers.Singleton(lazy(f"{_LINUX}.system.background:ThreadBackground"))
    bus = providers.Singleton(EventBus, clock)
    processes = providers.Singleton(lazy(f"{_LINUX}.system.process:SystemProcesses"))
    power = providers.Singleton(lazy(f"{_LINUX}.system.power:SystemPower"))
    shell_power = providers.Singleton(lazy(f"{_LINUX}.system.shell:ShellPower"))
    operator = providers.Singleton(lazy(f"{_LINUX}.console.operator:ConsoleOperator"))

    blocks = providers.Singleton(lazy(f"{_LINUX}.disk.block:SysfsBlockDevices"))
    mounts = providers.Singleton(lazy(f"{_LINUX}.filesystem.mounts:LinuxMounts"))
    files = providers.Singleton(lazy(f"{_LINUX}.files.files:LinuxFiles"), places.provided.all)
    filesystems = providers.Singleton(lazy(f"{_LINUX}.filesystem.tools:LinuxFileSystems"), processes)
    partitioner = providers.Singleton(lazy(f"{_LINUX}.disk.partition:PartedPartitioner"), blocks, clock)
    arrays = providers.Singleton(lazy(f"{_LINUX}.disk.arrays:MdArrays"), processes)
    archives = providers.Singleton(
        lazy(f"{_LINUX}.archive:XzTarArchives"), processes, branding=branding, accounts_folder="/etc"
    )

    firmware = providers.Singleton(lazy(f"{_LINUX}.firmware.efivars:EfivarsFirmware"))
    smbios = providers.Singleton(lazy(f"{_LINUX}.dmi.smbios:LinuxSmbios"))
    inventory = providers.Singleton(lazy(f"{_LINUX}.dmi.inventory:LinuxInventory"))
    hasher = providers.Singleton(lazy(f"{_LINUX}.system.passwords:CryptPasswordHasher"))

    http = providers.Singleton(lazy(f"{_LINUX}.net.http:RequestsHttp"), clock)
    network = providers.Singleton(lazy(f"{_LINUX}.net.dhcp:UdhcpcNetwork"), processes, clock)
    # The factory's ports; each takes the URL of the server. Of gprov's own server, all are one client: one session.
    factory_clients = providers.Singleton(lazy(f"{_LINUX}.net.factory:FactoryClients"), http, clock)
    telemetry_at = providers.Callable(lazy(f"{_LINUX}.net.factory:client_at"), factory_clients)
    time_source_at = providers.Callable(lazy(f"{_LINUX}.net.factory:client_at"), factory_clients)
    document_store_at = providers.Callable(lazy(f"{_LINUX}.net.factory:client_at"), factory_clients)
    credential_store_at = providers.Callable(lazy(f"{_LINUX}.net.factory:client_at"), factory_clients)
    sink_for = providers.Factory(lazy(f"{_LINUX}.net.server_sink:ServerSink"))
    console_sink = providers.Factory(lazy(f"{_LINUX}.events.sinks:ConsoleSink"))
    kmsg_sink = providers.Factory(lazy(f"{_LINUX}.events.kmsg:KmsgSink"))
    milestone_sink = providers.Factory(lazy(f"{_LINUX}.events.milestones:MilestoneSink"))
    file_sink_at = providers.Factory(lazy(f"{_LINUX}.events.sinks:FileSink"), clock)

    recovery_ports = providers.Factory(
        lazy("gprov.apps.unit.recovery.volume:RecoveryPorts"), blocks, filesystems, mounts, files, clock, firmware
    )
    remote_ports = providers.Factory(
        lazy("gprov.apps.unit.network.remote_log:RemotePorts"),
        network,
        clock,
        background,
        telemetry_at.provider,
        sink_for.provider,
    )
    tools = providers.Factory(
        lazy("gprov.apps.unit.execution.executor:Tools"),
        blocks,
        partitioner,
        arrays,
        filesystems,
        mounts,
        files,
        archives,
        firmware,
        http,
        clock,
    )
