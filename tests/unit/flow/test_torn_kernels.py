"""Kernels of which FAT kept only the front: they are no kernels, whatever their headers say."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.cuts import operations_of, settle
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.files import FileType

KERNELS = ("/norm_boot", "/EFI/BOOT/BOOTX64.EFI")
NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"


@pytest.fixture(scope="module")
def running() -> World:
    world = new_world()
    world.provision()
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


def halve(world: World, path: str) -> None:
    esp = world.machine.tree("ESP")
    node = esp.get(path)
    assert node is not None
    esp.put(path, Node(type=FileType.FILE, content=node.content[: len(node.content) // 2]))
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()


def kernel(world: World, path: str) -> bytes:
    node = world.machine.tree("ESP").get(path)
    return node.content if node is not None else b""


@pytest.mark.parametrize("path", KERNELS)
def test_the_next_restore_makes_both_kernels_whole_again(running: World, path: str) -> None:
    world = deepcopy(running)
    halve(world, path)
    assert settle(world) == ("reboot", "switched root")
    assert [kernel(world, place) for place in KERNELS] == [build_kernel(100)] * 2


def test_the_only_whole_kernel_is_not_replaced_before_the_other_is_whole(running: World) -> None:
    """The restore of a newer kernel begins with the copy that is damaged: power may go while a file is replaced."""
    world = deepcopy(running)
    halve(world, KERNELS[0])
    image = build_image(build_kernel(101))
    world.machine.tree("RECOVERY").put(f"/Image/{NEWER}", Node(type=FileType.FILE, content=image))
    world.machine.flush()
    names = operations_of(copy := deepcopy(world), copy.boot)
    replaced = [name.rsplit("/ESP", 1)[1] for name in names if name.startswith("put in place") and "/ESP/" in name]
    assert replaced == list(KERNELS)


def test_a_restore_gives_back_what_cuts_left_taken_on_the_esp(running: World) -> None:
    """Without that, no kernel would fit after some of them, and RECOVERY would keep an old one for ever."""
    world = deepcopy(running)
    newer = build_kernel(101)
    image = build_image(newer)
    world.machine.tree("RECOVERY").put(f"/Image/{NEWER}", Node(type=FileType.FILE, content=image))
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()
    (esp,) = [volume for volume in world.machine.volumes() if volume.label == "ESP"]
    esp.lost = esp.size - esp.current.size()
    assert settle(world) == ("reboot", "switched root")
    assert [kernel(world, place) for place in KERNELS] == [newer] * 2
    assert esp.lost == 0
