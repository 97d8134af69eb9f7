"""Faults, cuts, damage and restores in any order: while one good image and one good kernel are left, the unit restores
itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.firmware.uefi import firmware_start
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.clock import SeededRandomness
from gprov.apps.host.simulation.world import publish
from gprov.domain.errors import BadInput, DeviceMissing
from gprov.domain.files import FileType
from tests.unit.flow import units
from tests.unit.flow.driver import FLAG, KERNELS, NORMAL, FailsAt, UnitDriver

IMAGES = {f"WIDGET.LNX.SHINY.2026-01-{day:02}.1.upd": day for day in range(1, 5)}
Event = Callable[[UnitDriver], None]


def image(day: int) -> bytes:
    return build_image(build_kernel(100 + day), extra={f"etc/image-{day}": b""})


GOOD = {name: image(day) for name, day in IMAGES.items()}


@pytest.fixture(scope="module")
def new_unit() -> UnitDriver:
    unit = units.blank()
    first = next(iter(IMAGES))
    publish(unit.origin, {first: GOOD[first], "norm_boot": build_kernel(100)})
    assert unit.provision() is StopReason.REBOOT
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    return unit


def boot(unit: UnitDriver) -> None:
    unit.boot()


def cut(at: int) -> Event:
    return lambda unit: (unit.cut(at), None)[1]


def fault(at: int, count: int) -> Event:
    def event(unit: UnitDriver) -> None:
        unit.machine.hook = FailsAt(at, count)
        unit.boot()
        unit.machine.hook = None

    return event


def request(unit: UnitDriver) -> None:
    try:
        unit.choose_restore()
    except DeviceMissing:
        return
    unit.boot()


def drop_flag(unit: UnitDriver) -> None:
    """A unit with a new data disk has no PRIMARY."""
    for volume in unit.volumes("PRIMARY"):
        volume.current.drop(FLAG)
        volume.sync()


def damage(label: str, repairable: bool) -> Event:
    def event(unit: UnitDriver) -> None:
        for volume in unit.volumes(label):
            volume.damaged, volume.repairable = True, repairable

    return event


def add_image(name: str) -> Event:
    return lambda unit: unit.put("RECOVERY", f"/Image/{name}", GOOD[name])


def spoil_image(name: str) -> Event:
    """Damage an image, unless it is the last good one."""

    def event(unit: UnitDriver) -> None:
        recovery = unit.machine.volume_tree("RECOVERY")
        good = [
            other
            for other in IMAGES
            if recovery.get(f"/Image/{other}") == Node(type=FileType.FILE, content=GOOD[other])
        ]
        if any(other != name for other in good) and name in good:
            unit.put("RECOVERY", f"/Image/{name}", GOOD[name][:-8] + b"\0" * 8)

    return event


def whole(unit: UnitDriver, path: str) -> bool:
    """Is there a kernel at this path of the ESP?"""
    try:
        unit.build_number("ESP", path)
    except BadInput:
        return False
    return True


def if_it_still_starts(change: Event) -> Event:
    """Left out if the firmware finds nothing to start afterwards: no software on the unit could help then."""

    def event(unit: UnitDriver) -> None:
        tried = unit.copy()
        change(tried)
        try:
            firmware_start(tried.machine)
        except DeviceMissing:
            return
        change(unit)

    return event


def spoil_kernel(which: int) -> Event:
    return if_it_still_starts(lambda unit: unit.put("ESP", KERNELS[which], b"spoilt"))


def spoil(path: str) -> Event:
    return lambda unit: unit.put("RECOVERY", path, b"\xff\0spoilt")


def _clear_nvram(unit: UnitDriver) -> None:
    unit.machine.nvram.clear()


clear_nvram = if_it_still_starts(_clear_nvram)


def new_disk(unit: UnitDriver) -> None:
    """The data disk was replaced by a blank one."""
    disk = unit.machine.disks[0]
    disk.forget_partitions()
    disk.old_contents.clear()


def late(label: int, seconds: float) -> Event:
    def event(unit: UnitDriver) -> None:
        unit.machine.disks[label].appears_at = seconds
        try:
            unit.boot(NORMAL)
        finally:
            unit.machine.disks[label].appears_at = 0.0

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
def test_after_any_events_the_unit_restores_one_whole_image_and_starts_it(
    new_unit: UnitDriver, events: list[tuple[str, Event]], torn: bool, seed: int
) -> None:
    unit = new_unit.copy()
    unit.machine.torn_cuts = torn
    unit.machine.random = SeededRandomness(seed)
    for _, event in events:
        event(unit)
        unit.machine.hook = None
        unit.machine.restart()
    names = [name for name, _ in events]
    history = unit.settle(most=12)
    assert history[-1] == "switched root", (names, history)
    tree = unit.machine.volume_tree("PRIMARY")
    marks = [path for path in tree.paths() if path.startswith("/etc/image-")]
    systems = unit.systems()
    assert len(marks) == len(systems) == 1, names
    assert marks[0] == f"/etc/image-{IMAGES[systems[0]]}", names
    for path in (FLAG, "/etc/hostname", "/etc/machine-id", "/etc/fstab", "/etc/provisioning/platform_facts.json"):
        assert tree.get(path) is not None, (names, path)
    assert whole(unit, KERNELS[0]) or whole(unit, KERNELS[1])
