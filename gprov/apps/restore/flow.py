"""Factory restore: writes the first good image from RECOVERY to PRIMARY."""

from __future__ import annotations

from collections.abc import Callable

from gprov.apps.restore.attempt import RestoreAttempt, RestoreRequest, identify_attempt
from gprov.apps.restore.emergency import (
    emergency_media,
    record_used_files,
    refuse_used_files,
)
from gprov.apps.restore.image_choice import ImagePreference, image_preference
from gprov.apps.restore.installation import ImageInstaller
from gprov.apps.restore.job import RestoreJob
from gprov.apps.restore.optional_recovery import optional_recovery, required_recovery
from gprov.apps.restore.previous_system import record_previous_system
from gprov.apps.restore.restore_backoff import RestoreBackoff
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.identity import code_name_so_far, recovery_attachment_rule
from gprov.apps.unit.devices.targets import choose_targets_for
from gprov.apps.unit.network.remote_log import LogServer, start_remote_log
from gprov.apps.unit.network.server_trust import read_trust
from gprov.apps.unit.recovery.erase_record import refuse_unfinished_erase
from gprov.apps.unit.recovery.image_check import ImageCheck
from gprov.apps.unit.recovery.image_trust import ImageTrust
from gprov.apps.unit.recovery.records import HistoryFile
from gprov.apps.unit.recovery.retention import prune_images, prune_logs
from gprov.apps.unit.recovery.start_budget import StartBudgetFile
from gprov.apps.unit.recovery.stored_secrets import StoredSecrets
from gprov.apps.unit.recovery.unit_key import read_unit_key
from gprov.apps.unit.recovery.volume import mounted_recovery
from gprov.apps.unit.reporting.queued_sink import QueuedSink
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.boot.args import PreferredImage
from gprov.domain.emergency.request import EmergencyRequest
from gprov.domain.errors import EraseUnfinished, GprovError
from gprov.domain.events import ProcessState
from gprov.domain.image.name import parse_image_name
from gprov.domain.image.select import Preference
from gprov.domain.platform.identify import Unit
from gprov.domain.recovery_files import EMERGENCY_RECORD
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
        self._operator = operator
        self._context = context
        self._bus = context.bus
        self._reported: GprovError | None = None
        self._restored = False
        self._left = False
        # What a person chose before a pause also holds after it.
        self._preference: ImagePreference | None = None
        self._remote_log: Task | None = None
        self._archives = archives
        self._installer = ImageInstaller(ports, operator, randomness, hasher, context)
        self._recorded_on_recovery = False
        self._backoff = RestoreBackoff(ports.volumes.clock, operator, context.arguments.failure_hold, context.bus)

    @property
    def attempt_recorded(self) -> bool:
        """Is this restore counted in the start budget on RECOVERY?"""
        return self._backoff.attempt_recorded

    @property
    def primary_changed(self) -> bool:
        """Has this restore begun to write to PRIMARY?"""
        return self._installer.primary_changed

    def forget_emergency_files(self) -> None:
        """The media with the files of this restore were removed: from now on they are a new request. A failure is
        reported."""
        if not self._recorded_on_recovery:
            return
        volumes, context = self._ports.volumes, self._context
        try:
            with mounted_recovery(volumes, recovery_attachment_rule(self._ports.smbios, context), context):
                volumes.files.remove(f"{context.log_folder}/{EMERGENCY_RECORD}")
        except GprovError as error:
            self._bus.warning(f"the emergency files will be ignored when they are plugged in again: {error}")

    def run(
        self,
        preferred: PreferredImage,
        *,
        named: str = "",
        by_person: bool = False,
        emergency: EmergencyRequest | None = None,
        pause_event: Callable[[float], bool] | None = None,
    ) -> bool:
        """When it returns True, the unit is restored, and everything is flushed and unmounted: reboot. False: a person
        left the menu of images, or ``pause_event`` ended the pause, and nothing on PRIMARY has changed. After several
        consecutive restores it waits first, unless a person requested this one. ``named``: file name of the image that
        the running system requested: PRIMARY is changed for no other. ``emergency``: files on removable media to use
        instead of RECOVERY's.

        Raises GprovError, already reported; EraseUnfinished, not reported: no restore has begun.
        """
        request = RestoreRequest(preferred, by_person, emergency, named)
        try:
            pause = self._with_recovery(request)
            if pause:
                if not self._backoff.wait(pause, pause_event):
                    return False
                self._with_recovery(request, waited=True)
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

    def _with_recovery(self, request: RestoreRequest, *, waited: bool = False) -> float:
        """Restore and return 0; or return for how many seconds to wait before, with RECOVERY unmounted. Returns
        0 and sets ``_left`` if a person leaves the menu of images: such a restore is not counted."""
        ports, context = self._ports, self._context
        rule = recovery_attachment_rule(ports.smbios, context)
        emergency = request.emergency
        find = optional_recovery if emergency is not None and emergency.images else required_recovery
        with find(ports.volumes, rule, context) as place, emergency_media(ports.volumes, context) as media:
            if place.recovery is not None:
                refuse_unfinished_erase(ports.volumes, context, by_person=request.by_person)
                prune_logs(ports.executor, ports.volumes.files, context)
            trust = ImageTrust(ports.image_trust, context, has_recovery=place.recovery is not None)
            preference = self._preference or self._choose_preference(request, trust)
            self._preference, self._left = preference, preference is None
            if preference is None:
                return 0.0
            attempt = RestoreAttempt(
                place=place,
                media=media,
                preference=preference,
                check=ImageCheck(archives=self._archives, trust=trust, context=context, locks_accounts=True),
                emergency=emergency,
                budget=StartBudgetFile(ports.volumes.files, context.log_folder, self._bus),
            )
            if place.recovery is not None:
                return self._restore_counted(attempt, by_person=request.by_person, waited=waited)
            # Neither counts nor logs outlive this start.
            with unexpected_errors_translated():
                self._restore(attempt)
            self._restored = True
        return 0.0

    def _choose_preference(self, request: RestoreRequest, trust: ImageTrust) -> ImagePreference | None:
        files, context = self._ports.volumes.files, self._context
        if request.emergency is not None:
            refuse_used_files(request.emergency, files, context)
            return ImagePreference(preference=Preference.LATEST, emergency=request.emergency.images)
        if request.named:
            name = parse_image_name(request.named, context.branding.image_prefix)
            return ImagePreference(preference=Preference.LATEST, requested=name)
        if request.preferred is PreferredImage.MENU:
            # An image for other platforms is marked there, or not offered.
            trust.code_name = code_name_so_far(self._ports.smbios, files, context)
        return image_preference(request.preferred, trust, files, self._operator, context, by_person=request.by_person)

    def _restore_counted(self, attempt: RestoreAttempt, *, by_person: bool, waited: bool) -> float:
        """Returns 0, or for how many seconds to wait before."""
        ports, context, budget = self._ports, self._context, attempt.budget
        if by_person:
            budget.value = budget.value.with_system_started()
        elif attempt.emergency is not None:
            budget.value = budget.value.with_emergency_file(attempt.emergency.files[0].mark)
        pause = self._backoff.begin(budget, waited=waited)
        if pause:
            return pause
        sink = QueuedSink(ports.file_sink_at(context.log_folder), ports.background)
        self._bus.attach(sink)
        try:
            with unexpected_errors_translated():
                self._restore(attempt)
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

    def _restore(self, attempt: RestoreAttempt) -> None:
        ports, bus, context = self._ports, self._bus, self._context
        files, recovery, emergency = ports.volumes.files, attempt.place.recovery, attempt.emergency
        bus.state(ProcessState.FR_STARTED)
        bus.message("Factory restore")
        unit, options = self._identify(attempt)
        trust = attempt.check.trust
        trust.code_name = unit.platform.code_name
        history = HistoryFile(files, context.log_folder, bus)
        if options.clear_history:
            history.clear()
        # Before an image is chosen: if no target is found, no image may be counted as failed.
        targets = choose_targets_for(ports.volumes, recovery, unit, context)
        if recovery is not None:
            previous = record_previous_system(targets, ports.volumes, history, attempt.budget, context)
            if previous is not None and previous.confirmed:
                trust.confirm_installed(previous.image)
        job = RestoreJob(
            place=attempt.place,
            unit=unit,
            options=options,
            targets=targets,
            emergency=emergency,
            lcd=self._operator.lcd,
        )
        installed = self._installer.install(job, attempt, history)
        bus.log(f"{installed.name.stem} is restored")
        trust.remember_installed(installed.admission)
        if recovery is None:
            return
        attempt.budget.record(attempt.budget.value.with_restore_completed())
        if emergency is not None:
            record_used_files(emergency, files, context)
            self._recorded_on_recovery = True
        folder = context.image_folder
        prune_images(
            ports.executor,
            files,
            history.value,
            installed.kept,
            context,
            lambda name: bool(trust.refusal(f"{folder}/{name.filename}", name)),
        )

    def _identify(self, attempt: RestoreAttempt) -> tuple[Unit, RestoreOptions]:
        """Identify the unit, read its restore options, and start the remote log if a server is given."""
        ports, context = self._ports, self._context
        unit, options = identify_attempt(attempt, ports, context)
        endpoint = context.arguments.xlog or options.xlog
        if endpoint:
            secrets = StoredSecrets(ports.volumes, context.mount_points.recovery)
            key = read_unit_key(secrets, context.bus) if attempt.place.recovery is not None else None
            server = LogServer(endpoint, read_trust(ports.volumes.files, context), key)
            self._remote_log = start_remote_log(ports, server, unit, context)
        return unit, options
