"""Schemas of documents that gprov writes: what is written is valid, and nothing of it may be missing."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gprov.apps.host.lab.guest_messages import GuestMilestone, GuestReport
from gprov.apps.host.lab.report import RunFacts, lab_report
from gprov.apps.host.lab.runner import Ending
from gprov.apps.host.lab.stage import StageResult, StageVerdict
from gprov.apps.unit.reporting.bus import EventBus
from gprov.apps.update.status import status_facts
from gprov.domain.erase.canonical_json import document_bytes
from gprov.domain.erase.report_making import ErasureFacts, make_report
from gprov.domain.erase.report_text import parse_report, report_bytes
from gprov.domain.errors import BadInput
from gprov.domain.mfg.burnin.report import BurnInReport, Check, report_text
from gprov.domain.update.state import Phase, Result, UpdateState, serialise_state
from tests.unit.erase.outcomes import OVERWRITTEN, any_facts, facts_of
from tests.unit.flow.updated_units import plain
from tests.unit.schemas.test_schemas import VALUES, places
from tools.schemas.registry import WRITTEN

VALIDATORS = {one.name: Draft202012Validator(one.schema) for one in WRITTEN}
_CHECKS = (Check("temperature", "70 °C", "90 °C"), Check("rate of sda", "1 MB/s", "100 MB/s", passed=False))


def _stage(name: str, system: GuestReport | None, *milestones: GuestMilestone) -> StageResult:
    return StageResult(
        name=name,
        verdict=StageVerdict.PASSED,
        reason="",
        ending=Ending.POWER_OFF,
        seconds=31.24,
        milestones=milestones,
        system=system,
        serial_log=f"/x/serial-{name}.log",
    )


def _update_statuses() -> list[Any]:
    """Before the first action, and in each phase of one."""
    unit = plain()
    unit.config += 'confirm = "owner"\n'
    unit.start()
    unit.work()
    ports, bus = unit.ports(), EventBus(unit.world.machine.clock)
    found = [status_facts(ports, unit.paths, bus)]
    state = UpdateState(action="17", identity="0" * 64, phase=Phase.DOWNLOAD)
    ready = replace(state, phase=Phase.READY, image="x.upd", previous="y.upd")
    ended = [ready.ended(result, "why") for result in Result]
    for one in (state, ready, replace(ready, phase=Phase.REQUESTED), *ended):
        ports.files.replace(unit.paths.state, serialise_state(one), mode=0o600)
        found.append(status_facts(ports, unit.paths, bus))
    return found


DOCUMENTS: dict[str, list[Any]] = {
    "burn-in": [
        json.loads(report_text(BurnInReport(started_ns=1, seconds=2.0, tests=("cpu",), **more), "SN-1", "X7"))
        for more in ({}, {"reason": "a key"}, {"checks": _CHECKS, "notes": ("a note",)})
    ],
    "erase-report": [json.loads(report_bytes(make_report(facts_of(OVERWRITTEN, missing=("disk 2",)))))],
    "lab-report": [
        dict(
            lab_report(
                RunFacts("uefi", "LAB0001", "tcg", {"image": "0" * 64}),
                [
                    _stage("provision", None, GuestMilestone("init-started", 2.2, {"more": 1})),
                    _stage("boot", GuestReport("multi-user", 17.9, {"failed": ""}), GuestMilestone("x", None, {})),
                ],
            )
        )
    ],
    "update-status": _update_statuses(),
}


@pytest.mark.parametrize("name", VALIDATORS)
def test_what_is_written_is_valid_and_whole(name: str) -> None:
    for written in DOCUMENTS[name]:
        VALIDATORS[name].validate(written)
        for index in range(len(places(written))):
            document = deepcopy(written)
            container, key = places(document)[index]
            if isinstance(container, dict):
                del container[key]
                # Facts of guests, and names of products.
                free = name == "lab-report" and key in ("more", "failed", "image")
                assert VALIDATORS[name].is_valid(document) == free, key


@given(any_facts())
def test_every_erase_report_fits_its_schema(facts: ErasureFacts) -> None:
    VALIDATORS["erase-report"].validate(json.loads(report_bytes(make_report(facts))))


@given(st.data())
def test_an_erase_report_that_is_read_fits_its_schema(data: st.DataObject) -> None:
    """The reader demands more: claims that the entries support."""
    document = deepcopy(DOCUMENTS["erase-report"][0])
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = data.draw(st.sampled_from(VALUES))
    with suppress(BadInput, UnicodeEncodeError):
        parse_report(document_bytes(document))
        VALIDATORS["erase-report"].validate(document)
