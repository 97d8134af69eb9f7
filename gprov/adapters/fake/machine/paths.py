"""Path resolution on the simulated machine, with links and mount points, as the Files port specifies it."""

from __future__ import annotations

from dataclasses import dataclass
from errno import EIO, ELOOP

from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.storage import FakeMount, FakeVolume, Node
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.files import FileType

_MAX_LINKS = 40


@dataclass(frozen=True, kw_only=True)
class ResolvedPath:
    """``path``: of the machine, without links. ``inner``: path within ``volume``. ``node``: None if nothing exists
    there. ``mount``: None for the machine's memory."""

    path: str
    mount: FakeMount | None
    volume: FakeVolume
    inner: str
    node: Node | None


def locate(machine: SimulatedMachine, path: str, *, follow: bool = True) -> ResolvedPath:
    """Resolve a path. ``follow``: also follow a link that is the last component. Links (absolute ones and ``..`` too)
    cannot leave the mounted volume in which the path begins, except into volumes mounted on it.

    Raises DeviceMissing if a component is not a folder, or a link leads to nothing.
    """
    root = _root(machine, path)
    rest = path[len(root) :].split("/")
    done: list[str] = []
    links = 0
    must_exist = 0  # so many components at the front of ``rest`` come from links
    while rest:
        name = rest.pop(0)
        linked, must_exist = must_exist > 0, max(0, must_exist - 1)
        if name in ("", "."):
            continue
        if name == "..":
            done = done[:-1]
            continue
        more = any(word not in ("", ".") for word in rest)
        place = _resolve_path(machine, "/".join((root, *done, name)))
        if place.node is not None and place.node.type is FileType.SYMLINK and (more or follow):
            links += 1
            if links > _MAX_LINKS:
                raise DeviceFault(path, "too many levels of symbolic links", errno=ELOOP)
            text = place.node.content.decode()
            words = text.split("/")
            done = [] if text.startswith("/") else done
            rest, must_exist = words + rest, len(words) + must_exist
            continue
        if place.node is None and linked:
            raise DeviceMissing(path, "leads through a link whose target does not exist")
        if place.node is not None and more and place.node.type is not FileType.FOLDER:
            raise DeviceMissing(path, f"{name} is not a folder")
        done.append(name)
    return _resolve_path(machine, "/".join((root, *done)) or "/")


def volume_at(machine: SimulatedMachine, path: str) -> tuple[FakeMount | None, FakeVolume, str]:
    """Return the mount and volume that hold an absolute path (without links), and the path within the volume."""
    best: FakeMount | None = None
    for mount in machine.mounts:
        target = mount.point.target
        if (path == target or path.startswith(target + "/")) and (
            best is None or len(target) >= len(best.point.target)
        ):
            best = mount
    if best is None:
        return None, machine.ram, path
    return best, best.volume, path[len(best.point.target) :] or "/"


def _root(machine: SimulatedMachine, path: str) -> str:
    """Mount point of the innermost volume in which a path begins; "" for the machine's memory."""
    mount, _, _ = volume_at(machine, path)
    return mount.point.target if mount is not None else ""


def _resolve_path(machine: SimulatedMachine, path: str) -> ResolvedPath:
    mount, volume, inner = volume_at(machine, path)
    return ResolvedPath(path=path, mount=mount, volume=volume, inner=inner, node=volume.current.get(inner))


def require_attached(machine: SimulatedMachine, place: ResolvedPath) -> None:
    """Raise DeviceFault if the volume's disk was detached."""
    if not machine.reachable(place.volume):
        raise DeviceFault(place.path, "input/output error: its disk was detached", errno=EIO)


def read_file(machine: SimulatedMachine, path: str) -> Node:
    """Return a regular file. Raises DeviceMissing, DeviceFault."""
    machine.begin_read(f"read {path}")
    place = locate(machine, path)
    node = place.node
    if node is None:
        raise DeviceMissing(path, "no such file")
    require_attached(machine, place)
    if node.type is not FileType.FILE:
        raise DeviceFault(path, "is not a file")
    return node
