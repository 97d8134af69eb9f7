"""RECOVERY and ESP that are worn out or full: the unit must come back all the same."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import MachineStopped, Stop
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.apps.host.simulation.cuts import operations_of, settle
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceFault
from gprov.domain.event_text import body_text
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage

NEWER = "WIDGET.LNX.SHINY.2026-02-01.10"
KERNELS = ("/norm_boot", "/EFI/BOOT/BOOTX64.EFI")
NORMAL = {"real_root": "LABEL=PRIMARY"}


@pytest.fixture(scope="module")
def running() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture
def world(running: World) -> World:
    """A unit that is about to be restored, since its flag file is gone."""
    copy = deepcopy(running)
    copy.machine.tree("PRIMARY").drop("/boot.normal")
    copy.machine.flush()
    copy.sinks = (MemorySink(),)
    return copy


def said(world: World) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    return "\n".join(body_text(event.body) for event in sink.events)


def newer_image(world: World, kernel: int) -> None:
    image = build_image(build_kernel(kernel), extra={"etc/newer": b""})
    world.machine.tree("RECOVERY").put(f"/Image/{NEWER}.upd", Node(type=FileType.FILE, content=image))
    world.machine.flush()


class WornOut:
    """A hook: from operation ``first`` on, RECOVERY and its ESP take nothing; and the power goes when they are put away
    after a restore."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._number = 0
        self._restored = False

    def __call__(self, operation: str) -> None:
        self._number += 1
        self._restored = self._restored or operation.startswith("unmount /mnt/PRIMARY")
        if "/mnt/RECOVERY" not in operation or operation.startswith("mount"):
            return
        if operation.startswith("unmount"):
            if self._restored:
                raise MachineStopped(Stop.POWER_CUT)
        elif self._number > self._first:
            raise DeviceFault(operation, "input/output error")


def volume(world: World, label: str) -> FakeVolume:
    return next(volume for volume in world.machine.disks[1].volumes() if volume.label == label)


def full(world: World, label: str) -> None:
    volume(world, label).size = volume(world, label).current.size()


def builds(world: World) -> list[int | None]:
    nodes = [world.machine.tree("ESP").get(path) for path in KERNELS]
    return [parse_bzimage(node.content).build_number if node is not None else None for node in nodes]


@pytest.mark.parametrize("firmware", list(FirmwareKind), ids=lambda firmware: firmware.value)
@pytest.mark.parametrize("target", ["/mnt/RECOVERY", "/mnt/RECOVERY/ESP"])
def test_flash_that_takes_nothing_any_more_when_it_is_flushed(firmware: FirmwareKind, target: str) -> None:
    world = new_world(firmware=firmware)
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()

    def hook(operation: str) -> None:
        if operation == f"sync {target}":
            raise DeviceFault(target, "cannot flush: input/output error")

    world.machine.hook = hook
    assert settle(world) == ("reboot", "switched root")


def test_the_first_kernel_must_have_arrived_before_the_unit_counts_as_restored(world: World) -> None:
    for name in KERNELS:
        world.machine.tree("ESP").put(name, Node(type=FileType.FILE, content=b"damaged"))
    world.machine.flush()

    def hook(operation: str) -> None:
        if operation == "sync /mnt/RECOVERY/ESP":
            raise DeviceFault("/mnt/RECOVERY/ESP", "cannot flush: input/output error")

    world.machine.hook = hook
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    assert world.machine.tree("PRIMARY").get("/boot.normal") is None


@pytest.mark.parametrize("damaged", [False, True], ids=["whole kernels", "no kernel"])
@pytest.mark.parametrize("firmware", list(FirmwareKind), ids=lambda firmware: firmware.value)
def test_whenever_flash_is_worn_out_a_unit_that_counts_as_restored_can_be_started(
    firmware: FirmwareKind, damaged: bool
) -> None:
    """From some operation on nothing arrives there any more, and what is not flushed goes with the power."""
    world = new_world(firmware=firmware)
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    label, paths = (
        ("ESP", KERNELS) if firmware is FirmwareKind.UEFI else ("RECOVERY", ("/norm_boot", "/gprov/norm_boot"))
    )
    for path in paths if damaged else ():
        assert world.machine.tree(label).get(path) is not None
        world.machine.tree(label).put(path, Node(type=FileType.FILE, content=b"damaged"))
    world.machine.tree("PRIMARY").drop("/boot.normal")
    newer_image(world, 101)
    world.machine.torn_cuts = True
    names = operations_of(copy := deepcopy(world), lambda: copy.boot(NORMAL))
    restored = 0
    for first in (at for at, name in enumerate(names) if "/mnt/RECOVERY" in name):
        one = deepcopy(world)
        one.machine.hook = WornOut(first)
        one.boot(NORMAL)
        one.machine.hook = None
        if "boot.normal" in one.machine.tree("PRIMARY").children("/"):
            restored += 1
            assert settle(one) == ("switched root",), names[first]
    assert restored


@pytest.mark.parametrize("kernel", [99, 100, 101])
def test_a_recovery_that_has_become_read_only_still_restores(world: World, kernel: int) -> None:
    newer_image(world, kernel)
    world.machine.disks[1].write_protected = True
    before = world.machine.storage()["sdb"]
    assert settle(world) == ("reboot", "switched root")
    assert world.machine.tree("PRIMARY").get(f"/{NEWER}.disktag") is not None
    assert world.machine.storage()["sdb"] == before
    assert "is write-protected" in said(world)
    on_primary = world.machine.tree("PRIMARY").get("/boot/norm_boot")
    assert on_primary is not None
    assert parse_bzimage(on_primary.content).build_number == max(100, kernel)


def test_a_full_recovery_still_restores(world: World) -> None:
    full(world, "RECOVERY")
    assert settle(world) == ("reboot", "switched root")
    assert "no space left on device" in said(world)


def test_an_esp_without_room_for_the_new_kernel_keeps_the_old_one(world: World) -> None:
    node = Node(type=FileType.FILE, content=build_kernel(101) + bytes(4096))
    image = build_image(node.content)
    world.machine.tree("RECOVERY").put(f"/Image/{NEWER}.upd", Node(type=FileType.FILE, content=image))
    world.machine.flush()
    full(world, "ESP")
    assert settle(world) == ("reboot", "switched root")
    assert builds(world) == [100, 100]
    assert "going on without: copy kernel /mnt/PRIMARY/boot/norm_boot to" in said(world)


@pytest.mark.parametrize("name", KERNELS)
def test_a_damaged_kernel_beside_a_good_one_on_a_read_only_esp(world: World, name: str) -> None:
    world.machine.tree("ESP").put(name, Node(type=FileType.FILE, content=b"damaged"))
    world.machine.flush()
    world.machine.disks[1].write_protected = True
    assert settle(world) == ("reboot", "switched root")
    assert "going on without: copy kernel" in said(world)


def test_nvram_without_room_does_not_stop_a_restore(world: World) -> None:
    world.machine.nvram.clear()

    def hook(operation: str) -> None:
        if operation.startswith("nvram"):
            raise DeviceFault("NVRAM", "no space left on device")

    world.machine.hook = hook
    assert settle(world) == ("reboot", "switched root")
    assert "going on without: set boot entries" in said(world)
