"""Power lost at every operation of restore and provisioning: the unit must always come back by itself, whole."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.artifacts import build_image, build_kernel
from gprov.adapters.fake.power import Stop
from gprov.adapters.fake.storage import Node
from gprov.apps.simulate.cuts import cut_at, operations_of, settle
from gprov.apps.simulate.world import World, new_world
from gprov.domain.files import FileType

NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
FLAG = "/boot.normal"


def content(world: World, label: str) -> dict[str, Node | None]:
    tree = world.machine.tree(label)
    return {path: tree.get(path) for path in tree.paths()}


def put(world: World, label: str, path: str, data: bytes) -> None:
    world.machine.tree(label).put(path, Node(FileType.FILE, data))
    world.machine.flush()


def drop(world: World, label: str, path: str) -> None:
    world.machine.tree(label).drop(path)
    world.machine.flush()


@pytest.fixture(scope="module")
def blank() -> World:
    return new_world()


@pytest.fixture(scope="module")
def provisioned(blank: World) -> World:
    world = deepcopy(blank)
    assert world.provision() is Stop.REBOOT
    return world


@pytest.fixture(scope="module")
def running(provisioned: World) -> World:
    """A unit that restored itself and booted once."""
    world = deepcopy(provisioned)
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture(scope="module")
def updated(running: World) -> World:
    """A unit whose next start restores a newer image with a newer kernel."""
    world = deepcopy(running)
    put(world, "RECOVERY", f"/Image/{NEWER}", build_image(build_kernel(101), extra={"etc/newer": b"yes"}))
    drop(world, "PRIMARY", FLAG)
    return world


@pytest.fixture(scope="module")
def asked(running: World) -> World:
    """A unit with a newer image and a system that would boot."""
    world = deepcopy(running)
    put(world, "RECOVERY", f"/Image/{NEWER}", build_image(build_kernel(101), extra={"etc/newer": b"yes"}))
    return world


def undisturbed(world: World) -> dict[str, Node | None]:
    copy = deepcopy(world)
    assert settle(copy)[-1] == "switched root"
    return content(copy, "PRIMARY")


def check_unit(world: World) -> None:
    """What must hold whenever a unit has come to rest."""
    recovery = world.machine.tree("RECOVERY")
    assert recovery.get("/log/restore.unfinished") is None
    assert not [path for path in recovery.paths() if path.endswith(".partial")]
    esp = world.machine.tree("ESP")
    kernel, fallback = esp.get("/norm_boot"), esp.get("/EFI/BOOT/BOOTX64.EFI")
    assert kernel is not None
    assert fallback is not None
    assert kernel.content == fallback.content


@pytest.mark.parametrize("torn", [False, True])
def test_a_restore_that_is_cut_anywhere_ends_in_the_whole_new_system(updated: World, torn: bool) -> None:
    expected = undisturbed(updated)
    names = operations_of(copy := deepcopy(updated), copy.boot)
    assert len(names) > 40
    for at, name in enumerate(names):
        world = deepcopy(updated)
        world.machine.torn_cuts = torn
        assert cut_at(world, world.boot, at) == name
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        assert content(world, "PRIMARY") == expected, f"cut at {name}"
        check_unit(world)


@pytest.mark.parametrize("torn", [False, True])
def test_a_provisioning_that_is_cut_anywhere_starts_again_or_completes(blank: World, torn: bool) -> None:
    names = operations_of(copy := deepcopy(blank), copy.provision)
    for at, name in enumerate(names):
        world = deepcopy(blank)
        world.machine.torn_cuts = torn
        assert cut_at(world, world.provision, at) == name
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        check_unit(world)
        assert list(world.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}: {history}"
