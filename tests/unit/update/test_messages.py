"""Messages of a DDI server, and what a unit answers."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.errors import BadInput
from gprov.domain.update.feedback import (
    Execution,
    Feedback,
    Finished,
    serialise_attributes,
    serialise_confirmation,
    serialise_feedback,
)
from gprov.domain.update.messages import (
    LONGEST_SLEEP,
    SHORTEST_SLEEP,
    Artifact,
    Deployment,
    Handling,
    Poll,
    UnreadableDeployment,
    parse_cancel,
    parse_confirmation,
    parse_deployment,
    parse_poll,
    read_deployment,
)
from gprov.domain.update.offer import Bundle, SeparateFiles, offered_image

BASE = "https://updates.example/DEFAULT/controller/v1/S1"
IMAGE = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
PREFIX = "WIDGET.LNX.SHINY."
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def artifact(name: str = IMAGE, **changes: Any) -> dict[str, Any]:
    whole = {
        "filename": name,
        "size": 7,
        "hashes": {"sha1": "a" * 40, "md5": "B" * 32},
        "_links": {"download": {"href": f"{BASE}/{name}"}, "md5sum": {"href": f"{BASE}/{name}.MD5SUM"}},
    }
    return {**whole, **changes}


def deployment(*artifacts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"download": "forced", "update": "attempt", "chunks": [{"part": "os", "artifacts": list(artifacts)}]}
    return {"id": "8", "deployment": {**body, **changes}}


def test_a_poll() -> None:
    links = {"deploymentBase": f"{BASE}/deploymentBase/8?c=1", "configData": f"{BASE}/configData", "other": BASE}
    found = parse_poll(
        "x",
        encoded(
            {
                "config": {"polling": {"sleep": "12:00:30"}},
                "_links": {kind: {"href": url} for kind, url in links.items()},
            }
        ),
    )
    assert found == Poll(
        sleep=12 * 3600 + 30, config_data=f"{BASE}/configData", deployment=f"{BASE}/deploymentBase/8?c=1"
    )


def test_a_server_with_nothing_to_do() -> None:
    assert parse_poll("x", b"{}") == Poll()


@given(st.integers(0, 999), st.integers(0, 59), st.integers(0, 59))
def test_the_server_cannot_have_units_poll_too_often_or_never(hours: int, minutes: int, seconds: int) -> None:
    text = f"{hours}:{minutes:02}:{seconds:02}"
    found = parse_poll("x", encoded({"config": {"polling": {"sleep": text}}}))
    wanted = hours * 3600 + minutes * 60 + seconds
    assert found.sleep == min(max(wanted, SHORTEST_SLEEP), LONGEST_SLEEP)


def test_a_deployment() -> None:
    found = parse_deployment("x", encoded(deployment(artifact(), maintenanceWindow="unavailable")))
    assert found == Deployment(
        action="8",
        download=Handling.FORCED,
        update=Handling.ATTEMPT,
        maintenance=False,
        artifacts=(Artifact(name=IMAGE, size=7, url=f"{BASE}/{IMAGE}", sha1="a" * 40, md5="b" * 32),),
    )
    assert found.artifacts[0].hash == ("sha1", "a" * 40)


def test_its_identity_does_not_depend_on_leave_and_window() -> None:
    plain = parse_deployment("x", encoded(deployment(artifact())))
    later = parse_deployment("x", encoded(deployment(artifact(), update="skip", maintenanceWindow="unavailable")))
    other = parse_deployment("x", encoded(deployment(artifact(size=8))))
    assert plain.identity == later.identity != other.identity


def test_its_identity_does_not_depend_on_the_order_in_which_the_server_names_the_files() -> None:
    both = [artifact(), artifact(f"{IMAGE}.manifest", size=8)]
    found = [parse_deployment("x", encoded(deployment(*one))) for one in (both, both[::-1])]
    assert found[0].identity == found[1].identity


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (deployment(*[artifact()] * 65), "$.deployment.chunks[0].artifacts: has 65 entries, may have 64"),
        (deployment(chunks=[{"part": "os"}] * 65), "$.deployment.chunks: has 65 entries, may have 64"),
    ],
)
def test_a_deployment_of_more_files_than_are_looked_at(value: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_deployment("x", encoded(value))
    assert problem in map(str, caught.value.problems)


def test_a_number_is_an_id() -> None:
    assert parse_deployment("x", encoded({**deployment(artifact()), "id": 8})).action == "8"
    assert parse_cancel("x", b'{"id": "11", "cancelAction": {"stopId": 8}}') == ("11", "8")


def test_a_confirmation_or_where_it_is() -> None:
    body = deployment(artifact())["deployment"]
    found = parse_confirmation("x", encoded({"id": "8", "confirmation": body}))
    assert isinstance(found, Deployment)
    assert parse_confirmation("x", encoded({"_links": {"confirmationBase": {"href": BASE}}})) == BASE
    assert parse_confirmation("x", b'{"autoConfirm": {"active": false}}') == ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"id": "8"}, "$.deployment: is missing"),
        ({**deployment(artifact()), "id": "../x"}, "$.id: must be 1 to 64"),
        (deployment(artifact("../x")), "$.deployment.chunks[0].artifacts[0].filename: must be a name"),
        (deployment(artifact(size=0)), "$.deployment.chunks[0].artifacts[0].size: must be at least 1"),
        (deployment(artifact(_links={})), "$.deployment.chunks[0].artifacts[0]._links: has none of"),
        (
            deployment(artifact(_links={"download": {"href": "file:///etc/shadow"}})),
            "$.deployment.chunks[0].artifacts[0]._links.download.href: must begin with http",
        ),
        (deployment(artifact(hashes={"sha1": "xyz"})), "$.deployment.chunks[0].artifacts[0].hashes.sha1: must be 40"),
        (deployment(artifact(), download="perhaps"), "$.deployment.download: unknown value"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(value: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_deployment("x", encoded(value))
    assert any(str(one).startswith(problem) for one in caught.value.problems), caught.value.details()
    if value["id"] == "8":
        found = read_deployment("x", encoded(value))
        assert isinstance(found, UnreadableDeployment)
        assert found.action == "8"
        assert any(problem in text for text in found.problems), found.problems
    else:
        with pytest.raises(BadInput):
            read_deployment("x", encoded(value))


def test_a_deployment_that_can_be_read() -> None:
    value = encoded(deployment(artifact()))
    assert read_deployment("x", value) == parse_deployment("x", value)


@given(json_values)
def test_any_json_is_a_message_or_bad_input(value: Any) -> None:
    for parse in (parse_poll, parse_deployment, read_deployment, parse_cancel, parse_confirmation):
        with suppress(BadInput):
            parse("x", encoded(value))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_bad_input(data: bytes) -> None:
    for parse in (parse_poll, parse_deployment, read_deployment, parse_cancel, parse_confirmation):
        with suppress(BadInput):
            parse("x", data)


def offered(*names: str) -> SeparateFiles | Bundle:
    return offered_image(parse_deployment("x", encoded(deployment(*map(artifact, names)))), PREFIX)


def test_an_image_with_what_belongs_beside_it() -> None:
    found = offered("trust.chain", IMAGE, f"{IMAGE}.manifest", f"{IMAGE}.manifest.minisig")
    assert isinstance(found, SeparateFiles)
    present = [one.name for one in (found.image, found.manifest, found.signature, found.chain) if one is not None]
    assert present == [IMAGE, f"{IMAGE}.manifest", f"{IMAGE}.manifest.minisig", "trust.chain"]


def test_an_image_alone_and_a_bundle_alone() -> None:
    alone = offered(IMAGE)
    assert isinstance(alone, SeparateFiles)
    assert (alone.manifest, alone.signature, alone.chain) == (None, None, None)
    assert isinstance(offered("system.swu"), Bundle)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], "has 0 images (.upd) and 0 bundles (.swu), and must have one of one kind"),
        (["a.swu", IMAGE], "has 1 images (.upd) and 1 bundles (.swu), and must have one of one kind"),
        ([IMAGE, IMAGE], "has two files of the same name"),
        (["OTHER.2026-02-01.1.upd"], "prefix: must be 'WIDGET.LNX.SHINY.'"),
        ([IMAGE, "readme.txt"], "readme.txt: belongs to no image of this deployment"),
        (["a.swu", "trust.chain"], "trust.chain: belongs to no image of this deployment"),
        ([IMAGE, f"{PREFIX}2026-02-01.11.upd.manifest"], "belongs to no image of this deployment"),
    ],
)
def test_a_deployment_of_something_else(names: list[str], problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        offered(*names)
    assert any(problem in str(one) for one in caught.value.problems), caught.value.details()


details = st.lists(st.text(max_size=700), max_size=30)


@given(
    st.builds(
        Feedback,
        execution=st.sampled_from(Execution),
        finished=st.sampled_from(Finished),
        details=details,
        progress=st.none() | st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
        time_ns=st.integers(0, 4 * 10**18),
    )
)
def test_feedback_is_within_the_limits_of_servers(feedback: Feedback) -> None:
    document = json.loads(serialise_feedback(feedback))
    status = document["status"]
    assert document.keys() == {"time", "status"}
    assert (status["execution"], status["result"]["finished"]) == (feedback.execution.value, feedback.finished.value)
    assert len(status["details"]) <= 20
    assert all(0 < len(text) <= 512 and text.isprintable() for text in status["details"])
    if feedback.progress is not None:
        assert status["result"]["progress"] == {"cnt": feedback.progress[0], "of": feedback.progress[1]}


def test_the_time_is_utc() -> None:
    feedback = Feedback(execution=Execution.CLOSED, finished=Finished.SUCCESS, time_ns=1_700_000_000_000_000_000)
    assert json.loads(serialise_feedback(feedback))["time"] == "20231114T221320"


@given(st.dictionaries(st.text(min_size=1, max_size=200), st.text(max_size=200)))
def test_attributes_are_within_the_limits_of_servers(attributes: dict[str, str]) -> None:
    document = json.loads(serialise_attributes(attributes))
    assert document["mode"] == "merge"
    assert all(len(text) <= 128 for pair in document["data"].items() for text in pair)


@pytest.mark.parametrize(("agreed", "word"), [(True, "confirmed"), (False, "denied")])
def test_a_confirmation_of_the_unit(agreed: bool, word: str) -> None:
    assert json.loads(serialise_confirmation(["by me"], agreed=agreed)) == {"confirmation": word, "details": ["by me"]}
