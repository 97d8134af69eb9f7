"""The stand-in for hawkBit keeps hawkBit's rules, as a client sees them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integ.update.ddi_actions import State
from tests.integ.update.ddi_messages import MESSAGES, problems
from tests.integ.update.minimal_client import Device, artifacts, link
from tests.integ.update.stand_in import Download, StandIn

FINISHED: dict[str, Any] = {"status": {"execution": "closed", "result": {"finished": "success"}}}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    for number, name in enumerate(("a.upd", "a.upd.manifest", "a.upd.manifest.minisig", "trust.chain"), 1):
        (tmp_path / name).write_bytes(hashlib.shake_256(name.encode()).digest(1000 * number))
    return tuple(sorted(tmp_path.iterdir()))


@pytest.fixture
def device(stand_in: StandIn) -> Device:
    return Device(stand_in.url, "unit-1")


def test_a_deployment_with_several_artifacts(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    assert device.poll().keys() == {"configData"}
    device.register(serial="X")
    assert stand_in.attributes == {"unit-1": {"serial": "X"}}
    assert device.poll() == {}
    action = stand_in.assign("unit-1", files)
    links = device.poll()
    offered = device.get("deploymentBase", links["deploymentBase"])
    assert offered["id"] == str(action.number)
    found = artifacts(offered["deployment"])
    for path in files:
        content = path.read_bytes()
        hashes = {name: hashlib.new(name, content).hexdigest() for name in ("sha1", "md5", "sha256")}
        assert (found[path.name]["size"], found[path.name]["hashes"]) == (len(content), hashes)
        assert device.download(link(found[path.name])).content == content
    assert device.feedback(links["deploymentBase"], "proceeding", "none", "downloading") == 200
    assert device.feedback(links["deploymentBase"], "closed", "success") == 200
    assert action.state is State.FINISHED
    after = device.poll()
    assert after.keys() == {"installedBase", "configData"}
    assert device.get("deploymentBase", after["installedBase"])["id"] == str(action.number)


def test_parts_of_a_file(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    action = stand_in.assign("unit-1", files[:1])
    offered = device.get("deploymentBase", device.poll()["deploymentBase"])
    url = link(artifacts(offered["deployment"])["a.upd"])
    part = device.download(url, 600)
    assert (part.status_code, part.content) == (206, files[0].read_bytes()[600:])
    changed = {"Range": "bytes=600-", "If-Range": '"of another file"'}
    whole = requests.get(url, headers=changed, timeout=30)
    assert (whole.status_code, whole.content) == (200, files[0].read_bytes())
    same = {"Range": "bytes=600-", "If-Range": part.headers["ETag"]}
    assert requests.get(url, headers=same, timeout=30).status_code == 206
    stand_in.ranges = False
    assert device.download(url, 600).content == files[0].read_bytes()
    assert stand_in.downloads[-1] == Download("unit-1", "a.upd", "bytes=600-")
    assert device.status(f"{url}.gone") == 404
    assert action.feedback == []


def test_the_first_final_answer_counts(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    action = stand_in.assign("unit-1", files)
    url = device.poll()["deploymentBase"]
    assert device.feedback(url, "closed", "failure", "no room") == 200
    assert device.feedback(url, "closed", "success") == 410
    assert device.feedback(url, "proceeding") == 410
    assert action.state is State.ERROR
    assert [final["status"]["details"] for final in action.finals] == [["no room"]]
    assert [late["status"]["result"]["finished"] for late in action.late] == ["success"]
    assert device.feedback(f"{device.base}/deploymentBase/999", "closed", "success") == 404
    assert Device(stand_in.url, "unit-2").feedback(url.replace("unit-1", "unit-2"), "closed", "success") == 404


def test_confirmation(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    stand_in.confirm = True
    action = stand_in.assign("unit-1", files)
    url = device.poll()["confirmationBase"]
    asked = device.get("confirmationBaseAction", url)
    assert artifacts(asked["confirmation"]).keys() == {path.name for path in files}
    assert device.get("confirmationBase", f"{device.base}/confirmationBase")["_links"]["confirmationBase"]
    assert device.status(f"{device.base}/deploymentBase/{action.number}") == 404
    assert device.feedback(f"{device.base}/deploymentBase/{action.number}", "closed", "success") == 404
    answers = f"{url.partition('?')[0]}/feedback"
    assert device.send("POST", answers, {"confirmation": "denied", "details": ["not now"]}) == 200
    assert action.state is State.WAITING
    assert device.send("POST", answers, {"confirmation": "confirmed"}) == 200
    assert device.poll().keys() >= {"deploymentBase"}
    assert device.send("POST", answers, {"confirmation": "confirmed"}) == 404
    assert device.feedback(device.poll()["deploymentBase"], "closed", "success") == 200
    assert device.send("POST", answers, {"confirmation": "confirmed"}) == 410
    assert [answer["confirmation"] for answer in action.confirmations] == ["denied", "confirmed"]


@pytest.mark.parametrize(
    ("execution", "finished", "state"),
    [
        ("closed", "success", State.CANCELED),
        ("closed", "none", State.CANCELED),
        ("rejected", "none", State.RUNNING),
        ("closed", "failure", State.RUNNING),
        ("proceeding", "none", State.CANCELING),
    ],
)
def test_cancellation(
    stand_in: StandIn, device: Device, files: tuple[Path, ...], execution: str, finished: str, state: State
) -> None:
    action = stand_in.assign("unit-1", files)
    channel = f"{device.base}/cancelAction/{action.number}"
    assert device.status(channel) == 404
    assert device.feedback(channel, "closed", "success") == 405
    stand_in.cancel(action)
    links = device.poll()
    assert "deploymentBase" not in links
    stop = device.get("cancelAction", links["cancelAction"])
    assert stop["cancelAction"]["stopId"] == str(action.number)
    assert device.feedback(links["cancelAction"], execution, finished, "a reason") == 200
    assert action.state is state
    assert len(action.cancel_feedback) == 1


def test_a_new_assignment_cancels_the_one_before(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    first = stand_in.assign("unit-1", files)
    second = stand_in.assign("unit-1", files)
    assert second.number != first.number
    links = device.poll()
    assert links["cancelAction"].endswith(f"/{first.number}")
    assert device.feedback(links["cancelAction"], "closed", "success") == 200
    assert f"/deploymentBase/{second.number}?" in device.poll()["deploymentBase"]


def test_maintenance_window(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    action = stand_in.assign("unit-1", files, update="attempt")
    seen = set()
    for window, update in (("unavailable", "skip"), ("available", "attempt")):
        action.window = window
        url = device.poll()["deploymentBase"]
        seen.add(url)
        deployment = device.get("deploymentBase", url)["deployment"]
        assert (deployment["maintenanceWindow"], deployment["update"]) == (window, update)
        assert deployment["download"] == "forced"
    assert len(seen) == 2, "the link says that something changed"


def test_tokens(stand_in: StandIn, device: Device) -> None:
    stand_in.target_tokens = {"unit-1": "secret"}
    assert device.status(device.base) == 401
    assert Device(stand_in.url, "unit-2", "TargetToken secret").status(device.base.replace("-1", "-2")) == 401
    assert Device(stand_in.url, "unit-1", "TargetToken secret").poll()
    stand_in.gateway_token = "of all"
    assert Device(stand_in.url, "unit-2", "GatewayToken of all").poll()


def test_attributes_are_asked_for(stand_in: StandIn, device: Device) -> None:
    device.register(serial="X", place="here")
    stand_in.ask_attributes("unit-1")
    url = device.poll()["configData"]
    assert device.send("PUT", url, {"mode": "merge", "data": {"serial": "Y"}}) == 200
    assert device.send("PUT", url, {"mode": "remove", "data": {"place": ""}}) == 200
    assert stand_in.attributes["unit-1"] == {"serial": "Y"}
    assert device.poll() == {}
    assert device.send("PUT", url, {"mode": "replace", "data": {"place": "there"}}) == 200
    assert stand_in.attributes["unit-1"] == {"place": "there"}


def test_an_outage(stand_in: StandIn, device: Device, files: tuple[Path, ...]) -> None:
    action = stand_in.assign("unit-1", files)
    stand_in.stop()
    with pytest.raises(requests.ConnectionError):
        device.poll()
    stand_in.start()
    assert device.poll()["deploymentBase"].partition("?")[0].endswith(f"/{action.number}")


def status(**changes: Any) -> dict[str, Any]:
    return {"status": {"execution": "closed", "result": {"finished": "success"}, **changes}}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({}, "'status' is a required property"),
        ({"id": "1", **FINISHED}, "Additional properties are not allowed ('id' was unexpected)"),
        (status(execution="done"), "feedback.status.execution: 'done' is not one of"),
        (status(result={}), "feedback.status.result: 'finished' is a required property"),
        (status(result={"finished": "yes"}), "'yes' is not one of"),
        (status(result={"finished": "none", "progress": {"of": 5}}), "'cnt' is a required property"),
        (status(details="text"), "'text' is not of type 'array'"),
        (status(details=["x" * 513]), "is too long"),
        (status(code="5"), "'5' is not of type 'integer'"),
        ({"time": "yesterday", **FINISHED}, "feedback.time: 'yesterday' does not match"),
    ],
)
def test_feedback_that_hawkbit_does_not_know(
    stand_in: StandIn, device: Device, files: tuple[Path, ...], value: dict[str, Any], problem: str
) -> None:
    action = stand_in.assign("unit-1", files)
    url = f"{device.base}/deploymentBase/{action.number}/feedback"
    assert device.send("POST", url, value) == 400
    [found] = stand_in.violations
    assert problem in found
    assert action.feedback == []
    stand_in.violations.clear()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("configData", {"data": {}}),
        ("configData", {"data": {"size": 5}}),
        ("configData", {"data": {"x" * 129: "value"}}),
        ("configData", {"mode": "add", "data": {"a": "b"}}),
    ],
)
def test_attributes_that_hawkbit_does_not_know(stand_in: StandIn, device: Device, path: str, value: Any) -> None:
    assert device.send("PUT", f"{device.base}/{path}", value) == 400
    assert len(stand_in.violations) == 1
    assert stand_in.attributes == {}
    stand_in.violations.clear()


def test_bodies_that_are_not_json(stand_in: StandIn, device: Device) -> None:
    url = f"{device.base}/configData"
    assert requests.put(url, "a=b", headers={"Content-Type": "text/plain"}, timeout=30).status_code == 415
    assert requests.put(url, "{", headers={"Content-Type": "application/json"}, timeout=30).status_code == 400
    assert len(stand_in.violations) == 2
    stand_in.violations.clear()


def test_a_reply_that_is_not_as_documented_is_noticed(stand_in: StandIn, device: Device) -> None:
    stand_in.sleep = "soon"
    with pytest.raises(AssertionError):
        device.poll()
    [found] = stand_in.violations
    assert "reply controllerBase.config.polling.sleep: 'soon' does not match" in found
    stand_in.violations.clear()


def test_no_message_may_be_empty() -> None:
    documents = [name for name in MESSAGES if name.endswith(("Base", "BaseAction", "Action", "eedback", "Data"))]
    assert len(documents) == 8
    for name in documents:
        assert problems(name, {})
        assert problems(name, [])
