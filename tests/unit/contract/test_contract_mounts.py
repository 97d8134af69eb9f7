"""Contract of Mounts (besides switch_root, which ends a program)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.errors import DeviceFault, DeviceMissing

if TYPE_CHECKING:
    from tests.unit.contract.conftest import World


def points(world: World) -> list[tuple[str, str]]:
    """Target and kind of what is mounted below the world's folder, in the table's order."""
    return [
        (point.target, point.kind) for point in world.mounts.mounted() if point.target.startswith(f"{world.folder}/")
    ]


def test_mount_and_unmount(world: World, kind: FileSystemKind) -> None:
    node, target = world.formatted(kind), world.path("made/for/it")
    device = next(part.device for disk in world.blocks.disks() for part in disk.partitions if part.node == node)
    world.mounts.mount(node, target, kind.value, ("relatime",))
    assert points(world) == [(target, kind.value)]
    (point,) = [point for point in world.mounts.mounted() if point.target == target]
    assert point.device == device
    assert "ro" not in point.options
    world.files.replace(f"{target}/file", b"kept")
    world.mounts.unmount(target)
    assert points(world) == []
    assert world.files.status(f"{target}/file") is None
    assert world.files.status(target) is not None
    world.mounts.mount(node, target, kind.value)
    assert world.files.read(f"{target}/file") == b"kept"


def test_read_only(world: World, kind: FileSystemKind) -> None:
    node, target = world.formatted(kind), world.path("volume")
    world.mounts.mount(node, target, kind.value)
    world.files.replace(f"{target}/file", b"old")
    world.mounts.unmount(target)
    world.mounts.mount(node, target, kind.value, ("ro",))
    (point,) = [point for point in world.mounts.mounted() if point.target == target]
    assert "ro" in point.options
    attempts: tuple[Callable[[], None], ...] = (
        lambda: world.files.replace(f"{target}/file", b"new"),
        lambda: world.files.make_folder(f"{target}/folder"),
        lambda: world.files.rename(f"{target}/file", f"{target}/other"),
        lambda: world.files.remove(f"{target}/file"),
    )
    for attempt in attempts:
        with pytest.raises(DeviceFault):
            attempt()
    assert world.files.names(target) == tuple(sorted({*world.files.names(target), "file"}))
    assert world.files.read(f"{target}/file") == b"old"


def test_remount(world: World, kind: FileSystemKind) -> None:
    """How init counts a start on the root that it has mounted read-only."""
    node, target = world.formatted(kind), world.path("volume")
    with pytest.raises(DeviceFault):
        world.mounts.mount(node, target, kind.value, ("remount", "rw"))
    assert points(world) == []
    world.mounts.mount(node, target, kind.value, ("ro",))
    world.mounts.mount(node, target, kind.value, ("remount", "rw"))
    world.files.replace(f"{target}/file", b"written")
    world.mounts.mount(node, target, kind.value, ("remount", "ro"))
    (point,) = [point for point in world.mounts.mounted() if point.target == target]
    assert "ro" in point.options
    with pytest.raises(DeviceFault):
        world.files.replace(f"{target}/file", b"again")
    assert world.files.read(f"{target}/file") == b"written"
    world.mounts.unmount(target)
    world.mounts.mount(node, target, kind.value, ("ro",))
    assert world.files.read(f"{target}/file") == b"written"


def test_what_cannot_be_mounted(world: World) -> None:
    node, target = world.formatted(FileSystemKind.EXT4), world.path("volume")
    with pytest.raises(DeviceMissing):
        world.mounts.mount("/dev/no-such-disk1", target, "ext4")
    for kind in ("vfat", "nosuchfs"):
        with pytest.raises(DeviceFault):
            world.mounts.mount(node, target, kind)
    assert points(world) == []


def test_what_is_not_mounted_is_not_unmounted(world: World) -> None:
    world.files.make_folder(world.path("folder"))
    for name in ("folder", "nosuch"):
        with pytest.raises(DeviceFault):
            world.mounts.unmount(world.path(name))


def test_a_volume_with_another_on_it_is_busy(world: World) -> None:
    outer, inner = world.path("volume"), world.path("volume/ESP")
    world.mounts.mount(world.formatted(FileSystemKind.EXT4), outer, "ext4")
    world.files.replace(f"{outer}/ESP/hidden", b"below")
    world.mounts.mount(world.formatted(FileSystemKind.EXT4), inner, "ext4")
    world.files.replace(f"{inner}/file", b"on the inner")
    assert [target for target, _ in points(world)] == [outer, inner]
    assert world.files.status(f"{inner}/hidden") is None
    with pytest.raises(DeviceFault):
        world.mounts.unmount(outer)
    assert world.files.read(f"{inner}/file") == b"on the inner"
    with pytest.raises(DeviceFault):
        world.files.remove(inner)
    world.mounts.unmount(inner)
    assert world.files.names(f"{outer}/ESP") == ("hidden",)
    world.mounts.unmount(outer)


def test_links_of_a_volume_lead_into_what_is_mounted_on_it(world: World) -> None:
    """norm_boot -> ESP/norm_boot on RECOVERY."""
    outer, inner = world.path("volume"), world.path("volume/ESP")
    world.mounts.mount(world.formatted(FileSystemKind.EXT4), outer, "ext4")
    world.mounts.mount(world.formatted(FileSystemKind.EXT4), inner, "ext4")
    world.files.replace(f"{inner}/norm_boot", b"kernel")
    world.files.symlink("ESP/norm_boot", f"{outer}/norm_boot")
    assert world.files.read(f"{outer}/norm_boot") == b"kernel"
