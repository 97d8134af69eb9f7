"""Looking for the root volume and trying to mount it: facts for the boot decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gprov.apps.unit.devices.volumes import volumes_of
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.decision import RETRY_SECONDS
from gprov.domain.boot.facts import Ambiguous, Flag, Found, Mounted, MountFailed, NotFound, RootSearch
from gprov.domain.branding import Branding
from gprov.domain.disk.model import FileSystemKind, Volume
from gprov.domain.disk.rootspec import RAID_MEMBER, RootSpec, matches
from gprov.domain.disk.targets import detachable
from gprov.domain.errors import DeviceFault
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.ports.block import BlockDevices
from gprov.ports.files import Files
from gprov.ports.filesystem import Mounts

if TYPE_CHECKING:  # most units have no array: a normal boot should not import them
    from gprov.apps.init.arrays import ArrayStarter
    from gprov.domain.disk.arrays import FoundArray
    from gprov.ports.arrays import Arrays

_MOUNTABLE = frozenset(kind.value for kind in FileSystemKind)


@dataclass(frozen=True, kw_only=True)
class SearchPorts:
    """``arrays`` is made only if there is a member of one."""

    blocks: BlockDevices
    mounts: Mounts
    files: Files
    arrays: Callable[[], Arrays]


@dataclass(frozen=True)
class _Tried:
    """The last try that counts, and what came of it."""

    at: float
    failure: MountFailed


class RootFinder:
    """Finds, mounts (read-only) and unmounts the root; remembers what it tried.

    Only a root with its flag on a built-in disk, which can be switched to, stays mounted. Everything else is unmounted
    again at once: it may not be the root at all, and whoever looks at the disks then must not find it in use.
    """

    def __init__(self, ports: SearchPorts, spec: RootSpec, target: str, branding: Branding, bus: EventBus) -> None:
        self._ports = ports
        self._spec = spec
        self._target = target
        self._branding = branding
        self._bus = bus
        self._chosen: DeviceNumber | None = None
        self._tried: dict[str, _Tried] = {}  # by the volume's mark
        self._at_once = False
        self._mounted: Volume | None = None
        self._waiting = False
        self._starter: ArrayStarter | None = None

    def use(self, volume: Volume) -> None:
        """Take this volume from now on, whatever the specification says."""
        self._chosen = volume.device

    def search(self, elapsed: float) -> RootSearch:
        """Look at all devices; mount the root if there is exactly one. ``elapsed``: seconds on any clock that the
        caller keeps to. What did not mount is tried again after RETRY_SECONDS."""
        if self._mounted is not None and not self._waiting:
            return Found(self._mounted, self._flag())
        self.release()
        disks = self._ports.blocks.disks()
        volumes = volumes_of(self._ports.blocks, disks, self._bus)
        arrays: tuple[FoundArray, ...] = ()
        if any(volume.contents.kind == RAID_MEMBER for volume in volumes):
            seen = self._array_starter().look(disks, volumes, elapsed)
            volumes, arrays = (*volumes, *seen.volumes), seen.waiting
        self._waiting = bool(arrays)
        found = [volume for volume in volumes if self._wanted(volume)]
        if not found:
            return NotFound(arrays)
        if len(found) > 1:
            return Ambiguous(tuple(found))
        return Found(found[0], self._look_into(found[0], elapsed), arrays)

    def start_array(self, array: FoundArray, elapsed: float) -> None:
        """Start it without its missing members. What comes of it, the next search tells."""
        self._array_starter().start(array, elapsed)

    def started_array(self, volume: Volume) -> FoundArray | None:
        """The array that this volume is on, as it was when it was started."""
        return self._starter.started.get(volume.array) if self._starter is not None else None

    def retry(self) -> None:
        """Something changed on the root's device: mount it at the next search, however recent the last try is."""
        self._at_once = True

    def release(self) -> None:
        """Unmount the root, if it is mounted. One that stays mounted is reported; nobody will then take its disk for a
        target."""
        if self._mounted is not None:
            self._mounted = None
            try:
                self._ports.mounts.unmount(self._target)
            except DeviceFault as fault:
                self._bus.warning(str(fault))

    def _array_starter(self) -> ArrayStarter:
        from gprov.apps.init.arrays import ArrayStarter

        if self._starter is None:
            ports = self._ports
            self._starter = ArrayStarter(ports.arrays, ports.blocks, self._branding.primary_label, self._bus)
        return self._starter

    def _wanted(self, volume: Volume) -> bool:
        if self._chosen is not None:
            return volume.device == self._chosen
        return matches(self._spec, volume)

    def _look_into(self, volume: Volume, elapsed: float) -> Mounted | MountFailed:
        outside = detachable(volume.disk)
        if outside:
            return MountFailed(f"its disk {outside}")
        tried = self._tried.get(volume.mark)
        due = tried is None or elapsed - tried.at >= RETRY_SECONDS
        if tried is not None and not due and not self._at_once:
            return tried.failure
        self._at_once = False
        error = self._mount(volume)
        if error:
            # One at once after another counts as one: nothing had time to get better.
            attempts = (tried.failure.attempts if tried is not None else 0) + due
            failure = MountFailed(error, attempts)
            self._tried[volume.mark] = _Tried(elapsed if due or tried is None else tried.at, failure)
            return failure
        found = self._flag()
        if found.flag is not Flag.PRESENT:
            self.release()
        return found

    def _mount(self, volume: Volume) -> str:
        """Why it cannot be mounted; empty if it is now."""
        kind = volume.contents.kind
        if kind not in _MOUNTABLE:
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
            status = self._ports.files.status(f"{self._target}/{self._branding.flag_file}")
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return Mounted(Flag.UNREADABLE)
        return Mounted(Flag.PRESENT if status is not None else Flag.ABSENT)
