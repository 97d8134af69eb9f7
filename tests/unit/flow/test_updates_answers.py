"""How an action ends, and the one answer to it."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest
from typing_extensions import override

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import MachineStopped
from gprov.adapters.fake.update.server import ActionState, FakeUpdates
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.domain.errors import NetworkFault
from gprov.ports.network import Reply
from tests.unit.flow.driver import NEWER
from tests.unit.flow.updated_units import OLDER, driver, image, images, plain, running


def test_an_action_that_the_server_does_not_know_any_more() -> None:
    unit = plain()
    unit.updates.assign({NEWER: image()})
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.updates.actions.clear()
    unit.live()
    assert running(unit) == [NEWER]
    unit.work()


def test_an_image_that_spoils_on_recovery_before_its_restore() -> None:
    """Nothing is wiped: the old system starts again, and the server is told why."""
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    driver(unit).put("PRIMARY", "/home/data", b"a customer's")
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    driver(unit).put("RECOVERY", f"/Image/{NEWER}", image()[:-5] + b"spoil")
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], ["failure"])
    assert driver(unit).exists("PRIMARY", "/home/data")
    assert "was not restored: the unit runs WIDGET.LNX.SHINY.2026-01-15.1" in action.details
    assert f"/Image/{NEWER}" in action.details
    assert images(unit) == {IMAGE_NAME}


def test_an_image_that_cannot_be_unpacked_leaves_the_unit_with_another_one() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.world.machine.faults.append(Fault(kind=FaultKind.REFUSED, where=f"extract /mnt/RECOVERY/Image/{NEWER}"))
    unit.live()
    assert (running(unit), action.results) == ([IMAGE_NAME], ["failure"])
    assert "exit status 2" in action.details


def test_a_system_that_does_not_report_that_it_is_up() -> None:
    unit = plain()
    unit.confirms = False
    action = unit.updates.assign(
        {NEWER: image({"usr/lib/systemd/system/multi-user.target.wants/gprov-boot-good.service": b""})}
    )
    unit.live()
    assert running(unit) == [NEWER]
    assert action.results == []
    assert unit.work().waiting == "the report of the system that it is up"
    unit.world.machine.clock.advance(1801)
    unit.work()
    assert action.results == ["failure"]
    assert "has not reported within 30 min that it is up" in action.details
    assert NEWER in images(unit)


def test_an_answer_waits_until_the_server_is_there() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.updates.down = True
    with pytest.raises(NetworkFault):
        unit.live()
    assert action.results == []
    unit.updates.down = False
    unit.work()
    assert action.results == ["success"]


def test_a_server_that_was_put_back_is_told_the_same_and_nothing_is_done_again() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    action.state = ActionState.RUNNING
    downloads = list(unit.updates.downloads)
    unit.work()
    assert (action.results, unit.updates.downloads) == (["success", "success"], downloads)
    unit.work()
    assert len(action.finals) == 2


class Refusing(FakeUpdates):
    """``statuses``: answers to feedback by its result."""

    statuses: ClassVar[dict[str, int]] = {}

    @override
    def handle(self, method: str, path: str, body: bytes | None) -> Reply:
        result = json.loads(body)["status"]["result"]["finished"] if body and path.endswith("feedback") else ""
        return Reply(self.statuses[result], b"") if result in self.statuses else super().handle(method, path, body)


def test_a_server_that_refuses_an_answer_for_good_does_not_end_updates() -> None:
    unit = plain()
    unit.updates = Refusing(wants_attributes=False)
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    second = unit.updates.assign({OLDER: image()})
    Refusing.statuses = {"success": 400}
    try:
        action.state = ActionState.RUNNING
        unit.work()
        action.state = ActionState.ENDED
        with pytest.raises(MachineStopped):
            unit.work()
    finally:
        Refusing.statuses = {}
    assert second.remarks


def test_a_server_that_takes_no_progress_does_not_stop_a_download() -> None:
    unit = plain()
    unit.updates = Refusing(wants_attributes=False)
    Refusing.statuses = {"none": 500}
    try:
        action = unit.updates.assign({NEWER: image()})
        unit.live()
    finally:
        Refusing.statuses = {}
    assert (running(unit), action.results) == ([NEWER], ["success"])
