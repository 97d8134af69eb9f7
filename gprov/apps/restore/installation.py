"""Installing an image on PRIMARY. An image that cannot be unpacked is replaced by the next one in the same restore: the
old system is overwritten by then, so that without another image the unit could not boot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import ENOSPC
from functools import partial

from gprov.apps.restore.attempt import RestoreAttempt
from gprov.apps.restore.emergency import EmergencyMedia
from gprov.apps.restore.facts import gather_facts
from gprov.apps.restore.image_choice import Candidate, ChosenImage, ImageChooser
from gprov.apps.restore.job import RestoreJob
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.flow_ports import FlowPorts
from gprov.apps.unit.devices.targets import choose_targets_for
from gprov.apps.unit.recovery.image_trust import Admission
from gprov.apps.unit.recovery.records import HistoryFile
from gprov.apps.unit.reporting.unexpected import unexpected_errors_translated
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.arrayspec import UUID_BYTES, ArraySpec, array_spec
from gprov.domain.disk.ext4_room import Room, primary_room
from gprov.domain.errors import ContentRefused, DeviceFault, GprovError, IntegrityFault
from gprov.domain.image.name import ImageName
from gprov.domain.plan.operations import Plan
from gprov.domain.plan.restore import modules_warning, plan_restore
from gprov.domain.platform.identify import Unit
from gprov.domain.unit.hostid import host_identity
from gprov.ports.clock import Randomness
from gprov.ports.operator import Operator
from gprov.ports.secrets import PasswordHasher


@dataclass(frozen=True, slots=True)
class InstalledImage:
    """The installed image, how it was admitted, and the images that this restore tried before it and could not
    install."""

    candidate: Candidate
    admission: Admission
    failed: tuple[Candidate, ...]

    @property
    def name(self) -> ImageName:
        return self.candidate.name

    @property
    def kept(self) -> frozenset[str]:
        """Names of files that this restore must not delete from RECOVERY: the installed image, and the newest of those
        it tried, which may be the update that the unit is to get."""
        stored = [one.name for one in (self.candidate, *self.failed) if one.emergency is None]
        names = (self.name, *([max(stored)] if stored else []))
        return frozenset(name.filename for name in names)


class ImageInstaller:
    """``primary_changed``: has a plan begun that writes to PRIMARY?"""

    def __init__(
        self,
        ports: FlowPorts,
        operator: Operator,
        randomness: Randomness,
        hasher: PasswordHasher,
        context: UnitContext,
    ) -> None:
        self.primary_changed = False
        self._ports = ports
        self._hasher = hasher
        self._operator = operator
        self._randomness = randomness
        self._context = context
        self._bus = context.bus

    def install(self, job: RestoreJob, attempt: RestoreAttempt, history: HistoryFile) -> InstalledImage:
        """Install the first good image that can be unpacked, and return it. Every attempt with an image on RECOVERY is
        counted in ``history``. Raises IntegrityFault if there is none."""
        preference, media = attempt.preference, attempt.media
        chooser = ImageChooser(
            check=attempt.check,
            files=self._ports.volumes.files,
            operator=self._operator,
            media=media,
            history=history,
            context=self._context,
        )
        while True:
            chosen, plan = chooser.choose(preference, self._room(job), partial(self._make_plan, job))
            candidate, name, with_attempt = chosen.candidate, chosen.name, chosen.history_with_attempt
            self._bus.message(f"Restoring {name.stem}")
            try:
                with unexpected_errors_translated():
                    self._apply(plan)
            except GprovError as error:
                refused = isinstance(error, ContentRefused)
                record = with_attempt.with_rejection if refused else with_attempt.with_failure
                if candidate.emergency is None:
                    history.record(record(name.stem, str(error)))
                if not self._another_image_may_help(error, media):
                    raise
                event = "cannot be unpacked" if refused else "could not be installed"
                self._bus.error(error)
                self._bus.warning(f"{name.stem} {event}: looking for another image")
                preference = preference.without(candidate, f"{candidate.filename} {event}: {error}")
                volumes, recovery = self._ports.volumes, job.place.recovery
                job = replace(job, targets=choose_targets_for(volumes, recovery, job.unit, self._context))
                continue
            history.record(with_attempt.with_success(name.stem))
            return InstalledImage(candidate, chosen.checked.admission, tuple(preference.refused))

    def _another_image_may_help(self, error: GprovError, media: EmergencyMedia) -> bool:
        """Did a restore fail after the wipe so that another image may succeed now: tar refused the content, PRIMARY is
        full, the second reading differed from the first (a fault of medium or bus: the image itself was good), or the
        removable medium with the image was pulled?"""
        if isinstance(error, DeviceFault) and media.contains(error.subject):
            return True
        if isinstance(error, DeviceFault) and error.errno == ENOSPC:
            primary = self._context.mount_points.primary
            return error.subject == primary or error.subject.startswith(f"{primary}/")
        return isinstance(error, (ContentRefused, IntegrityFault))

    def _room(self, job: RestoreJob) -> Room:
        bios = self._ports.volumes.firmware().kind() is FirmwareKind.BIOS
        return primary_room(job.unit.platform.raid_level, [disk.size for disk in job.targets], bios=bios)

    def _make_plan(self, job: RestoreJob, chosen: ChosenImage) -> Plan:
        # Read only now: verification took long enough for the drivers to find all interfaces.
        nics = self._ports.network.nics()
        facts = gather_facts(job, chosen, nics, self._ports.volumes, self._hasher, self._context)
        plan = plan_restore(replace(facts, array=self._array(job.unit)))
        warning = modules_warning(facts)
        if warning:
            self._bus.warning(warning)
        return plan

    def _array(self, unit: Unit) -> ArraySpec | None:
        """With a new UUID for each restore: a disk that was missing must not count as a member of the new array."""
        level = unit.platform.raid_level
        if level is None:
            return None
        branding = self._context.branding
        hostname = host_identity(unit.serial, branding).hostname
        return array_spec(branding.primary_label, hostname, self._randomness.token(UUID_BYTES), level)

    def _apply(self, plan: Plan) -> None:
        self.primary_changed = True
        try:
            self._ports.executor.run(plan)
        except GprovError:
            self._unmount_all()
            raise

    def _unmount_all(self) -> None:
        """Unmount what the plan mounted, so that RECOVERY can be unmounted and its log kept. A failure is reported and
        not raised: the caller raises the first failure."""
        mounts, mount_points = self._ports.volumes.mounts, self._context.mount_points
        try:
            mounted = {point.target for point in mounts.mounted()}
            for target in (mount_points.boot, mount_points.primary):
                if target in mounted:
                    mounts.unmount(target)
        except GprovError as error:
            self._bus.error(error)
