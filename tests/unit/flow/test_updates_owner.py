"""What the owner of a unit allows: windows, confirmations, cancellations by the server, and what is forgotten."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest

from gprov.adapters.fake.machine.stop import MachineStopped
from gprov.adapters.fake.update.server import ActionState
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.owner import decide, forget
from gprov.domain.errors import RefusedByPolicy
from gprov.domain.update.window import LocalMinute
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import OLDER, driver, image, images, plain, running


def test_the_restore_waits_for_the_window_of_the_owner() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting == "the time that the owner allows: Sat,Sun 02:00-04:00"
    assert images(unit) == {IMAGE_NAME, f"{NEWER}.partial"}
    assert "waits for the time that the owner allows: Sat,Sun 02:00-04:00" in action.remarks
    unit.local_time.minute = LocalMinute(6, 130)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_a_restore_of_the_unit_while_the_update_waits_does_not_take_it() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    driver(unit).remove_flag()
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], [])
    assert f"{NEWER}.partial" in images(unit)


def test_the_server_may_hold_the_restore_back() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, update="attempt", window="unavailable")
    unit.start()
    assert unit.work().waiting == "the server's maintenance window"
    action.window = "available"
    with pytest.raises(MachineStopped):
        unit.work()


def test_an_owner_who_is_asked_at_the_unit() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting == f"the owner: gprov-update confirm {action.id}"
    bus = EventBus(unit.world.machine.clock)
    decide(unit.ports().files, unit.paths, bus, action.id, agreed=True)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_an_owner_who_denies() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=False)
    unit.work()
    assert (action.results, action.details) == (["failure"], "denied at the unit")
    assert images(unit) == {IMAGE_NAME}


@pytest.mark.parametrize("agreed", [True, False])
def test_a_server_that_asks_the_owner(agreed: bool) -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    assert unit.work().waiting.startswith(f"the owner: gprov-update confirm {action.id}")
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=agreed)
    unit.work()
    assert action.confirmations == ["confirmed" if agreed else "denied"]
    if agreed:
        with pytest.raises(MachineStopped):
            unit.work()


def test_a_unit_that_agrees_by_its_configuration() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    unit.work()
    assert action.confirmations == ["confirmed"]


def test_what_the_owner_agreed_to_is_not_what_the_server_offers_later() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=True)
    before = deepcopy(unit)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert running(unit) == [NEWER]
    other = deepcopy(unit)
    other.updates.assign({IMAGE_NAME: image()}, download="skip")
    other.work()
    other.updates.actions[1].state = ActionState.ENDED
    for one in (unit, before, other):  # after its end, before it, and after another action
        again = one.updates.actions[0]
        again.state, again.files = ActionState.RUNNING, {OLDER: image()}
        assert one.work().waiting == f"the owner: gprov-update confirm {action.id}"


def test_the_unit_looks_again_when_its_window_begins() -> None:
    """A server that wants to be polled once a day must not decide whether the window is met."""
    unit = plain()
    unit.config += 'window = ["Tue 02:00-04:00"]\n'
    unit.updates.sleep = "23:00:00"
    unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().pause == 14 * 3600
    unit.local_time.minute = LocalMinute(1, 240)
    assert unit.work().pause == 23 * 3600


def test_a_clock_that_is_not_set_opens_no_window() -> None:
    unit = plain()
    unit.config += 'window = ["00:00-24:00"]\n'
    unit.date = None
    unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting.startswith("the clock of the unit to be set")
    unit.world.machine.clock.set(int(datetime(2026, 1, 14, 23, tzinfo=UTC).timestamp()) * 10**9)
    with pytest.raises(MachineStopped):
        unit.work()


def test_a_restart_that_could_not_be_begun_is_asked_for_again() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    config = f"{unit.paths.recovery}/update/update.toml"
    unit.ports().files.replace(config, unit.config.replace('"no"', '"yes"').encode())
    with pytest.raises(MachineStopped):
        unit.work()


def test_forget() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    forget(unit.ports(), unit.paths, EventBus(unit.world.machine.clock))
    assert images(unit) == {IMAGE_NAME}
    assert not driver(unit).exists("RECOVERY", "/update/state.json")


def test_what_is_requested_is_not_forgotten() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    bus = EventBus(unit.world.machine.clock)
    with pytest.raises(RefusedByPolicy, match="restart the unit"):
        forget(unit.ports(), unit.paths, bus)
    with pytest.raises(RefusedByPolicy, match="its restore is requested"):
        decide(unit.ports().files, unit.paths, bus, action.id, agreed=False)


def test_a_later_action_replaces_one_that_waits() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    first = unit.updates.assign({OLDER: image()})
    unit.start()
    unit.work()
    first.state = ActionState.ENDED
    second = unit.updates.assign({NEWER: image()})
    unit.work()
    assert images(unit) == {IMAGE_NAME, f"{NEWER}.partial"}
    assert second.remarks


def test_a_restart_that_has_not_come_waits_for_the_next_window() -> None:
    unit = plain()
    unit.config += 'window = ["Sat 02:00-04:00"]\nreboot = "no"\n'
    unit.local_time.minute = LocalMinute(5, 130)
    unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    assert driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
    config = f"{unit.paths.recovery}/update/update.toml"
    unit.ports().files.replace(config, unit.config.replace('"no"', '"yes"').encode())
    unit.local_time.minute = LocalMinute(5, 250)
    assert unit.work().waiting == "the restart of the unit"
    unit.local_time.minute = LocalMinute(5, 239)
    with pytest.raises(MachineStopped):
        unit.work()


def test_nothing_can_be_decided_before_it_is_offered() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    unit.start()
    unit.work()
    for agreed in (True, False):
        with pytest.raises(RefusedByPolicy, match="the server has not offered it"):
            decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), "17", agreed=agreed)


@pytest.mark.parametrize("changed", [False, True])
def test_a_confirmation_holds_for_the_files_that_were_offered(changed: bool) -> None:
    """The server asks for it before it offers them for an installation, perhaps others by the same id."""
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=True)
    copy = deepcopy(unit)
    if changed:
        action.state, action.files = ActionState.RUNNING, {NEWER: image({"srv/other": b"x"})}
        assert unit.work().waiting == f"the owner: gprov-update confirm {action.id}"
        decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=True)
        assert not driver(unit).exists("RECOVERY", "/update/offer")
    else:
        unit = copy
        unit.work()
        assert unit.updates.actions[0].confirmations == ["confirmed"]
    with pytest.raises(MachineStopped):
        unit.work()


def test_a_confirmation_of_other_files_that_the_server_asks_for_next() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=True)
    action.files = {NEWER: image({"srv/other": b"x"})}
    assert unit.work().waiting.startswith("the owner:")
    assert action.confirmations == []


def test_a_server_that_goes_on_asking_is_denied_once() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    action = unit.updates.assign({NEWER: image()}, state=ActionState.WAITING)
    unit.start()
    agent = unit.agent()
    agent.round()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=False)
    assert [agent.round().waiting for _ in range(3)] == ["the server, since action 17 is denied at the unit"] * 3
    assert action.confirmations == ["denied"]


def test_another_action_that_is_denied_leaves_a_requested_restore_alone() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    first = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    first.state = ActionState.ENDED
    second = unit.updates.assign({OLDER: image()}, state=ActionState.WAITING)
    config = f"{unit.paths.recovery}/update/update.toml"
    unit.ports().files.replace(config, f'{unit.config}confirm = "owner"\n'.encode())
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), second.id, agreed=False)
    second.state = ActionState.RUNNING
    assert unit.work().waiting.startswith("the restart into ")
    assert driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
    assert second.results == []


def test_a_denial_of_what_is_requested_already_restarts_nothing() -> None:
    """The server asks again, and offers the same files: the request stays, and another restart restores them."""
    unit = plain()
    unit.config += 'confirm = "owner"\nreboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    bus = EventBus(unit.world.machine.clock)
    decide(unit.ports().files, unit.paths, bus, action.id, agreed=True)
    unit.work()
    action.state = ActionState.WAITING
    unit.work()
    decide(unit.ports().files, unit.paths, bus, action.id, agreed=False)
    action.state = ActionState.RUNNING
    config = f"{unit.paths.recovery}/update/update.toml"
    unit.ports().files.replace(config, unit.config.replace('"no"', '"yes"').encode())
    assert unit.work().waiting == "the restart of the unit"


def test_an_earlier_action_is_done_again_and_asked_for_again() -> None:
    """With servers whose actions have the numbers of their files, this brings an earlier image back."""
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    for name in (NEWER, OLDER):
        action = unit.updates.assign({name: image()})
        unit.live()
        decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), action.id, agreed=True)
        unit.live()
        assert (running(unit), action.results) == ([name], ["success"])
    first = unit.updates.actions[0]
    first.state = ActionState.RUNNING
    assert unit.work().waiting == f"the owner: gprov-update confirm {first.id}"
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), first.id, agreed=True)
    unit.live()
    assert (running(unit), first.results) == ([NEWER], ["success", "success"])


def test_an_action_that_failed_is_asked_for_again_after_another_one() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    first = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), first.id, agreed=True)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    driver(unit).put("RECOVERY", f"/Image/{NEWER}", image()[:-5] + b"spoil")
    unit.live()
    second = unit.updates.assign({"readme.txt": b"x"})
    unit.work()
    assert (first.results, second.results) == (["failure"], ["failure"])
    first.state = ActionState.RUNNING
    assert unit.work().waiting == f"the owner: gprov-update confirm {first.id}"


def test_an_action_that_another_one_replaced_is_asked_for_again() -> None:
    unit = plain()
    unit.config += 'confirm = "owner"\nwindow = ["Sat,Sun 02:00-04:00"]\n'
    first = unit.updates.assign({OLDER: image()})
    unit.start()
    unit.work()
    decide(unit.ports().files, unit.paths, EventBus(unit.world.machine.clock), first.id, agreed=True)
    assert unit.work().waiting == "the time that the owner allows: Sat,Sun 02:00-04:00"
    first.state = ActionState.ENDED
    second = unit.updates.assign({NEWER: image()})
    assert unit.work().waiting == f"the owner: gprov-update confirm {second.id}"
    first.state, second.state = ActionState.RUNNING, ActionState.ENDED
    assert unit.work().waiting == f"the owner: gprov-update confirm {first.id}"
