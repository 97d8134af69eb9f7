"""How an action ends, and the one answer to it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import ClassVar

import pytest
from typing_extensions import override

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.update.server import ActionState, FakeUpdates
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.fetch import BrokenDownload
from gprov.apps.update.loop import run_forever
from gprov.apps.update.owner import decide
from gprov.apps.update.reports import MOST_REPORTS
from gprov.apps.update.status import show_status
from gprov.domain.errors import BadInput, NetworkFault
from gprov.domain.update.state import MAX_STATE
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


class Losing(FakeUpdates):
    """``lost``: how many replies to final answers are lost, which the server has taken."""

    lost = 0

    @override
    def handle(self, method: str, path: str, body: bytes | None) -> Reply:
        reply = super().handle(method, path, body)
        if body and json.loads(body).get("status", {}).get("execution") == "closed" and self.lost:
            self.lost -= 1
            raise NetworkFault(path, "the connection ended early")
        return reply


def test_an_answer_whose_reply_was_lost_is_not_sent_twice() -> None:
    unit = plain()
    unit.updates = Losing()
    unit.updates.lost = 1
    action = unit.updates.assign({NEWER: image()})
    with pytest.raises(NetworkFault):
        unit.live()
    unit.work()
    unit.work()
    assert (action.results, action.late) == (["success"], [])
    assert running(unit) == [NEWER]


def test_an_answer_that_the_server_may_lack_is_sent_again_while_it_has_another_action() -> None:
    unit = plain()
    unit.updates = Losing()
    unit.updates.lost = 1
    action = unit.updates.assign({NEWER: image()})
    with pytest.raises(NetworkFault):
        unit.live()
    unit.updates.assign({OLDER: image()}, download="skip")
    unit.work()
    assert (action.results, len(action.late)) == (["success"], 1)


def test_reports_of_one_action_are_bounded() -> None:
    """Also over restarts of the agent, of which each may have something to tell."""
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n'
    action = unit.updates.assign({NEWER: image()}, update="attempt")
    unit.start()
    for number in range(MOST_REPORTS + 20):
        action.window = "available" if number % 2 else "unavailable"
        unit.work()
    assert len(action.remarks) == MOST_REPORTS
    action.state = ActionState.CANCELING
    unit.work()
    assert len(action.handled) == 1


def test_the_progress_of_a_download_is_told_in_tenths() -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.updates.breaks = [40] * 60
    unit.start()
    agent = unit.agent()
    for _ in range(60):
        with suppress(BrokenDownload):
            agent.round()
    told = [text for text in action.remarks if text.startswith("downloading ")]
    assert 2 <= len(told) <= 11


def test_a_download_that_goes_on_is_not_asked_for_ever_more_rarely() -> None:
    unit = plain()
    unit.updates.assign({NEWER: image()})
    unit.updates.breaks = [40] * 12
    unit.start()
    began = unit.world.machine.clock.monotonic()
    with pytest.raises(MachineStopped):
        run_forever(unit.agent(), unit.ports(), unit.paths, EventBus(unit.world.machine.clock))
    assert unit.world.machine.clock.monotonic() - began < 15 * 12 + 60


def test_the_status_of_a_damaged_state_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    unit = plain()
    unit.start()
    unit.ports().files.replace(unit.paths.state, b"{", mode=0o600)
    bus = EventBus(unit.world.machine.clock)
    with pytest.raises(BadInput, match="state"):
        show_status(unit.ports(), unit.paths, bus, as_json=True)
    with pytest.raises(BadInput):
        decide(unit.ports().files, unit.paths, bus, "17", agreed=True)
    assert driver(unit).read("RECOVERY", "/update/state.json") == b"{"
    unit.work()
    assert driver(unit).read("RECOVERY", "/update/state.json.damaged") == b"{"
    show_status(unit.ports(), unit.paths, bus, as_json=True)
    assert json.loads(capsys.readouterr().out)["action"] == ""


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b'{"Format": 1}', b"x" * (MAX_STATE + 1)])
def test_a_damaged_state_does_not_end_updates(content: bytes) -> None:
    unit = plain()
    action = unit.updates.assign({NEWER: image()})
    unit.start()
    unit.ports().files.replace(unit.paths.state, content, mode=0o600)
    with pytest.raises(MachineStopped):
        unit.work()
    unit.world.machine.restart()
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])
    assert driver(unit).read("RECOVERY", "/update/state.json.damaged") == content


class WithoutAttributes(FakeUpdates):
    """Has a limit for attributes, which the unit exceeds."""

    @override
    def handle(self, method: str, path: str, body: bytes | None) -> Reply:
        return Reply(403, b"") if path == "/configData" else super().handle(method, path, body)


def test_a_server_that_takes_no_attributes_does_not_end_updates() -> None:
    unit = plain()
    unit.updates = WithoutAttributes()
    action = unit.updates.assign({NEWER: image()})
    unit.live()
    assert (running(unit), action.results) == ([NEWER], ["success"])


def test_a_decision_that_cannot_be_read_is_not_told_while_the_agent_waits() -> None:
    unit = plain()
    unit.start()
    unit.ports().files.replace(unit.paths.decision, b"perhaps", mode=0o600)
    said = MemorySink()

    class Ended(FakeUpdates):
        polls = 0

        @override
        def handle(self, method: str, path: str, body: bytes | None) -> Reply:
            self.polls += path == ""
            if self.polls > 3:
                raise MachineStopped(StopReason.REBOOT)
            return super().handle(method, path, body)

    unit.updates = Ended()
    bus = EventBus(unit.world.machine.clock)
    bus.attach(said)
    with pytest.raises(MachineStopped):
        run_forever(unit.agent(), unit.ports(), unit.paths, bus)
    assert said.events == []


class Deaf(FakeUpdates):
    """``lost``: how many final answers are lost before the server has them; ``heard``: how many it had."""

    lost = 0
    heard = 0

    @override
    def handle(self, method: str, path: str, body: bytes | None) -> Reply:
        if body and json.loads(body).get("status", {}).get("execution") == "closed":
            if self.lost:
                self.lost -= 1
                raise NetworkFault(path, "the connection ended early")
            self.heard += 1
        return super().handle(method, path, body)


@pytest.mark.parametrize("canceled", [False, True])
def test_an_answer_that_was_lost_on_its_way_is_sent_once_more(canceled: bool) -> None:
    """A server may go on describing an action whose answer it has just taken."""
    unit = plain()
    unit.config += 'window = ["Sat,Sun 02:00-04:00"]\n' if canceled else ""
    unit.updates = Deaf()
    unit.updates.lost = 1
    action = unit.updates.assign({NEWER: image()})
    if canceled:
        unit.live()
        action.state = ActionState.CANCELING
    with pytest.raises(NetworkFault):
        unit.work() if canceled else unit.live()
    unit.work()
    assert (action.results, len(action.handled)) == (([], 1) if canceled else (["success"], 0))
    assert unit.updates.heard == 1
