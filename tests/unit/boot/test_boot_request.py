"""Requests of the running system: their file, and the rows 11a to 11d of docs/explanation/booting.md."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.domain.boot.args import BootArguments, PreferredImage
from gprov.domain.boot.boot_request import (
    MAX_TRIES,
    BootRequest,
    EraseRequested,
    RestoreRequested,
    UnreadableRequest,
    parse_boot_request,
    serialise_boot_request,
    with_try,
)
from gprov.domain.boot.decide import decide
from gprov.domain.boot.decisions import (
    Decision,
    Erase,
    GiveUp,
    OpenMenu,
    Restore,
    RestoreReason,
    SurveyTargets,
    SwitchRoot,
    WithdrawRequest,
)
from gprov.domain.boot.facts import BootFacts, Flag, Found, Mounted, MountFailed
from gprov.domain.boot.survey import TargetDisk, TargetState, TargetSurvey
from gprov.domain.disk.model import Bus, Contents, Disk, Partition, Volume
from gprov.domain.errors import BadInput
from gprov.domain.formats.disk.device_number import DeviceNumber

words = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12)
tries = st.integers(0, 999)
requests: st.SearchStrategy[BootRequest] = st.one_of(
    st.builds(
        RestoreRequested,
        serial=words,
        image=st.sampled_from([PreferredImage.LATEST, PreferredImage.OLDEST]),
        tries=tries,
    ),
    st.builds(
        RestoreRequested,
        serial=words,
        named=words.filter(str.isprintable).map(lambda word: word.replace("/", "-") + ".upd"),
        tries=tries,
    ),
    st.builds(EraseRequested, serial=words, options=words, tries=tries),
)


@given(requests)
def test_a_request_is_read_as_it_was_written(request_: BootRequest) -> None:
    assert parse_boot_request("x", serialise_boot_request(request_)) == request_
    assert parse_boot_request("x", serialise_boot_request(with_try(request_))).tries == request_.tries + 1


@given(st.binary(max_size=80))
def test_any_bytes_are_a_request_or_bad_input(data: bytes) -> None:
    with suppress(BadInput):
        assert parse_boot_request("x", data).serial


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "request: must be one of restore, erase, is ''"),
        (
            "request=restore\nserial=1\nimage=menu\ntries=0\n",
            "image: must be one of latest, oldest, or the name of an image, is 'menu'",
        ),
        (
            "request=restore\nserial=1\nimage=../x.upd\ntries=0\n",
            "image: must be one of latest, oldest, or the name of an image, is '../x.upd'",
        ),
        ("request=restore\nserial=\ntries=0\n", "serial: is missing"),
        ("request=erase\nserial=1\ntries=-1\n", "tries: must be a number, is '-1'"),
        ("request=erase\nrequest=restore\nserial=1\ntries=0\n", "line 2: must be KEY=VALUE, each key once"),
        ("request=erase\nserial=1\ntries=0\nrubbish\n", "line 4: must be KEY=VALUE, each key once"),
    ],
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_boot_request("x", text.encode())
    assert problem in [str(one) for one in caught.value.problems]


def test_a_new_request_was_not_tried_yet() -> None:
    assert [RestoreRequested(serial="S1").tries, EraseRequested(serial="S1").tries] == [0, 0]


def test_keys_of_later_versions_are_ignored() -> None:
    text = b"request=erase\nserial=S1\ntries=2\nreason=sold\n"
    assert parse_boot_request("x", text) == EraseRequested(serial="S1", tries=2)


SDA = Disk(name="sda", node="/dev/sda", device=DeviceNumber(8, 0), size=10**10, bus=Bus.ATA)
SDB = Disk(name="sdb", node="/dev/sdb", device=DeviceNumber(8, 16), size=10**10, bus=Bus.ATA)
PART = Partition(name="sda1", node="/dev/sda1", device=DeviceNumber(8, 1), number=1, start=2**20, size=2**30)
ROOT = Volume(disk=SDA, node="/dev/sda1", device=PART.device, contents=Contents("ext4", "PRIMARY"), partition=PART)
OWN = TargetSurvey(expected=1, disks=(TargetDisk(SDA, TargetState.PRIMARY),), primary=(ROOT,), serial="S1")
RESTORE, ERASE = RestoreRequested(serial="S1"), EraseRequested(serial="S1", options="level:purge")


def facts(request: BootRequest, targets: TargetSurvey | None = OWN) -> BootFacts:
    return BootFacts(
        arguments=BootArguments(real_root="LABEL=PRIMARY"),
        elapsed=1.0,
        root=Found(ROOT, Mounted(Flag.PRESENT, request=request)),
        targets=targets,
    )


def withdrawn(decision: Decision) -> str:
    assert isinstance(decision, WithdrawRequest)
    assert decision.volume == ROOT
    return decision.reason


@pytest.mark.parametrize("request_", [RESTORE, ERASE])
def test_rows_11a_to_11d(request_: BootRequest) -> None:
    tired = replace(request_, tries=MAX_TRIES)
    assert withdrawn(decide(facts(tired, None))) == "3 starts have begun to act on it"
    assert decide(facts(request_, None)) == SurveyTargets()
    other = withdrawn(decide(facts(request_, replace(OWN, serial="S2"))))
    assert other == "it is for unit S1, but the serial number of this machine is that of unit S2"
    assert "not known" in withdrawn(decide(facts(request_, TargetSurvey(expected=None))))
    elsewhere = replace(OWN, disks=(TargetDisk(SDB, TargetState.OTHER),))
    assert "not on a data disk of the platform" in withdrawn(decide(facts(request_, elsewhere)))
    assert decide(replace(facts(request_), request_settled=True)) == SwitchRoot(ROOT)


def test_a_request_that_cannot_be_read_is_withdrawn() -> None:
    unreadable = Mounted(Flag.PRESENT, request=UnreadableRequest("x: is damaged"))
    assert withdrawn(decide(replace(facts(ERASE), root=Found(ROOT, unreadable)))) == "x: is damaged"


def test_a_restore_needs_all_data_disks_and_no_other_data() -> None:
    assert decide(facts(replace(RESTORE, image=PreferredImage.OLDEST))) == Restore(
        RestoreReason.REQUESTED_BY_SYSTEM, "/dev/sda1 holds the request for unit S1", PreferredImage.OLDEST
    )
    assert "1 of 2 data disks present" in withdrawn(decide(facts(RESTORE, replace(OWN, expected=2))))
    foreign = replace(OWN, expected=2, disks=(*OWN.disks, TargetDisk(SDB, TargetState.FOREIGN)))
    assert "would also wipe /dev/sdb with other data" in withdrawn(decide(facts(RESTORE, foreign)))


def test_an_erase_covers_an_incomplete_set_too() -> None:
    assert decide(facts(ERASE)) == Erase(request=ERASE)
    assert decide(facts(ERASE, replace(OWN, expected=2))) == Erase(request=ERASE)


@given(requests, st.booleans())
def test_a_request_never_stops_a_system_that_could_start(request_: BootRequest, settled: bool) -> None:
    """Whatever speaks against it, the unit boots: nothing is given up for a request."""
    for targets in (None, OWN, TargetSurvey(expected=None), replace(OWN, serial=request_.serial, expected=3)):
        assert not isinstance(decide(replace(facts(request_, targets), request_settled=settled)), GiveUp)


def test_other_wishes_come_first_and_another_root_has_no_request() -> None:
    assert decide(replace(facts(ERASE), key_pressed=True)) == OpenMenu()
    files = decide(replace(facts(ERASE), emergency_files=("EmergencyFile_1",)))
    assert isinstance(files, Restore)
    assert files.reason is RestoreReason.EMERGENCY_FILE
    assert isinstance(decide(replace(facts(ERASE), root=Found(ROOT, MountFailed("no", 3)), elapsed=200.0)), Decision)
    stick = replace(ROOT, disk=replace(SDA, bus=Bus.USB))
    on_stick = replace(facts(ERASE), root=Found(stick, Mounted(Flag.PRESENT, request=ERASE)))
    assert not isinstance(decide(on_stick), Erase)
