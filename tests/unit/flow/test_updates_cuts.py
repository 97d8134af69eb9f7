"""Power cuts at each operation of the agent."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.update.server import ActionState
from gprov.apps.host.simulation.cuts import Cut
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.updates import UpdatedUnit
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.owner import decide
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import BALLAST, bundle, image, images, plain, running, signed


def operations(unit: UpdatedUnit) -> list[str]:
    """Of the whole life, from the first start to the end of the action."""
    copy = deepcopy(unit)
    cut = Cut()
    copy.world.machine.hook = cut
    live_with_cuts(copy)
    return cut.operations


def places(names: list[str], every: int) -> list[int]:
    """Where to cut: all operations of the agent, and each so-many-th of starts and restore, which have tests of their
    own (tests/unit/flow)."""
    starts = [at for at, name in enumerate(names) if name.startswith("switch root")]
    reboot = next((at for at, name in enumerate(names) if at > starts[0] and name == "mount /dev/sda1"), len(names))
    own = {at for at in range(len(names)) if starts[0] < at < reboot or at > starts[-1]}
    return sorted(own | {*range(0, len(names), every)})


def live_with_cuts(unit: UpdatedUnit, *, starts: int = 12) -> None:
    """Like ``live``, of a unit that is switched on again after each cut."""
    machine = unit.world.machine
    for _ in range(starts):
        try:
            if unit.start() is StopReason.SWITCHED_ROOT:
                unit.work()
                return
        except MachineStopped:
            machine.restart()


def cut_life(unit: UpdatedUnit, at: int) -> UpdatedUnit:
    """A copy whose power was cut once, just before operation ``at``, and which was switched on again until the agent
    waits."""
    copy = deepcopy(unit)
    copy.world.machine.torn_cuts = True
    copy.world.machine.hook = Cut(at)
    live_with_cuts(copy)
    copy.world.machine.hook = None
    return copy


def assert_one_answer(unit: UpdatedUnit, where: str) -> None:
    action = unit.updates.actions[0]
    assert running(unit) == [NEWER], where
    assert action.results == ["success"], where
    assert not [name for name in images(unit) if name.endswith((".partial", ".new"))], where
    assert unit.work().waiting == "", where
    assert action.results == ["success"], where


def test_a_power_cut_at_any_operation_leaves_one_answer() -> None:
    """From the first start over download, restore and first start of the new system to the answer."""
    unit = plain()
    unit.updates.assign({NEWER: image()})
    names = operations(unit)
    assert any(name.startswith("POST /deploymentBase") for name in names)
    assert any(name.startswith("extract") for name in names)
    for at in places(names, every=12):
        assert_one_answer(cut_life(unit, at), names[at])


def test_a_power_cut_with_a_signed_bundle_leaves_one_answer() -> None:
    unit = signed()
    unit.updates.assign(bundle(NEWER, Owner(), image()))
    names = operations(unit)
    for at in places(names, every=30)[::3]:
        assert_one_answer(cut_life(unit, at), names[at])


def test_a_power_cut_at_any_operation_of_a_failure_leaves_one_answer() -> None:
    unit = plain()
    unit.updates.assign({NEWER: build_image(b"no kernel", extra=BALLAST)})
    for at, name in enumerate(operations(unit)):
        copy = cut_life(unit, at)
        action = copy.updates.actions[0]
        assert (running(copy), action.results) == ([IMAGE_NAME], ["failure"]), f"cut {at}: {name}"
        assert images(copy) == {IMAGE_NAME}, f"cut {at}: {name}"


def test_a_power_cut_at_any_operation_of_a_cancellation_leaves_one_answer() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    action.state = ActionState.CANCELING
    copy = deepcopy(unit)
    cut = Cut()
    copy.world.machine.hook = cut
    copy.work()
    for at, name in enumerate(cut.operations):
        copy = deepcopy(unit)
        copy.world.machine.torn_cuts = True
        copy.world.machine.hook = Cut(at)
        with pytest.raises(MachineStopped):
            copy.work()
        copy.world.machine.restart()
        live_with_cuts(copy)
        one = copy.updates.actions[0]
        where = f"cut {at}: {name}"
        assert len(one.handled) + len(one.finals) == 1, where
        if running(copy) == [IMAGE_NAME]:
            assert [each["status"]["execution"] for each in one.handled] == ["closed"], where


@pytest.mark.parametrize("agreed", [True, False])
def test_a_power_cut_at_any_operation_of_the_end_leaves_no_agreement(agreed: bool) -> None:
    """The same files by the same id are asked about again. A denial is not lost before the server has heard of it."""
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=agreed)
    if agreed:
        with pytest.raises(MachineStopped):
            unit.work()
        unit.world.machine.restart()
        while unit.start() is not StopReason.SWITCHED_ROOT:
            pass
    copy, cut = deepcopy(unit), Cut()
    copy.world.machine.hook = cut
    copy.work()
    for at, name in enumerate(cut.operations):
        copy = deepcopy(unit)
        copy.world.machine.torn_cuts = True
        copy.world.machine.hook = Cut(at)
        with pytest.raises(MachineStopped):
            copy.work()
        copy.world.machine.hook = None
        copy.world.machine.restart()
        live_with_cuts(copy)
        where = f"cut {at}: {name}"
        assert copy.updates.actions[0].results == ["success" if agreed else "failure"], where
        if agreed:
            assert not copy.ports().files.status(copy.paths.decision), where
