"""What the composition roots of all apps on a unit share: each port with its Linux adapter, made when first asked for.

Tests and adopters override providers on a container's instance; nothing else needs to know.
"""

from __future__ import annotations

from dependency_injector import containers, providers

from gprov.apps.events import EventBus
from gprov.apps.wiring import lazy
from gprov.domain.boot.args import BootArguments
from gprov.domain.branding import Branding
from gprov.domain.places import Places

_LINUX = "gprov.adapters.linux"


class UnitContainer(containers.DeclarativeContainer):
    """Providers name adapters by import string: an adapter that is not used is not imported."""

    arguments = providers.Object(BootArguments())
    branding = providers.Object(Branding())
    places = providers.Singleton(Places.named, branding)
    platforms = providers.Singleton(lazy("gprov.domain.platform.default_table:default_table"))

    clock = providers.Singleton(lazy(f"{_LINUX}.clock:SystemClock"))
    randomness = providers.Singleton(lazy(f"{_LINUX}.random:SystemRandomness"))
    background = providers.Singleton(lazy(f"{_LINUX}.background:ThreadBackground"))
    bus = providers.Singleton(EventBus, clock)
    processes = providers.Singleton(lazy(f"{_LINUX}.process:SystemProcesses"))
    power = providers.Singleton(lazy(f"{_LINUX}.power:SystemPower"))
    shell_power = providers.Singleton(lazy(f"{_LINUX}.shell:ShellPower"))
    operator = providers.Singleton(lazy(f"{_LINUX}.console:ConsoleOperator"))

    blocks = providers.Singleton(lazy(f"{_LINUX}.block:SysfsBlockDevices"))
    mounts = providers.Singleton(lazy(f"{_LINUX}.mounts:LinuxMounts"))
    files = providers.Singleton(lazy(f"{_LINUX}.files:LinuxFiles"), places.provided.all)
    filesystems = providers.Singleton(lazy(f"{_LINUX}.filesystem:LinuxFileSystems"), processes)
    partitioner = providers.Singleton(lazy(f"{_LINUX}.partition:PartedPartitioner"), blocks, clock)
    arrays = providers.Singleton(lazy(f"{_LINUX}.arrays:MdArrays"), processes)
    archives = providers.Singleton(
        lazy(f"{_LINUX}.archive:XzTarArchives"), processes, branding=branding, accounts_folder="/etc"
    )

    firmware = providers.Singleton(lazy(f"{_LINUX}.efi:EfivarsFirmware"))
    smbios = providers.Singleton(lazy(f"{_LINUX}.dmi:LinuxSmbios"))
    inventory = providers.Singleton(lazy(f"{_LINUX}.inventory:LinuxInventory"))
    hasher = providers.Singleton(lazy(f"{_LINUX}.passwords:CryptPasswordHasher"))

    http = providers.Singleton(lazy(f"{_LINUX}.net.http:RequestsHttp"), clock)
    network = providers.Singleton(lazy(f"{_LINUX}.net.dhcp:UdhcpcNetwork"), processes, clock)
    factory_at = providers.Factory(lazy(f"{_LINUX}.net.factory:HttpFactory"), http)
    sink_for = providers.Factory(lazy(f"{_LINUX}.net.server_sink:ServerSink"))
    console_sink = providers.Factory(lazy(f"{_LINUX}.sinks:ConsoleSink"))
    kmsg_sink = providers.Factory(lazy(f"{_LINUX}.kmsg:KmsgSink"))
    milestone_sink = providers.Factory(lazy(f"{_LINUX}.milestones:MilestoneSink"))
    file_sink_at = providers.Factory(lazy(f"{_LINUX}.sinks:FileSink"), clock)

    recovery_ports = providers.Factory(
        lazy("gprov.apps.recovery:RecoveryPorts"), blocks, filesystems, mounts, files, clock, firmware
    )
    remote_ports = providers.Factory(
        lazy("gprov.apps.remote:RemotePorts"), network, clock, background, factory_at.provider, sink_for.provider
    )
    tools = providers.Factory(
        lazy("gprov.apps.executor:Tools"),
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
