"""An image that verifies and yet cannot be unpacked: another one comes at once, since PRIMARY is gone already."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.power import Stop
from gprov.apps.host.simulation.cuts import operations_of, settle
from gprov.apps.host.simulation.world import IMAGE_NAME, World, new_world
from gprov.domain.event_text import body_text
from gprov.domain.files import FileType
from gprov.domain.image.history import MAX_FAILURES, History, parse_history

NEWER_NAME = "WIDGET.LNX.SHINY.2026-02-01.10"
NEWER = f"/Image/{NEWER_NAME}.upd"
OLDER_NAME = IMAGE_NAME.removesuffix(".upd")


@pytest.fixture(scope="module")
def first() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    world.machine.tree("RECOVERY").put(
        NEWER, Node(FileType.FILE, build_image(build_kernel(100), extra={"etc/newer": b"yes"}))
    )
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()
    return world


@pytest.fixture
def world(first: World) -> World:
    """A unit with two good images that is about to be restored."""
    copy = deepcopy(first)
    copy.sinks = (MemorySink(),)
    return copy


def said(world: World) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    return "\n".join(body_text(event.body) for event in sink.events)


def history(world: World) -> History:
    node = world.machine.tree("RECOVERY").get("/log/recovery_history.json")
    assert node is not None
    return parse_history(node.content)


def newer_is_installed(world: World) -> bool:
    return world.machine.tree("PRIMARY").get("/etc/newer") is not None


def refuse(world: World, name: str, kind: FaultKind = FaultKind.REFUSED, times: int = 1000) -> None:
    world.machine.faults.append(Fault(kind, f"extract /mnt/RECOVERY/Image/{name}", times=times))


def test_the_next_image_comes_in_the_same_restore(world: World) -> None:
    refuse(world, NEWER_NAME)
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    assert settle(world) == ("switched root",)
    assert not newer_is_installed(world)
    assert f"{NEWER_NAME} cannot be unpacked: going on with another image" in said(world)
    assert history(world).failures(NEWER_NAME) > MAX_FAILURES
    assert history(world).failures(OLDER_NAME) == 0


def test_it_is_verified_before_anything_is_wiped_again(world: World) -> None:
    refuse(world, NEWER_NAME)
    copy = deepcopy(world)
    steps = [
        step
        for step in operations_of(copy, lambda: copy.boot({"real_root": "LABEL=PRIMARY"}))
        if step.startswith(("verify", "extract", "clear"))
    ]
    kinds = [step.split()[0] for step in steps if "under way" not in step]
    assert kinds == ["verify", "clear", "verify", "clear", "extract"]  # the first extraction is not under way


def test_it_comes_last_in_later_restores(world: World) -> None:
    refuse(world, NEWER_NAME)
    assert settle(world) == ("reboot", "switched root")
    world.machine.faults.clear()
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()
    assert settle(world) == ("reboot", "switched root")
    assert not newer_is_installed(world)


def test_none_that_can_be_unpacked(world: World) -> None:
    """All reasons are told, and the unit tries again by itself."""
    refuse(world, NEWER_NAME)
    refuse(world, OLDER_NAME)
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    text = said(world)
    assert "no good image: tool: failed" in text
    assert text.count("cannot be unpacked: going on") == 2
    world.machine.faults.clear()
    assert settle(world) == ("reboot", "switched root")


def test_a_dying_disk_is_no_fault_of_the_image(world: World) -> None:
    refuse(world, NEWER_NAME, FaultKind.IO_ERROR, times=1)
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    assert "going on with another image" not in said(world)
    assert history(world).failures(NEWER_NAME) == 1
    assert settle(world) == ("reboot", "switched root")
    assert newer_is_installed(world)
