"""Looking for the root volume and trying to mount it: facts for the boot decision."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.apps.events import EventBus
from gprov.apps.volumes import volumes_of
from gprov.domain.boot.facts import Ambiguous, Flag, Found, Mounted, MountFailed, NotFound, RootSearch
from gprov.domain.branding import Branding
from gprov.domain.disk.model import DeviceNumber, FileSystemKind, Volume
from gprov.domain.disk.rootspec import RootSpec, matches
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


class RootFinder:
    """Finds, mounts (read-only) and unmounts the root; remembers what it tried."""

    def __init__(self, ports: SearchPorts, spec: RootSpec, target: str, branding: Branding, bus: EventBus) -> None:
        self._ports = ports
        self._spec = spec
        self._target = target
        self._branding = branding
        self._bus = bus
        self._chosen: DeviceNumber | None = None
        self._attempts: dict[DeviceNumber, int] = {}
        self._mounted: Volume | None = None

    def use(self, volume: Volume) -> None:
        """Take this volume from now on, whatever the specification says."""
        self._chosen = volume.device

    def search(self) -> RootSearch:
        """Look at all devices; mount the root if there is exactly one."""
        if self._mounted is not None:
            return Found(self._mounted, self._flag())
        volumes = volumes_of(self._ports.blocks, self._ports.blocks.disks(), self._bus)
        found = [volume for volume in volumes if self._wanted(volume)]
        if not found:
            return NotFound()
        if len(found) > 1:
            return Ambiguous(tuple(found))
        return Found(found[0], self._mount(found[0]))

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

    def _mount(self, volume: Volume) -> Mounted | MountFailed:
        kind = volume.contents.kind
        attempts = self._attempts[volume.device] = self._attempts.get(volume.device, 0) + 1
        if kind not in _MOUNTABLE:
            return MountFailed(f"file system {kind or 'unknown'}", attempts)
        try:
            self._ports.mounts.mount(volume.node, self._target, kind, ("ro",))
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return MountFailed(fault.reason, attempts)
        self._mounted = volume
        return self._flag()

    def _flag(self) -> Mounted:
        try:
            status = self._ports.files.status(f"{self._target}/{self._branding.flag_file}")
        except DeviceFault as fault:
            self._bus.warning(str(fault))
            return Mounted(Flag.UNREADABLE)
        return Mounted(Flag.PRESENT if status is not None else Flag.ABSENT)
