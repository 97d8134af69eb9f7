"""A simulated machine with its factory: everything outside the unit's software, and how ports are bound to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from gprov.adapters.fake.archive.archives import FakeArchives
from gprov.adapters.fake.archive.artifacts import build_loader
from gprov.adapters.fake.bmc.port import FakeBmc
from gprov.adapters.fake.burnin.loads import FakeLoads, FakeSensors, FakeWriteLoads
from gprov.adapters.fake.console.attention import FakeAttention
from gprov.adapters.fake.console.panel import FakePanel
from gprov.adapters.fake.console.shell import FakeConsoleShell
from gprov.adapters.fake.console.start_display import FakeStartDisplay
from gprov.adapters.fake.disk.arrays import FakeArrays
from gprov.adapters.fake.disk.block import FakeBlockDevices
from gprov.adapters.fake.disk.drive_commands import FakeDriveCommands, FakeDriveQueries, FakeUnreadyDrives
from gprov.adapters.fake.disk.partition import FakePartitioner
from gprov.adapters.fake.disk.whole_disks import FakeWholeDisks
from gprov.adapters.fake.events.sinks import FakeFileSink, FakeServerSink, MemorySink
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.filesystem.media import FakeMediaSearch
from gprov.adapters.fake.filesystem.mounts import FakeMounts
from gprov.adapters.fake.filesystem.tools import FakeFileSystems
from gprov.adapters.fake.firmware.config_tools import FakeConfigTools
from gprov.adapters.fake.firmware.firmware import FakeFirmware, FakeInventory, FakeSmbios
from gprov.adapters.fake.firmware.secure_boot import FakeCodeSignatures
from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.firmware.uefi import firmware_start, record_foreign_start
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.net.factory import FakeFactory
from gprov.adapters.fake.net.http import FakeHttp
from gprov.adapters.fake.net.network import FakeNetwork
from gprov.adapters.fake.net.origin import FakeOrigin
from gprov.adapters.fake.net.server_trust import FakeTrust, VerifiedTime
from gprov.adapters.fake.system.background import FakeBackground
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.adapters.fake.system.passwords import FakePasswordHasher
from gprov.adapters.fake.system.power import FakePower
from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.container import MfgContainer
from gprov.apps.unit.boot.loader import BOOT_IMAGE, CORE_IMAGE
from gprov.apps.unit.composition.container import UnitContainer
from gprov.apps.unit.composition.wiring import override, set_value
from gprov.domain.boot.args import START_ARGUMENT, parse_boot_arguments
from gprov.domain.boot.grub.install import Loader
from gprov.domain.branding import Branding
from gprov.domain.errors import GprovError, InternalError
from gprov.domain.files import FileType
from gprov.domain.mfg.qa.kernel import VERSION_FILE
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import Platform
from gprov.ports.events import EventSink

if TYPE_CHECKING:
    from gprov.apps.erase.container import EraseContainer

C = TypeVar("C", bound=UnitContainer)


@dataclass(kw_only=True)
class World:
    """One unit, its factory, and what both recorded.

    ``provisioned_by``: number of the boot entry that the firmware starts provisioning from, None for a start over the
    network. ``stuck``: names of background work that never makes progress. ``arguments``: kernel arguments of every
    start of provisioning, besides ``mfgurl``. ``invited``: serial number for which each of these starts has a one-time
    token of the factory, "" for none. ``install``: an adopter's function that replaces providers. ``built_in``: further
    files of the initramfs, by path.
    """

    machine: SimulatedMachine
    origin: FakeOrigin = field(default_factory=FakeOrigin)
    factory: FakeFactory = field(default_factory=FakeFactory)
    processes: FakeProcesses = field(default_factory=FakeProcesses)
    shell: FakeConsoleShell = field(default_factory=FakeConsoleShell)
    attention: FakeAttention = field(default_factory=FakeAttention)
    start_display: FakeStartDisplay = field(default_factory=FakeStartDisplay)
    branding: Branding = field(default_factory=Branding)
    platforms: tuple[Platform, ...] = field(default_factory=default_table)
    sinks: tuple[EventSink, ...] = ()
    provisioned_by: int | None = None
    stuck: set[str] = field(default_factory=set)
    loader: Loader = field(default_factory=build_loader)
    arguments: Mapping[str, str] = field(default_factory=dict)
    invited: str = ""
    install: Callable[[UnitContainer], None] | None = None
    built_in: dict[str, bytes] = field(default_factory=dict)

    def __deepcopy__(self, memo: dict[int, object]) -> World:
        """Values that never change are shared: a campaign copies thousands of worlds."""
        machine = self.machine
        tables = [disk.table for disk in machine.disks]
        variables = [*machine.nvram, *machine.nvram.values(), *machine.nvram_before, *machine.nvram_before.values()]
        fixed = (self.branding, self.platforms, self.loader, machine.nics, machine.inventory, *tables, *variables)
        memo.update({id(one): one for one in fixed if one is not None})
        copy = object.__new__(World)
        memo[id(self)] = copy
        for name, value in vars(self).items():
            setattr(copy, name, deepcopy(value, memo))
        return copy

    def provision(self, **arguments: str) -> StopReason:
        """Start the provisioning kernel, as a network boot does. Raises GprovError if provisioning fails; the machine
        is restarted then, as a real one is after the failure was displayed for long enough."""
        self._power_on()
        record_foreign_start(self.machine, self.provisioned_by)
        name = f"{self.branding.environment_prefix}{START_ARGUMENT}"
        invitation = {name: self.factory.issue_token(self.invited)} if self.invited else {}
        container = self._container(MfgContainer(), {"mfgurl": MANUF_URL, **self.arguments, **invitation, **arguments})
        try:
            container.provisioning().run()
            container.power().reboot()
        except MachineStopped as stopped:
            return self._stopped(stopped)
        except GprovError:
            self.machine.flush()
            self.machine.restart()
            raise
        finally:
            container.bus().close()
        raise InternalError("simulation: provisioning went on after the reboot")

    def boot(self, environment: dict[str, str] | None = None) -> StopReason:
        """Power on: the firmware starts the normal kernel, which decides what to do. ``environment``: kernel arguments
        of a start that was not chosen by the firmware. Raises DeviceMissing if the firmware finds nothing to start."""
        self._power_on()
        arguments = firmware_start(self.machine) if environment is None else environment
        container = self._container(InitContainer(), arguments)
        try:
            container.boot().run()
        except MachineStopped as stopped:
            return self._stopped(stopped)
        finally:
            container.bus().close()
        raise InternalError("simulation: the boot flow returned instead of stopping the machine")

    def _power_on(self) -> None:
        if self.machine.switched_to is not None:
            self.machine.restart()

    def _stopped(self, stopped: MachineStopped) -> StopReason:
        if stopped.reason is not StopReason.SWITCHED_ROOT:
            self.machine.restart()
        return stopped.reason

    def _unpack_initramfs(self) -> None:
        version = b"Linux version 6.1.0 (gprov@simulation) (gcc 12) #7 SMP 2026"
        for path, content in (
            (BOOT_IMAGE, self.loader.boot),
            (CORE_IMAGE, self.loader.core),
            (VERSION_FILE, version),
            *self.built_in.items(),
        ):
            self.machine.ram.current.put(path, Node(type=FileType.FILE, content=content))

    def _container(self, container: C, environment: dict[str, str]) -> C:
        plug_in(container, self)
        self._unpack_initramfs()
        set_value(container.arguments, parse_boot_arguments(environment, self.branding))
        set_value(container.branding, self.branding)
        set_value(container.platforms, self.platforms)
        if self.install is not None:
            self.install(container)
        container.bus().attach(container.display_sink())
        for sink in self.sinks:
            container.bus().attach(sink)
        return container


def plug_in(container: UnitContainer, world: World) -> None:
    """Override every port of a container with its adapter on the simulated machine."""
    machine = world.machine
    world.factory.new_session()
    set_value(container.clock, machine.clock)
    set_value(container.background, FakeBackground(machine.clock, world.stuck))
    set_value(container.randomness, machine.random)
    set_value(container.processes, world.processes)
    set_value(container.power, FakePower(machine))
    set_value(container.panel, FakePanel(machine))
    set_value(container.bmc, FakeBmc(machine))
    set_value(container.attention, world.attention)
    set_value(container.console_shell, world.shell)
    set_value(container.blocks, FakeBlockDevices(machine))
    set_value(container.mounts, FakeMounts(machine))
    set_value(container.files, FakeFiles(machine))
    set_value(container.media_search, FakeMediaSearch(machine))
    filesystems, arrays, firmware = FakeFileSystems(machine), FakeArrays(machine), FakeFirmware(machine)
    set_value(container.filesystems, filesystems)
    set_value(container.filesystem_maker, filesystems)
    set_value(container.partitioner, FakePartitioner(machine))
    whole_disks = FakeWholeDisks(machine)
    set_value(container.disk_writer, whole_disks)
    set_value(container.disk_reader, whole_disks)
    set_value(container.drive_queries, FakeDriveQueries(machine))
    set_value(container.unready_drives, FakeUnreadyDrives(machine))
    set_value(container.drive_commands, FakeDriveCommands(machine))
    set_value(container.loads, FakeLoads(machine, machine.load_model))
    set_value(container.write_loads, FakeWriteLoads(machine, machine.load_model))
    set_value(container.sensors, FakeSensors(machine, machine.load_model))
    set_value(container.arrays, arrays)
    set_value(container.code_signatures, FakeCodeSignatures())
    set_value(container.array_writer, arrays)
    set_value(container.image_archives, FakeArchives(machine, world.branding))
    set_value(container.firmware, firmware)
    set_value(container.variable_writer, firmware)
    set_value(container.tpm, FakeTpm(machine))
    override(container.has_tpm, lambda: machine.tpm is not None)
    set_value(container.smbios, FakeSmbios(machine))
    set_value(container.inventory, FakeInventory(machine))
    set_value(container.hasher, FakePasswordHasher())
    set_value(container.signature_verifier, PythonVerifier())
    set_value(container.config_tools, FakeConfigTools(machine))
    trust = FakeTrust(machine, world.origin)
    set_value(container.trust_store, trust)
    set_value(container.http, FakeHttp(machine, world.origin, trust))
    set_value(container.network, FakeNetwork(machine))

    def factory_at(endpoint: str) -> FakeFactory:
        trust.check(endpoint)
        return world.factory

    set_value(container.telemetry_at, factory_at)
    set_value(container.session_access_at, factory_at)
    set_value(container.time_source_at, lambda endpoint: VerifiedTime(trust, endpoint, world.factory))
    set_value(container.document_store_at, factory_at)
    set_value(container.erasure_registry_at, factory_at)
    set_value(container.credential_store_at, factory_at)
    set_value(container.run_history_at, factory_at)
    set_value(container.sink_for, FakeServerSink)
    set_value(container.file_sink_at, lambda _folder: MemorySink())
    if hasattr(container, "erase_file_sink_at"):
        # Instances of containers are not instances of their classes.
        set_value(cast("EraseContainer", container).erase_file_sink_at, lambda _folder: MemorySink())
    if hasattr(container, "start_display"):
        set_value(cast("InitContainer", container).start_display, world.start_display)
    if hasattr(container, "shell_file_sink_at"):

        def shell_log(folder: str) -> EventSink:
            return FakeFileSink(FakeFiles(machine), folder, "shell", machine.clock.now_ns())

        set_value(cast("InitContainer", container).shell_file_sink_at, shell_log)
