"""Mounts of the simulated machine, and switch root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from errno import EINVAL, EIO, EROFS, EUCLEAN

from typing_extensions import override

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.paths import locate, require_attached, volume_at
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.machine.storage import FakeMount, Node
from gprov.adapters.fake.machine.writes import refuse_protected
from gprov.domain.disk.model import ActiveMount
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileType
from gprov.ports.filesystem import Mounts


class FakeMounts(Mounts):
    def __init__(self, machine: SimulatedMachine) -> None:
        self._machine = machine

    @override
    def mount(self, node: str, target: str, kind: str, options: Iterable[str] = ()) -> None:
        if "remount" in (chosen := frozenset(options)):
            self._remount(node, target, chosen)
            return
        self._machine.begin_write(f"mount {node}")
        disk, part = self._machine.partition(node)
        if part.volume is None or part.volume.kind.value != kind:
            raise DeviceFault(node, f"cannot mount: no {kind} file system", errno=EINVAL)
        if part.volume.damaged:
            raise DeviceFault(node, "cannot mount: structure needs cleaning", errno=EUCLEAN)
        if "ro" not in chosen:
            refuse_protected(disk)
            self._machine.note_array_write(part)
        self._make_mount_point(target)
        part.volume.replay()
        point = ActiveMount(part.device, target, kind, chosen)
        self._machine.mounts.append(FakeMount(point, part.volume, "ro" in chosen))

    def _remount(self, node: str, target: str, options: frozenset[str]) -> None:
        self._machine.begin_write(f"remount {target}")
        disk, part = self._machine.partition(node)
        for mount in self._machine.mounts:
            if mount.point.target == target and mount.volume is part.volume:
                if "ro" not in options:
                    refuse_protected(disk)
                    self._machine.note_array_write(part)
                if self._machine.reachable(mount.volume):
                    mount.volume.sync()
                mount.read_only = "ro" in options
                mount.point = replace(mount.point, options=options - {"remount"})
                return
        raise DeviceFault(node, f"cannot remount at {target}: is not mounted there", errno=EINVAL)

    def _make_mount_point(self, target: str) -> None:
        place = locate(self._machine, target)
        if place.node is None:
            if place.mount is not None and place.mount.read_only:
                raise DeviceFault(target, "cannot make the mount point: read-only file system", errno=EROFS)
            place.volume.write(place.inner, Node(type=FileType.FOLDER, mode=0o755))
        elif place.node.type is not FileType.FOLDER:
            raise DeviceFault(target, "cannot mount here: is not a folder")

    @override
    def unmount(self, target: str) -> None:
        self._machine.begin_write(f"unmount {target}")
        for mount in reversed(self._machine.mounts):
            inner_mounts = [other for other in self._machine.mounts if other.point.target.startswith(target + "/")]
            if mount.point.target == target:
                if inner_mounts:
                    raise DeviceFault(target, f"cannot unmount: busy ({inner_mounts[0].point.target})")
                whole = not self._machine.reachable(mount.volume) or mount.volume.sync()
                self._machine.mounts.remove(mount)
                if not whole:
                    raise DeviceFault(
                        target, "unmounted, but data was lost while flushing: Input/output error", errno=EIO
                    )
                return
        raise DeviceFault(target, "cannot unmount: not mounted")

    @override
    def mounted(self) -> tuple[ActiveMount, ...]:
        return tuple(mount.point for mount in self._machine.mounts)

    @override
    def switch_root(self, target: str, init: str) -> None:
        self._machine.begin_write(f"switch root to {target}")
        _, volume, _ = volume_at(self._machine, target)
        place = locate(self._machine, f"{target}{init}")
        require_attached(self._machine, place)
        node = place.node
        if node is None or node.type is not FileType.FILE:
            raise DeviceMissing(f"{target}{init}", "cannot start: No such file or directory")
        for name in ("dev", "proc", "run", "sys"):
            found = locate(self._machine, f"{target}/{name}").node
            if found is None or found.type is not FileType.FOLDER:
                raise DeviceFault(target, f"switch root: no folder {name} on a read-only volume", errno=EROFS)
        self._machine.switched_to = init
        for one in self._machine.running:
            if one.array.device.volume is volume:
                self._machine.note_array_write(one.array.device)  # it mounts its root for writing
        raise MachineStopped(StopReason.SWITCHED_ROOT)
