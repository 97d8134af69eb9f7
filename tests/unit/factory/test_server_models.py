"""The API description describes what the client really sends, and names every type that there is."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from gprov.apps.server import models
from gprov.domain.events import (
    Body,
    Event,
    LogLine,
    Milestone,
    ProcessState,
    Progress,
    Severity,
    StateChange,
    Step,
    StepPhase,
)
from gprov.domain.factory import requests
from gprov.domain.factory.events import event_type
from gprov.domain.factory.replies import encode_credentials, encode_error
from gprov.domain.factory.requests import Sender, to_bytes
from gprov.domain.formats.json.value import Json
from gprov.domain.unit.credentials import Credentials, Secret

SENDER = Sender("SN 1", "0123456789abcdef" * 2)
BODIES: tuple[Body, ...] = (
    *(LogLine("text", severity) for severity in Severity),
    Progress("task", 1, 2),
    *(StateChange(state) for state in ProcessState),
    *(Step("step", phase, 1.5, "why") for phase in StepPhase),
    Milestone("name", 1.5),
)
EVENTS = [Event(number, 1, body) for number, body in enumerate(BODIES)]
MESSAGES: tuple[tuple[type[BaseModel], dict[str, Json]], ...] = (
    (models.EventsIn, requests.encode_events(SENDER, EVENTS)),
    (models.StateIn, requests.encode_state(SENDER, ProcessState.FR_FAILED)),
    (models.CodeNameIn, requests.encode_code_name(SENDER, "QEMU")),
    (models.MacsIn, requests.encode_macs(SENDER, {"eth0": "56:78:90:00:00:01"}, ["56:78:90:00:00:02"])),
    (models.DocumentIn, requests.encode_document(SENDER, "qa", "text")),
    (models.CredentialsIn, requests.encode_credential_request(SENDER)),
    (models.CredentialsOut, encode_credentials(Credentials(Secret("a"), Secret("b"), Secret("c")))),
    (models.TimeOut, {"time_ns": 5}),
    (models.ErrorOut, encode_error("why")),
)


@pytest.mark.parametrize(("model", "message"), MESSAGES)
def test_the_description_fits_what_is_sent(model: type[BaseModel], message: dict[str, Json]) -> None:
    parsed = model.model_validate_json(to_bytes(message))
    assert parsed.model_dump(mode="json", exclude_unset=True) == message


def test_every_type_of_event_is_described() -> None:
    described = set(models.EventIn.model_json_schema()["properties"]["type"]["enum"])
    assert described == {event_type(body) for body in BODIES}
