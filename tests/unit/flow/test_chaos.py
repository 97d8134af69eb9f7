"""Years of bad luck in any order: as long as one good image and one good kernel are left, the unit comes back whole."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.uefi import choose_entry, firmware_start
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.cuts import cut_at, settle
from gprov.apps.host.simulation.world import World, new_world, publish
from gprov.domain.errors import BadInput, DeviceFault, DeviceMissing
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage

FLAG = "/boot.normal"
KERNELS = ("/norm_boot", "/EFI/BOOT/BOOTX64.EFI")
IMAGES = {f"WIDGET.LNX.SHINY.2026-01-{day:02}.1.upd": day for day in range(1, 5)}
Event = Callable[[World], None]


def image(day: int) -> bytes:
    return build_image(build_kernel(100 + day), extra={f"etc/image-{day}": b""})


GOOD = {name: image(day) for name, day in IMAGES.items()}


@pytest.fixture(scope="module")
def new_unit() -> Callable[[], World]:
    """A function, since nobody wants to read a whole unit where a test fails."""
    world = new_world()
    first = next(iter(IMAGES))
    publish(world.origin, {first: GOOD[first], "norm_boot": build_kernel(100)})
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return lambda: deepcopy(world)


def volume(world: World, label: str) -> FakeVolume | None:
    found = [volume for disk in world.machine.disks for volume in disk.volumes() if volume.label == label]
    return found[0] if found else None


def put(world: World, label: str, path: str, content: bytes) -> None:
    there = volume(world, label)
    if there is not None:
        there.current.put(path, Node(type=FileType.FILE, content=content))
        there.sync()


def boot(world: World) -> None:
    world.boot()


def cut(at: int) -> Event:
    return lambda world: (cut_at(world, world.boot, at), None)[1]


class Fails:
    """A hook: so many operations from this one on fail."""

    def __init__(self, at: int, count: int) -> None:
        self._seen = 0
        self._range = range(at, at + count)

    def __call__(self, operation: str) -> None:
        self._seen += 1
        if self._seen - 1 in self._range:
            raise DeviceFault(operation, "input/output error")


def fault(at: int, count: int) -> Event:
    def event(world: World) -> None:
        world.machine.hook = Fails(at, count)
        world.boot()
        world.machine.hook = None

    return event


def request(world: World) -> None:
    try:
        choose_entry(world.machine, world.branding.restore_entry)
    except DeviceMissing:
        return
    world.boot()


def drop_flag(world: World) -> None:
    there = volume(world, "PRIMARY")
    if there is not None:
        there.current.drop(FLAG)
        there.sync()


def damage(label: str, repairable: bool) -> Event:
    def event(world: World) -> None:
        there = volume(world, label)
        if there is not None:
            there.damaged, there.repairable = True, repairable

    return event


def add_image(name: str) -> Event:
    return lambda world: put(world, "RECOVERY", f"/Image/{name}", GOOD[name])


def spoil_image(name: str) -> Event:
    """Never the last good one."""

    def event(world: World) -> None:
        there = volume(world, "RECOVERY")
        assert there is not None
        good = [
            other
            for other in IMAGES
            if there.current.get(f"/Image/{other}") == Node(type=FileType.FILE, content=GOOD[other])
        ]
        if any(other != name for other in good) and name in good:
            put(world, "RECOVERY", f"/Image/{name}", GOOD[name][:-8] + b"\0" * 8)

    return event


def whole(world: World, path: str) -> bool:
    there = volume(world, "ESP")
    node = there.current.get(path) if there is not None else None
    try:
        parse_bzimage(node.content if node is not None else b"")
    except BadInput:
        return False
    return True


def if_it_still_starts(change: Event) -> Event:
    """What leaves the firmware without anything to start is beyond every software on the unit."""

    def event(world: World) -> None:
        tried = deepcopy(world)
        change(tried)
        try:
            firmware_start(tried.machine)
        except DeviceMissing:
            return
        change(world)

    return event


def spoil_kernel(which: int) -> Event:
    return if_it_still_starts(lambda world: put(world, "ESP", KERNELS[which], b"spoilt"))


def spoil(path: str) -> Event:
    return lambda world: put(world, "RECOVERY", path, b"\xff\0spoilt")


def _clear_nvram(world: World) -> None:
    world.machine.nvram.clear()


clear_nvram = if_it_still_starts(_clear_nvram)


def new_disk(world: World) -> None:
    """The data disk was replaced by a blank one."""
    disk = world.machine.disks[0]
    disk.forget_partitions()
    disk.remains.clear()


def late(label: int, seconds: float) -> Event:
    def event(world: World) -> None:
        world.machine.disks[label].appears_at = seconds
        try:
            world.boot({"real_root": "LABEL=PRIMARY"})
        finally:
            world.machine.disks[label].appears_at = 0.0

    return event


NAMES = st.sampled_from(sorted(IMAGES))
EVENTS: st.SearchStrategy[tuple[str, Event]] = st.one_of(
    st.just(("boot", boot)),
    st.integers(0, 70).map(lambda at: (f"cut at {at}", cut(at))),
    st.tuples(st.integers(0, 70), st.integers(1, 3)).map(lambda args: (f"fault at {args}", fault(*args))),
    st.just(("restore by boot entry", request)),
    st.just(("flag gone", drop_flag)),
    st.tuples(st.just("PRIMARY"), st.booleans()).map(lambda args: (f"damage {args}", damage(*args))),
    st.sampled_from(["RECOVERY", "ESP"]).map(lambda label: (f"damage {label}", damage(label, True))),
    NAMES.map(lambda name: (f"add {name}", add_image(name))),
    NAMES.map(lambda name: (f"spoil {name}", spoil_image(name))),
    st.integers(0, 1).map(lambda which: (f"spoil kernel {KERNELS[which]}", spoil_kernel(which))),
    st.sampled_from(["/fr.data", "/log/recovery_history.json", "/log/netd.tar", "/secrets/admin.hash"]).map(
        lambda path: (f"spoil {path}", spoil(path))
    ),
    st.just(("NVRAM lost", clear_nvram)),
    st.just(("new data disk", new_disk)),
    st.tuples(st.integers(0, 1), st.sampled_from([2.0, 20.0, 200.0])).map(lambda args: (f"late {args}", late(*args))),
)


@given(events=st.lists(EVENTS, min_size=1, max_size=8), torn=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=150)
def test_the_unit_comes_back_whole(
    new_unit: Callable[[], World], events: list[tuple[str, Event]], torn: bool, seed: int
) -> None:
    world = new_unit()
    world.machine.torn_cuts = torn
    world.machine.random = SeededRandomness(seed)
    for _, event in events:
        event(world)
        world.machine.hook = None
        world.machine.restart()
    names = [name for name, _ in events]
    history = settle(world, most=12)
    assert history[-1] == "switched root", (names, history)
    tree = world.machine.tree("PRIMARY")
    marks = [path for path in tree.paths() if path.startswith("/etc/image-")]
    tags = [path for path in tree.paths() if path.endswith(".disktag")]
    assert len(marks) == len(tags) == 1, names
    assert marks[0] == f"/etc/image-{IMAGES[tags[0].removeprefix('/').removesuffix('.disktag') + '.upd']}", names
    for path in (FLAG, "/etc/hostname", "/etc/machine-id", "/etc/fstab", "/etc/provisioning/platform_facts.json"):
        assert tree.get(path) is not None, (names, path)
    assert whole(world, KERNELS[0]) or whole(world, KERNELS[1])
