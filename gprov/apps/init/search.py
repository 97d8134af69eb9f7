"""Looking for the root volume and trying to mount it: facts for the boot decision."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.events import EventBus
from gprov.apps.volumes import volumes_of
from gprov.domain.boot.decision import RETRY_SECONDS
from gprov.domain.boot.facts import Ambiguous, Flag, Found, Mounted, MountFailed, NotFound, RootSearch
from gprov.domain.branding import Branding
from gprov.domain.disk.model import DeviceNumber, FileSystemKind, Volume
from gprov.domain.disk.rootspec import RootSpec, matches
from gprov.domain.disk.targets import detachable
from gprov.domain.errors import DeviceFault
from gprov.ports.block import BlockDevices
from gprov.ports.files import Files
from gprov.ports.filesystem import Mounts

_MOUNTABLE = frozenset(kind.value for kind in FileSystemKind)


@dataclass(frozen=True)
class SearchPorts:
    blocks: BlockDevices
    mounts: Mounts
    files: Files


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
        self._tried: dict[DeviceNumber, _Tried] = {}
        self._at_once = False
        self._mounted: Volume | None = None

    def use(self, volume: Volume) -> None:
        """Take this volume from now on, whatever the specification says."""
        self._chosen = volume.device

    def search(self, elapsed: float) -> RootSearch:
        """Look at all devices; mount the root if there is exactly one. ``elapsed``: seconds on any clock that the
        caller keeps to. What did not mount is tried again after RETRY_SECONDS."""
        if self._mounted is not None:
            return Found(self._mounted, self._flag())
        volumes = volumes_of(self._ports.blocks, self._ports.blocks.disks(), self._bus)
        found = [volume for volume in volumes if self._wanted(volume)]
        if not found:
            return NotFound()
        if len(found) > 1:
            return Ambiguous(tuple(found))
        return Found(found[0], self._look_into(found[0], elapsed))

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

    def _wanted(self, volume: Volume) -> bool:
        if self._chosen is not None:
            return volume.device == self._chosen
        return matches(self._spec, volume)

    def _look_into(self, volume: Volume, elapsed: float) -> Mounted | MountFailed:
        outside = detachable(volume.disk)
        if outside:
            return MountFailed(f"its disk {outside}")
        tried = self._tried.get(volume.device)
        due = tried is None or elapsed - tried.at >= RETRY_SECONDS
        if tried is not None and not due and not self._at_once:
            return tried.failure
        self._at_once = False
        error = self._mount(volume)
        if error:
            # One at once after another counts as one: nothing had time to get better.
            attempts = (tried.failure.attempts if tried is not None else 0) + due
            failure = MountFailed(error, attempts)
            self._tried[volume.device] = _Tried(elapsed if due or tried is None else tried.at, failure)
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
