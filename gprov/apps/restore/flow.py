"""Factory restore: writes the first good image from RECOVERY to PRIMARY."""

from __future__ import annotations

from gprov.apps.restore.image_choice import ImagePreference, image_preference
from gprov.apps.restore.installation import ImageInstaller
from gprov.apps.restore.job import RestoreJob
from gprov.apps.restore.previous_system import record_previous_system
from gprov.apps.restore.restore_backoff import RestoreBackoff
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import identify_unit, read_smbios, recovery_attachment_rule, stored_code_name
from gprov.apps.unit.devices.targets import choose_targets_for
from gprov.apps.unit.network.remote_log import start_remote_log
from gprov.apps.unit.recovery.erase_record import refuse_unfinished_erase
from gprov.apps.unit.recovery.records import HistoryFile, read_options
from gprov.apps.unit.recovery.retention import prune_images, prune_logs
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.recovery.volume import RecoveryVolume, mounted_recovery
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.boot.args import PreferredImage
from gprov.domain.disk.recovery import attachment_problem, attachment_rule
from gprov.domain.errors import EraseUnfinished, GprovError, HardwareMismatch
from gprov.domain.events import ProcessState
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.restore_options import RestoreOptions
from gprov.ports.archive import Archives
from gprov.ports.background import Task
from gprov.ports.clock import Randomness
from gprov.ports.operator import Operator
from gprov.ports.secrets import PasswordHasher

# At the end of a restore: limit for a network that is not configured yet.
_REMOTE_SECONDS = 20.0


class FactoryRestore:
    """One restore. Nothing on PRIMARY changes until an image was verified."""

    def __init__(
        self,
        ports: FlowPorts,
        *,
        archives: Archives,
        operator: Operator,
        randomness: Randomness,
        hasher: PasswordHasher,
        context: UnitContext,
    ) -> None:
        self._ports = ports
        self._archives = archives
        self._operator = operator
        self._randomness = randomness
        self._hasher = hasher
        self._context = context
        self._bus = context.bus
        self._reported: GprovError | None = None
        self._restored = False
        self._left = False
        # What a person chose before a pause also holds after it.
        self._preference: ImagePreference | None = None
        self._remote_log: Task | None = None
        self._backoff = RestoreBackoff(ports.volumes.clock, operator, context.arguments.failure_hold, context.bus)

    @property
    def attempt_recorded(self) -> bool:
        """Is this restore counted in the start budget on RECOVERY?"""
        return self._backoff.attempt_recorded

    def run(self, preferred: PreferredImage, *, by_person: bool = False) -> bool:
        """When it returns True, the unit is restored, and everything is flushed and unmounted: reboot. False: a person
        left the menu of images, and nothing on PRIMARY has changed. After several consecutive restores it waits first,
        unless a person requested this one.

        Raises GprovError, already reported; EraseUnfinished, not reported: no restore has begun.
        """
        try:
            pause = self._with_recovery(preferred, by_person=by_person)
            if pause:
                self._backoff.wait(pause)
                self._with_recovery(preferred, by_person=by_person, waited=True)
            if self._left:
                self._bus.message("The menu of images was left: nothing is restored")
                return False
        except EraseUnfinished:
            raise
        except GprovError as error:
            if not self._restored:
                if error is not self._reported:
                    self._report(error)
                self._wait_for_remote_log()
                raise
            # The flag file is written: the unit boots, although RECOVERY could not be unmounted.
            self._bus.warning(str(error))
        self._bus.message("Factory restore done")
        self._bus.state(ProcessState.FR_SUCCEEDED)
        self._wait_for_remote_log()
        return True

    def _wait_for_remote_log(self) -> None:
        """So that the server gets the result even if network configuration took as long as the restore."""
        if self._remote_log is not None and not self._remote_log.wait(_REMOTE_SECONDS):
            self._bus.warning("no remote log: the network is not up yet")

    def _with_recovery(self, preferred: PreferredImage, *, by_person: bool, waited: bool = False) -> float:
        """Restore and return 0; or return for how many seconds to wait before, with RECOVERY unmounted. Returns
        0 and sets ``_left`` if a person leaves the menu of images: such a restore is not counted."""
        ports, context = self._ports, self._context
        files = ports.volumes.files
        with mounted_recovery(ports.volumes, recovery_attachment_rule(ports.smbios, context), context) as recovery:
            refuse_unfinished_erase(ports.volumes, context, by_person=by_person)
            prune_logs(ports.executor, files, context)
            preference = self._preference or image_preference(
                preferred, files, self._operator, context, by_person=by_person
            )
            self._preference, self._left = preference, preference is None
            if preference is None:
                return 0.0
            budget = StartBudgetFile(files, context.log_folder, self._bus)
            if by_person:
                budget.value = budget.value.with_system_started()
            pause = self._backoff.begin(budget, waited=waited)
            if pause:
                return pause
            sink = QueuedSink(ports.file_sink_at(context.log_folder), ports.background)
            self._bus.attach(sink)
            try:
                with unexpected_errors_translated():
                    self._restore(recovery, preference, budget)
                self._restored = True
            except GprovError as error:
                # Before the log on RECOVERY is closed, so that it contains the error.
                self._report(error)
                budget.record(budget.value.with_restore_error(str(error)))
                raise
            finally:
                self._bus.detach(sink)
        return 0.0

    def _report(self, error: GprovError) -> None:
        self._reported = error
        self._bus.error(error)
        self._bus.state(ProcessState.FR_FAILED)

    def _restore(self, recovery: RecoveryVolume, preference: ImagePreference, budget: StartBudgetFile) -> None:
        ports, bus, context = self._ports, self._bus, self._context
        files = ports.volumes.files
        bus.state(ProcessState.FR_STARTED)
        bus.message("Factory restore")
        unit, options = self._identify(recovery)
        history = HistoryFile(files, context.log_folder, bus)
        if options.clear_history:
            history.clear()
        # Before an image is chosen: if no target is found, no image may be counted as failed.
        targets = choose_targets_for(ports.volumes, recovery, unit, bus)
        record_previous_system(targets, ports.volumes, history, budget, context)
        job = RestoreJob(recovery, unit, options, targets)
        installer = ImageInstaller(ports, self._archives, self._randomness, self._hasher, context)
        installed = installer.install(job, preference, history)
        name = installed.name
        budget.record(budget.value.with_restore_completed())
        bus.log(f"{name.stem} is restored")
        prune_images(ports.executor, files, history.value, installed.kept, context)

    def _identify(self, recovery: RecoveryVolume) -> tuple[Unit, RestoreOptions]:
        """Identify the unit, read its restore options, and start the remote log if a server is given."""
        ports, bus, context = self._ports, self._bus, self._context
        files, arguments = ports.volumes.files, context.arguments
        fallback = arguments.proto_ident or stored_code_name(files, context)
        unit = identify_unit(read_smbios(ports.smbios, bus), context.platforms, fallback, bus)
        _check_recovery_attachment(recovery, unit)
        options = read_options(files, context)
        endpoint = arguments.xlog or options.xlog
        if endpoint:
            self._remote_log = start_remote_log(ports, endpoint, unit, context)
        return unit, options


def _check_recovery_attachment(recovery: RecoveryVolume, unit: Unit) -> None:
    """For a unit that only ``platform.ident`` on RECOVERY identifies: RECOVERY was mounted before its rule was known.
    Raises HardwareMismatch."""
    disk = recovery.volume.disk
    problem = attachment_problem(disk, attachment_rule(unit.platform))
    if problem:
        raise HardwareMismatch(f"RECOVERY is on {disk.describe()}, which {problem} on {unit.platform.code_name}")
