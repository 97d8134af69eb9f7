"""Factory restore: the newest good image from RECOVERY onto PRIMARY."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gprov.apps.restore.choose import ChosenImage, Wish, choose_image, is_of_the_image, wish_of
from gprov.apps.restore.facts import gather_facts
from gprov.apps.restore.installed import hear_installed
from gprov.apps.restore.pace import Pace
from gprov.apps.unit.devices.identity import identify_unit, known_rule, read_smbios, stored_fallback
from gprov.apps.unit.devices.targets import choose_targets_for
from gprov.apps.unit.execution.executor import Executor, Tools
from gprov.apps.unit.network.remote_log import RemotePorts, log_to
from gprov.apps.unit.recovery.budget import BudgetFile
from gprov.apps.unit.recovery.records import HistoryFile, read_options
from gprov.apps.unit.recovery.retention import prune_images, prune_logs
from gprov.apps.unit.recovery.volume import RecoveryPorts, RecoveryVolume, opened_recovery
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.unit.reporting.queued import QueuedSink
from gprov.apps.unit.reporting.unexpected import foreseen
from gprov.domain.boot.args import BootArguments, PreferredImage
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayspec import UUID_BYTES, ArraySpec, array_spec
from gprov.domain.disk.ext4_room import Room, primary_room
from gprov.domain.disk.model import Disk
from gprov.domain.disk.recovery import attachment_problem, attachment_rule
from gprov.domain.errors import GprovError, HardwareMismatch
from gprov.domain.events import ProcessState
from gprov.domain.mountpoints import Places
from gprov.domain.plan.operations import Plan
from gprov.domain.plan.restore import plan_restore
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.table import Platform
from gprov.domain.unit.frdata import RestoreOptions
from gprov.domain.unit.hostid import host_identity
from gprov.ports.background import Task
from gprov.ports.clock import Randomness
from gprov.ports.events import EventSink
from gprov.ports.firmware import SmbiosTable
from gprov.ports.operator import Operator

FileSinkAt = Callable[[str], EventSink]

# How long the end of a restore waits for a network that never came up.
_REMOTE_SECONDS = 20.0


@dataclass(frozen=True)
class RestorePorts:
    """``file_sink_at`` makes a log file in a folder."""

    tools: Tools
    recovery: RecoveryPorts
    remote: RemotePorts
    smbios: SmbiosTable
    operator: Operator
    randomness: Randomness
    file_sink_at: FileSinkAt


@dataclass(frozen=True, kw_only=True)
class _Attempts:
    """What all attempts of one restore have in common."""

    recovery: RecoveryVolume
    unit: Unit
    options: RestoreOptions
    history: HistoryFile
    budget: BudgetFile


class FactoryRestore:
    """One restore. Nothing on PRIMARY changes until an image was verified from its first to its last byte."""

    def __init__(
        self,
        ports: RestorePorts,
        bus: EventBus,
        branding: Branding,
        platforms: tuple[Platform, ...],
        places: Places,
        arguments: BootArguments,
    ) -> None:
        self._ports = ports
        self._bus = bus
        self._branding = branding
        self._platforms = platforms
        self._places = places
        self._arguments = arguments
        self._reported: GprovError | None = None
        self._restored = False
        self._remote_log: Task | None = None
        self._pace = Pace(ports.tools.clock, ports.operator, arguments.failure_hold, bus)

    @property
    def counted(self) -> bool:
        """Does RECOVERY know of this restore?"""
        return self._pace.counted

    def run(self, preferred: PreferredImage, *, by_person: bool = False) -> None:
        """When it returns, the unit is restored, everything is flushed and unmounted: reboot. After some restores in a
        row between which the system never ran it waits first, unless a person asked for it.

        Raises GprovError, already reported.
        """
        try:
            pause = self._with_recovery(preferred, by_person=by_person)
            if pause:
                self._pace.wait(pause)
                self._with_recovery(preferred, by_person=by_person, waited=True)
        except GprovError as error:
            if not self._restored:
                if error is not self._reported:
                    self._report(error)
                self._await_remote_log()
                raise
            # The flag file is set: the unit boots, whatever kept RECOVERY from being put away.
            self._bus.warning(str(error))
        self._bus.message("Factory restore done")
        self._bus.state(ProcessState.FR_SUCCEEDED)
        self._await_remote_log()

    def _await_remote_log(self) -> None:
        """The server should hear how it ended, even if the network took as long as the restore."""
        if self._remote_log is not None and not self._remote_log.wait(_REMOTE_SECONDS):
            self._bus.warning("no remote log: the network is not up yet")

    def _with_recovery(self, preferred: PreferredImage, *, by_person: bool, waited: bool = False) -> float:
        """Restore; or, for how many seconds to wait before that, with RECOVERY put away."""
        ports = self._ports
        rule = known_rule(ports.smbios, self._platforms, self._arguments.proto_ident, self._bus)
        with opened_recovery(ports.recovery, self._branding, self._places, rule, self._bus) as recovery:
            folder = f"{self._places.recovery}/{self._branding.log_folder}"
            prune_logs(ports.tools, folder, self._bus)
            budget = BudgetFile(ports.tools.files, folder, self._bus)
            if by_person:
                budget.value = budget.value.system_ran()
            pause = self._pace.begin(budget, waited=waited)
            if pause:
                return pause
            sink = QueuedSink(ports.file_sink_at(folder), ports.remote.background)
            self._bus.attach(sink)
            try:
                with foreseen():
                    self._restore(recovery, preferred, budget)
                self._restored = True
            except GprovError as error:
                # Before the log on RECOVERY is closed: it should say so too.
                self._report(error)
                budget.record(budget.value.failed(str(error)))
                raise
            finally:
                self._bus.detach(sink)
        return 0.0

    def _report(self, error: GprovError) -> None:
        self._reported = error
        self._bus.error(error)
        self._bus.state(ProcessState.FR_FAILED)

    def _restore(self, recovery: RecoveryVolume, preferred: PreferredImage, budget: BudgetFile) -> None:
        ports, bus, files, arguments = self._ports, self._bus, self._ports.tools.files, self._arguments
        bus.state(ProcessState.FR_STARTED)
        bus.message("Factory restore")
        fallback = arguments.proto_ident or stored_fallback(files, self._places.recovery, bus)
        unit = identify_unit(read_smbios(ports.smbios, bus), self._platforms, fallback, bus)
        _refuse_wrong_recovery(recovery, unit)
        options = read_options(files, self._places.recovery, bus)
        endpoint = arguments.xlog or options.xlog
        if endpoint:
            self._remote_log = log_to(ports.remote, endpoint, unit, self._branding, bus)
        history = HistoryFile(files, f"{self._places.recovery}/{self._branding.log_folder}", bus)
        if options.clear_history:
            history.clear()
        # The target first: a unit without one must say so rather than count failures against good images.
        targets = choose_targets_for(ports.recovery, recovery, unit, bus)
        hear_installed(targets, ports.tools, self._places, self._branding, history, budget, bus)
        wish: Wish | None = wish_of(preferred, recovery, self._branding, files, ports.operator)
        attempts = _Attempts(recovery=recovery, unit=unit, options=options, history=history, budget=budget)
        while wish is not None:
            wish = self._restore_one(attempts, wish, targets)
            targets = choose_targets_for(ports.recovery, recovery, unit, bus) if wish is not None else targets

    def _restore_one(self, attempts: _Attempts, wish: Wish, targets: tuple[Disk, ...]) -> Wish | None:
        """Restore the best image. If it turns out that it cannot be unpacked, there is no PRIMARY that boots: what is
        returned then is the wish for another image, to go on with at once."""
        ports, bus, files = self._ports, self._bus, self._ports.tools.files
        recovery, unit, options = attempts.recovery, attempts.unit, attempts.options
        history, budget = attempts.history, attempts.budget
        chosen, plan = choose_image(
            recovery,
            wish,
            self._branding,
            ports.tools.archives,
            files,
            history,
            bus,
            self._room(unit, targets),
            lambda chosen: self._planned(recovery, unit, options, chosen, targets),
        )
        bus.message(f"Restoring {chosen.name.stem}")
        try:
            with foreseen():
                self._apply(plan)
        except GprovError as error:
            if not is_of_the_image(error, self._places.primary):
                history.record(chosen.attempted.failed(chosen.name.stem, str(error)))
                raise
            history.record(chosen.attempted.refused(chosen.name.stem, str(error)))
            bus.error(error)
            bus.warning(f"{chosen.name.stem} cannot be unpacked: going on with another image")
            return replace(wish, refused={**wish.refused, chosen.name: str(error)})
        history.record(chosen.attempted.succeeded(chosen.name.stem))
        budget.record(budget.value.restored())
        bus.log(f"{chosen.name.stem} is restored")
        prune_images(ports.tools, recovery.images, history.value, [chosen.name.filename], self._branding, bus)
        return None

    def _room(self, unit: Unit, targets: tuple[Disk, ...]) -> Room:
        bios = self._ports.tools.firmware.kind() is FirmwareKind.BIOS
        return primary_room(unit.platform.raid_level, [disk.size for disk in targets], bios=bios)

    def _planned(
        self,
        recovery: RecoveryVolume,
        unit: Unit,
        options: RestoreOptions,
        chosen: ChosenImage,
        targets: tuple[Disk, ...],
    ) -> Plan:
        tools, bus = self._ports.tools, self._bus
        # An image was read meanwhile: drivers have long found what there is.
        nics = self._ports.remote.network.nics()
        facts = gather_facts(
            recovery, unit, options, self._arguments, chosen, targets, self._branding, tools, nics, bus
        )
        return plan_restore(replace(facts, array=self._array(unit)))

    def _array(self, unit: Unit) -> ArraySpec | None:
        """A new UUID each time: a disk that was not there must not pass for a member of the new array."""
        level = unit.platform.raid_level
        if level is None:
            return None
        hostname = host_identity(unit.serial, self._branding).hostname
        return array_spec(self._branding.primary_label, hostname, self._ports.randomness.token(UUID_BYTES), level)

    def _apply(self, plan: Plan) -> None:
        try:
            Executor(self._ports.tools, self._bus).run(plan)
        except GprovError:
            self._tidy_up()
            raise

    def _tidy_up(self) -> None:
        """Leave nothing mounted, so that RECOVERY can be put away and its log be kept. What fails here is reported: the
        failure that led here counts."""
        mounts = self._ports.tools.mounts
        try:
            mounted = {point.target for point in mounts.mounted()}
            for target in (self._places.boot, self._places.primary):
                if target in mounted:
                    mounts.unmount(target)
        except GprovError as error:
            self._bus.error(error)


def _refuse_wrong_recovery(recovery: RecoveryVolume, unit: Unit) -> None:
    """A unit that is known only by what stands on RECOVERY was opened without its rule."""
    disk = recovery.volume.disk
    problem = attachment_problem(disk, attachment_rule(unit.platform))
    if problem:
        raise HardwareMismatch(f"RECOVERY is on {disk.describe()}, which {problem} on {unit.platform.code_name}")
