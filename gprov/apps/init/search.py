"""Finding the root volume and mounting it: facts for the boot decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gprov.apps.init.attempts import FailedAttempts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.volumes import RESCAN_SECONDS, volumes_of
from gprov.domain.boot.boot_counts import REQUEST_FILE
from gprov.domain.boot.facts import Ambiguous, Flag, Found, Mounted, MountFailed, NotFound, RootSearch
from gprov.domain.disk.model import KNOWN_KINDS, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER, RootSpec, matches
from gprov.domain.disk.targets import removable_reason
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.platform.facts_file import FACTS_FILE, names_display
from gprov.ports.clock import Deadline

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.apps.init.arrays import ArrayStarter
    from gprov.domain.boot.boot_request import BootRequest, UnreadableRequest
    from gprov.domain.disk.arrays import FoundArray


_FACTS_BYTES = 1 << 20


class RootFinder:
    """Finds, mounts (read-only) and unmounts the root volume, and keeps the results of earlier attempts.

    Only a root with its flag file on a built-in disk stays mounted. Every other volume is unmounted at once: it may not
    be the root, and a target survey would take a mounted volume for one in use.
    """

    def __init__(self, ports: VolumePorts, spec: RootSpec, context: UnitContext) -> None:
        self._ports = ports
        self._spec = spec
        self._context = context
        self._target = context.mount_points.root
        self._bus = context.bus
        self._chosen: DeviceNumber | None = None
        self._failures = FailedAttempts()  # by the volume's mark
        self._retry_now = False
        self._mounted: Volume | None = None
        self._waiting = False
        self._starter: ArrayStarter | None = None
        self.scanned: tuple[Volume, ...] | None = None

    def use(self, volume: Volume) -> None:
        """From now on, take this volume for the root, even if it does not match the specification."""
        self._chosen = volume.device

    def search(self, elapsed: float) -> RootSearch:
        """Scan all devices; mount the root if exactly one volume matches. ``elapsed``: seconds on any monotonic clock.
        A failed mount is tried again after RETRY_SECONDS."""
        self.scanned = None
        if self._mounted is not None and not self._waiting:
            return Found(self._mounted, self._flag())
        self.release()
        disks = self._ports.blocks.disks()
        volumes = self.scanned = volumes_of(self._ports.blocks, disks, self._bus)
        arrays: tuple[FoundArray, ...] = ()
        if any(volume.contents.kind == RAID_MEMBER for volume in volumes):
            scan = self._array_starter().scan(disks, volumes, elapsed)
            volumes, arrays = (*volumes, *scan.volumes), scan.waiting
        self._waiting = bool(arrays)
        found = [volume for volume in volumes if self._is_root(volume)]
        if not found:
            return NotFound(arrays)
        if len(found) > 1:
            return Ambiguous(tuple(found))
        return Found(found[0], self._examine_volume(found[0], elapsed), arrays)

    def wait_for_root(self, seconds: float) -> Volume | None:
        """The root, mounted read-only, if it appears within that time, is not ambiguous and has its flag file."""
        clock, blocks = self._ports.clock, self._ports.blocks
        deadline = Deadline(clock, seconds)
        with blocks.changes() as changes:
            while True:
                root = self.search(clock.monotonic())
                if isinstance(root, Found) and isinstance(root.mount, Mounted) and root.mount.flag is Flag.PRESENT:
                    return root.volume
                if deadline.passed:
                    return None
                changes.wait(min(deadline.remaining, RESCAN_SECONDS))

    def start_array(self, array: FoundArray, elapsed: float) -> None:
        """Assemble it without its missing members. The next ``search`` returns the result."""
        self._array_starter().start(array, elapsed)

    def started_array(self, volume: Volume) -> FoundArray | None:
        """The array that this volume is on, in its state before it was assembled."""
        return self._starter.started.get(volume.array) if self._starter is not None else None

    def retry(self) -> None:
        """The root's device was changed: mount it at the next ``search``, even before RETRY_SECONDS have passed."""
        self._retry_now = True

    def release(self) -> None:
        """Unmount the root, if it is mounted. A failure is reported; a disk with a mounted volume is an excluded
        disk."""
        if self._mounted is not None:
            self._mounted = None
            try:
                self._ports.mounts.unmount(self._target)
            except DeviceFault as fault:
                self._bus.warning(str(fault))

    def _array_starter(self) -> ArrayStarter:
        from gprov.apps.init.arrays import ArrayStarter

        if self._starter is None:
            self._starter = ArrayStarter(ports=self._ports, context=self._context)
        return self._starter

    def _is_root(self, volume: Volume) -> bool:
        if self._chosen is not None:
            return volume.device == self._chosen
        return matches(self._spec, volume)

    def _examine_volume(self, volume: Volume, elapsed: float) -> Mounted | MountFailed:
        problem = removable_reason(volume.disk)
        if problem:
            return MountFailed(f"its disk {problem}")
        last, due = self._failures.last(volume.stable_id), self._failures.due(volume.stable_id, elapsed)
        if last is not None and not due and not self._retry_now:
            return MountFailed(last.error, last.attempts)
        self._retry_now = False
        error = self._mount(volume)
        if error:
            # An immediate second attempt does not count: the device had no time to change its state.
            failure = self._failures.add(volume.stable_id, error, elapsed, counts=due)
            return MountFailed(failure.error, failure.attempts)
        found = self._flag()
        if found.flag is not Flag.PRESENT:
            self.release()
        return found

    def _mount(self, volume: Volume) -> str:
        """The reason why it cannot be mounted; "" if it is mounted now."""
        kind = volume.contents.kind
        if kind not in KNOWN_KINDS:
            return f"file system {kind or 'unknown'}"
        try:
            self._ports.mounts.mount(volume.node, self._target, kind, ("ro",))
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return fault.reason
        self._mounted = volume
        return ""

    def _flag(self) -> Mounted:
        try:
            status = self._ports.files.status(f"{self._target}/{self._context.branding.flag_file}")
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return Mounted(Flag.UNREADABLE)
        if status is None:
            return Mounted(Flag.ABSENT)
        return Mounted(Flag.PRESENT, expects_display=self._expects_display(), request=self._request())

    def _request(self) -> BootRequest | UnreadableRequest | None:
        path = f"{self._target}{self._context.branding.config_folder}/{REQUEST_FILE}"
        try:
            if self._ports.files.status(path) is None:
                return None
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return None
        from gprov.apps.init.system_requests import SystemRequests

        return SystemRequests(self._ports, self._context).read()

    def _expects_display(self) -> bool:
        """Whether the last restore found a display, or the platform has one."""
        files, path = self._ports.files, f"{self._target}{self._context.branding.config_folder}/{FACTS_FILE}"
        try:
            return files.status(path) is not None and names_display(files.read(path, _FACTS_BYTES))
        except GprovError as error:
            self._bus.log(f"whether this unit has a display is not known: {error}")
            return False
