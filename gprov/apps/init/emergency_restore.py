"""A restore with emergency files: announced, cancelled by a key, and ended by the removal of the media."""

from __future__ import annotations

from collections.abc import Iterable

from gprov.apps.init.ports import InitPorts, RestoreFlow
from gprov.apps.init.search import RootFinder
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.devices.settling import SETTLE_SECONDS
from gprov.apps.unit.devices.volumes import RESCAN_SECONDS
from gprov.apps.unit.reporting.pause import format_duration
from gprov.domain.boot.args import FAILURE_HOLD_SECONDS, PreferredImage
from gprov.domain.boot.facts import Flag, Found, Mounted
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.rootspec import parse_root
from gprov.domain.emergency.request import EmergencyRequest
from gprov.domain.errors import EraseUnfinished, GprovError
from gprov.domain.recovery_files import EMERGENCY_RECORD
from gprov.ports.clock import Deadline

# A person who is present may cancel the restore for so long, in seconds.
CANCEL_SECONDS = 30.0
_KEY_SECONDS = 0.5


class EmergencyRestore:
    def __init__(self, ports: InitPorts, context: UnitContext) -> None:
        self._ports = ports
        self._context = context
        self._bus = context.bus
        hold = context.arguments.failure_hold
        self._hold = FAILURE_HOLD_SECONDS if hold is None else hold

    def run(self, request: EmergencyRequest, restore: RestoreFlow) -> bool:
        """Returns True when the unit is restored, and the media are removed or were waited for. False: nothing on
        PRIMARY has changed, since a person cancelled or no file can be used; the reason was shown.

        Raises GprovError if the restore failed after it began to write to PRIMARY; EraseUnfinished.
        """
        if self._is_cancelled(request):
            self._bus.message("Cancelled: nothing is restored from removable media during this start")
            return False
        try:
            restore.run(PreferredImage.LATEST, emergency=request)
        except EraseUnfinished:
            raise
        except GprovError as error:
            if restore.primary_changed:
                raise
            text = f"Not restored from removable media: {error}. Remove the media; this start goes on"
            self._wait_for_removal(request, text)
            return False
        seconds = format_duration(self._hold)
        text = f"Restored from {request.files[0].name}. Remove the media: restart then, or in {seconds}"
        if self._wait_for_removal(request, text):
            self._forget_files()
            restore.forget_emergency_files()
        return True

    def _is_cancelled(self, request: EmergencyRequest) -> bool:
        text = f"Emergency file found, this unit is going to be erased and restored: {request.describe()}"
        self._bus.message(text)
        operator = self._ports.operator
        if not operator.is_present:
            return False
        operator.show(f"{text}. In {CANCEL_SECONDS:g} s; any key: cancel")
        return operator.key_pressed(CANCEL_SECONDS)

    def _wait_for_removal(self, request: EmergencyRequest, text: str) -> bool:
        """Show a text until the media are removed, a key is pressed or the time is over. Returns True if they are
        removed, and stay away for the settle time: a loose contact is no removal."""
        operator, clock = self._ports.operator, self._ports.volumes.clock
        self._bus.message(text)
        operator.show(text)
        end = Deadline(clock, self._hold)
        disks = {file.volume.disk.device: file.volume.disk for file in request.files}.values()
        with self._ports.volumes.blocks.changes() as changes:
            while not end.passed:
                if not self._are_present(disks):
                    changes.wait(SETTLE_SECONDS)
                    if not self._are_present(disks):
                        return True
                present = operator.is_present
                if present and operator.key_pressed(min(_KEY_SECONDS, end.remaining)):
                    return False
                changes.wait(min(end.remaining, 0.0 if present else RESCAN_SECONDS))
        return False

    def _are_present(self, disks: Iterable[Disk]) -> bool:
        wanted = {(disk.identity, disk.size) for disk in disks}
        return any((disk.identity, disk.size) in wanted for disk in self._ports.volumes.blocks.disks())

    def _forget_files(self) -> None:
        """The media are gone, and the restored system never ran: when they are plugged in again, a person wants another
        restore. A failure is reported; then the files are ignored as long as this system is installed."""
        spec = parse_root(f"LABEL={self._context.branding.primary_label}").spec
        finder = RootFinder(self._ports.volumes, spec, self._context)
        root = finder.search(0.0)
        if isinstance(root, Found) and isinstance(root.mount, Mounted) and root.mount.flag is Flag.PRESENT:
            self._remove_record(root.volume)
        finder.release()

    def _remove_record(self, volume: Volume) -> None:
        root, kind = self._context.mount_points.root, volume.contents.kind
        mounts, files = self._ports.volumes.mounts, self._ports.volumes.files
        try:
            mounts.mount(volume.node, root, kind, ("remount", "rw"))
            try:
                files.remove(f"{root}{self._context.branding.config_folder}/{EMERGENCY_RECORD}")
            finally:
                mounts.mount(volume.node, root, kind, ("remount", "ro"))
        except GprovError as error:
            self._bus.warning(f"the emergency files will be ignored when they are plugged in again: {error}")
