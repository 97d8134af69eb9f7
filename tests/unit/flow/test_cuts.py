"""Power lost at every operation of restore and provisioning: the unit must always come back by itself, whole."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.uefi import choose_entry
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.cuts import cut_at, operations_of, settle
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.files import FileType

NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
FLAG = "/boot.normal"


def content(world: World, label: str) -> dict[str, Node | None]:
    """Without the count of starts, which cuts only delay."""
    tree = world.machine.tree(label)
    return {path: tree.get(path) for path in tree.paths() if not path.endswith(("/boots_started", "_budget.json"))}


def put(world: World, label: str, path: str, data: bytes) -> None:
    world.machine.tree(label).put(path, Node(type=FileType.FILE, content=data))
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
    assert not [path for path in recovery.paths() if path.endswith(".partial")]
    esp = world.machine.tree("ESP")
    kernel, fallback = esp.get("/norm_boot"), esp.get("/EFI/BOOT/BOOTX64.EFI")
    assert kernel is not None
    assert fallback is not None
    assert kernel.content == fallback.content


@pytest.fixture(scope="module")
def new_system(updated: World) -> dict[str, Node | None]:
    return undisturbed(updated)


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


def test_a_first_restore_that_is_cut_anywhere_ends_in_the_whole_system(provisioned: World) -> None:
    expected = undisturbed(provisioned)
    names = operations_of(copy := deepcopy(provisioned), copy.boot)
    for at, name in enumerate(names):
        world = deepcopy(provisioned)
        cut_at(world, world.boot, at)
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        assert content(world, "PRIMARY") == expected, f"cut at {name}"
        check_unit(world)


def test_a_restore_on_request_that_is_cut_anywhere_ends_in_the_old_or_the_new_system(asked: World) -> None:
    """Until the old partition table goes, the unit still has its old system, which would boot."""
    old = content(asked, "PRIMARY")
    drop(wanted := deepcopy(asked), "PRIMARY", FLAG)
    new = undisturbed(wanted)
    requested = deepcopy(asked)
    choose_entry(requested.machine, requested.branding.restore_entry)
    names = operations_of(copy := deepcopy(requested), copy.boot)
    ends = []
    for at, name in enumerate(names):
        world = deepcopy(requested)
        cut_at(world, world.boot, at)
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        ends.append([old, new].index(content(world, "PRIMARY")))
        if ends[-1]:
            check_unit(world)
    assert ends == sorted(ends)
    assert set(ends) == {0, 1}


@pytest.mark.parametrize("torn", [False, True])
def test_a_provisioning_that_is_cut_anywhere_starts_again_or_completes(blank: World, torn: bool) -> None:
    names = operations_of(copy := deepcopy(blank), copy.provision)
    for at, name in enumerate(names):
        world = deepcopy(blank)
        world.machine.torn_cuts = torn
        assert cut_at(world, world.provision, at) == name
        history = settle(world, in_factory=True)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        check_unit(world)
        assert list(world.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}: {history}"


def test_a_used_unit_whose_provisioning_is_cut_anywhere_is_the_old_one_or_a_new_one(asked: World) -> None:
    """Its old RECOVERY and PRIMARY must not come to life again once something was changed."""
    old = content(asked, "PRIMARY"), content(asked, "RECOVERY")
    names = operations_of(copy := deepcopy(asked), copy.provision)
    touched = False
    for at, name in enumerate(names):
        world = deepcopy(asked)
        world.factory.documents.clear()
        cut_at(world, world.provision, at)
        history = settle(world, in_factory=True)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        if not touched and (content(world, "PRIMARY"), content(world, "RECOVERY")) == old:
            continue
        touched = True
        assert list(world.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}: {history}"
        assert world.machine.tree("PRIMARY").get("/etc/newer") is None, f"cut at {name}"
        check_unit(world)
    assert touched


@given(cuts=st.lists(st.integers(0, 60), min_size=2, max_size=4), torn=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_cuts_upon_cuts(
    updated: World, new_system: dict[str, Node | None], cuts: list[int], torn: bool, seed: int
) -> None:
    """Also the start that repairs what a cut left can be cut, and the one after that."""
    world = deepcopy(updated)
    world.machine.torn_cuts = torn
    world.machine.random = SeededRandomness(seed)
    places = [cut_at(world, world.boot, at) for at in cuts]
    history = settle(world)
    assert history[-1] == "switched root", f"cut at {places}: {history}"
    assert content(world, "PRIMARY") == new_system, f"cut at {places}"
    check_unit(world)


def test_kernels_survive_two_cuts_in_a_row(updated: World, new_system: dict[str, Node | None]) -> None:
    """FAT keeps neither the old nor the new file while one replaces the other: never both copies at once."""
    names = operations_of(copy := deepcopy(updated), copy.boot)
    on_esp = [at for at, name in enumerate(names) if "put in place" in name]
    assert len(on_esp) == 2
    for first in on_esp:
        once = deepcopy(updated)
        cut_at(once, once.boot, first)
        for second, name in enumerate(operations_of(copy := deepcopy(once), copy.boot)):
            world = deepcopy(once)
            cut_at(world, world.boot, second)
            history = settle(world)
            assert history[-1] == "switched root", f"cut at {names[first]}, then at {name}: {history}"
            assert content(world, "PRIMARY") == new_system
            check_unit(world)


def test_a_restore_after_nvram_was_lost_can_be_cut_anywhere(updated: World, new_system: dict[str, Node | None]) -> None:
    """The fallback loader is all that starts the unit, until the boot entries are there again."""
    lost = deepcopy(updated)
    lost.machine.nvram.clear()
    for at, name in enumerate(operations_of(copy := deepcopy(lost), copy.boot)):
        world = deepcopy(lost)
        cut_at(world, world.boot, at)
        history = settle(world)
        assert history[-1] == "switched root", f"cut at {name}: {history}"
        assert content(world, "PRIMARY") == new_system, f"cut at {name}"
        check_unit(world)
