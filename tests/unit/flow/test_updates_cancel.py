"""Cancellations, before and after a restore is requested."""

from __future__ import annotations

from gprov.adapters.fake.update.server import ActionState
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import driver, image, images, plain, running


def test_a_cancellation_before_the_request() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    action.state = ActionState.CANCELING
    unit.work()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert (action.results, images(unit)) == ([], {IMAGE_NAME})


def test_a_cancellation_after_the_request_and_before_the_restart() -> None:
    unit = plain()
    unit.config += 'reboot = "no"\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    assert unit.work().waiting == "the restart of the unit"
    assert driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
    action.state = ActionState.CANCELING
    unit.work()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert not driver(unit).exists("PRIMARY", "/etc/provisioning/boot_request")
    unit.world.machine.flush()
    unit.live()
    assert (running(unit), images(unit)) == ([IMAGE_NAME], {IMAGE_NAME})


def test_a_cancellation_that_comes_too_late() -> None:
    unit = plain()
    unit.confirms = False
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    action.state = ActionState.CANCELING
    unit.confirms = True
    unit.live()
    assert [answer["status"]["execution"] for answer in action.handled] == [] or action.results == ["success"]
    assert running(unit) == [NEWER]


def test_a_cancellation_of_what_the_unit_never_heard_of() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()}, state=ActionState.CANCELING)
    unit.live()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert images(unit) == {IMAGE_NAME}


def test_a_canceled_action_that_a_restored_server_offers_again() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    action.state = ActionState.CANCELING
    unit.work()
    action.state = ActionState.RUNNING
    unit.work()
    assert (action.results, action.state) == (["failure"], ActionState.ENDED)


def test_an_image_that_a_person_has_put_there_meanwhile_stays() -> None:
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.work()
    driver(unit).put("RECOVERY", f"/Image/{NEWER}", image())
    action.state = ActionState.CANCELING
    unit.work()
    assert [answer["status"]["execution"] for answer in action.handled] == ["closed"]
    assert images(unit) == {IMAGE_NAME, NEWER}
