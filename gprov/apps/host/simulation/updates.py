"""The agent for updates over the air on a simulated unit whose system runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from gprov.adapters.fake.archive.archives import FakeArchives
from gprov.adapters.fake.files.files import FakeFiles
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.machine.storage import FakeMount, Node
from gprov.adapters.fake.system.ed25519 import PythonVerifier
from gprov.adapters.fake.update.server import URL, FakeUpdates, FakeUpdateServer
from gprov.adapters.fake.update.system import FakeLocalTime, FakePartFiles, FakeRestart
from gprov.apps.host.simulation.world import World
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.agent import UpdateAgent
from gprov.apps.update.composition import context
from gprov.apps.update.paths import UpdatePaths
from gprov.apps.update.ports import UpdatePorts
from gprov.apps.update.result import RoundResult
from gprov.apps.update.settings import read_config, read_identity
from gprov.domain.boot.boot_counts import CONFIRMED_FILE, STARTED_FILE, parse_started
from gprov.domain.disk.model import ActiveMount
from gprov.domain.errors import DeviceMissing
from gprov.domain.files import FileType
from gprov.domain.mountpoints import MountPoints
from gprov.domain.recovery_files import UPDATE_FOLDER
from gprov.domain.update.config import CONFIG_FILE
from gprov.domain.update.window import LocalMinute

_ROOT = MountPoints().root
# A Monday, 12:00.
NOON = LocalMinute(0, 12 * 60)


@dataclass(kw_only=True)
class UpdatedUnit:
    """A simulated unit with the agent in its system, and the update server. ``config``: ``update.toml`` on RECOVERY.
    ``confirms``: its systems report that they are up. ``date``: that the network sets its clock to, None for one that
    no server sets."""

    world: World
    updates: FakeUpdates = field(default_factory=FakeUpdates)
    local_time: FakeLocalTime = field(default_factory=lambda: FakeLocalTime(NOON))
    config: str = f'server = "{URL}"\n'
    confirms: bool = True
    date: datetime | None = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def start(self) -> StopReason:
        """Start the unit. If its system is started: until that is up, and reports that."""
        reason = self.world.boot()
        if reason is StopReason.SWITCHED_ROOT:
            self._bring_up()
        return reason

    def work(self, *, most: int = 50) -> RoundResult:
        """Rounds of the agent, until it waits. Raises GprovError, MachineStopped."""
        agent = self.agent()
        result = RoundResult(0.0)
        for _ in range(most):
            result = agent.round()
            if result.pause:
                break
        return result

    def live(self, *, starts: int = 6) -> None:
        """Start the unit and have the agent work, until it waits for something else than a restart."""
        for _ in range(starts):
            if self.start() is not StopReason.SWITCHED_ROOT:
                continue
            try:
                self.work()
                return
            except MachineStopped as stopped:
                if stopped.reason is not StopReason.REBOOT:
                    raise
                self.world.machine.restart()

    def agent(self) -> UpdateAgent:
        paths = self.paths
        ports, bus = self.ports(), EventBus(self.world.machine.clock)
        for sink in self.world.sinks:
            bus.attach(sink)
        config = read_config(ports.files, paths)
        return UpdateAgent(ports, paths, context(paths, bus), config, read_identity(ports.files, paths, config))

    @property
    def paths(self) -> UpdatePaths:
        branding = self.world.branding
        recovery = MountPoints.named(branding).recovery
        return UpdatePaths(branding=branding, recovery=recovery, system=_ROOT)

    def ports(self) -> UpdatePorts:
        machine = self.world.machine
        return UpdatePorts(
            files=FakeFiles(machine),
            parts=FakePartFiles(machine),
            clock=machine.clock,
            local_time=self.local_time,
            restart=FakeRestart(machine),
            server_for=lambda _config: FakeUpdateServer(machine, self.updates),
            archives=lambda: FakeArchives(machine, self.world.branding),
            verifier=PythonVerifier,
            is_mounted=lambda folder: any(mount.point.target == folder for mount in machine.mounts),
        )

    def _bring_up(self) -> None:
        """What systemd does: root and RECOVERY are mounted for writing, services report that the system is up."""
        machine, branding = self.world.machine, self.world.branding
        for mount in machine.mounts:
            if mount.point.target == _ROOT:
                mount.read_only = False
        recovery = next(
            (part for disk in machine.present() for part in disk.partitions
             if part.volume is not None and part.volume.label == branding.recovery_label), None,
        )  # fmt: skip
        if recovery is None or recovery.volume is None:
            raise DeviceMissing(branding.recovery_label, "no such volume")
        recovery.volume.replay()
        point = ActiveMount(recovery.device, self.paths.recovery, recovery.volume.kind.value, frozenset())
        if all(mount.point.target != point.target for mount in machine.mounts):
            machine.mounts.append(FakeMount(point, recovery.volume, read_only=False))
        if self.date is not None:
            machine.clock.set(max(machine.clock.now_ns(), int(self.date.timestamp()) * 10**9))
        boot_id = Node(type=FileType.FILE, content=machine.new_uuid().encode())
        machine.ram.current.put(self.paths.boot_id, boot_id)
        files, config = FakeFiles(machine), f"{_ROOT}{branding.config_folder}"
        files.replace(f"{self.paths.recovery}/{UPDATE_FOLDER}/{CONFIG_FILE}", self.config.encode())
        if self.confirms:
            started = parse_started(STARTED_FILE, files.read(f"{config}/{STARTED_FILE}"))
            files.replace(f"{config}/{CONFIRMED_FILE}", b"%d %d\n" % (started, started))
