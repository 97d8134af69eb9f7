"""Any replies: a protocol never raises, always ends, and never completes without the drive's report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.erase.drive_io import (
    DriveReply,
    DriveRequest,
    NoReply,
    NvmeCommand,
    NvmeReply,
    Protocol,
    ScsiReply,
    Wait,
    Waited,
)
from gprov.domain.erase.nvme.erase import erase, resume
from gprov.domain.erase.nvme.reasons import FORMAT_SETTINGS, NVME_TECHNIQUES, SANITIZE_ACTIONS
from gprov.domain.erase.nvme.report import report
from gprov.domain.erase.outcome import TechniqueStatus
from gprov.domain.erase.techniques import Technique
from gprov.domain.errors import BadInput
from gprov.domain.formats.nvme.commands import Identify, Opcode
from gprov.domain.formats.nvme.controller import Controller, serialise_controller
from gprov.domain.formats.nvme.namespace import Namespace, serialise_namespace, serialise_namespace_list
from gprov.domain.formats.nvme.sanitize_log import (
    SanitizeLog,
    SanitizeState,
    parse_sanitize_log,
    serialise_sanitize_log,
)

Result = TypeVar("Result")
MAX_REQUESTS = 60_000
CAPABLE = serialise_controller(
    Controller(serial="1", model="M", firmware="F", oacs=0xA, fna=4, sanicap=7, namespaces=4)
)
ONE = serialise_namespace(Namespace(blocks=8, capacity=8, fpi=0x80))
LOGS = st.builds(
    SanitizeLog,
    state=st.sampled_from(SanitizeState),
    sprog=st.sampled_from((0, 1, 0xFFFF)),
    data_erased=st.booleans(),
    scdw10=st.sampled_from((0, 1, 2, 4, 10, 0x204)),
).map(serialise_sanitize_log)
BAD = st.one_of(
    st.builds(NoReply, st.text(max_size=5)),
    st.builds(NvmeReply, st.sampled_from((1, 2, 0x1C, 0x1D, 0x20, 0x84, 0x371, 0x7FFF)), data=st.binary(max_size=8)),
    st.builds(NvmeReply, st.just(0), st.integers(0, 5), st.binary(max_size=600)),
    st.builds(NvmeReply, st.just(0), data=st.sampled_from((bytes(512), bytes(4096), b"\xff" * 512, b"\xff" * 4096))),
    st.builds(ScsiReply, st.integers(0, 255)),
    st.builds(Waited, st.booleans()),
)


def good(draw: Callable[[st.SearchStrategy[bytes]], bytes], request: DriveRequest) -> DriveReply:
    """A plausible reply: the states of the drive do not follow from the commands."""
    if not isinstance(request, NvmeCommand):
        return Waited()
    match request.opcode, request.dwords[0] & 0xFF:
        case Opcode.IDENTIFY, Identify.CONTROLLER:
            return NvmeReply(0, data=CAPABLE)
        case Opcode.IDENTIFY, Identify.NAMESPACE:
            return NvmeReply(0, data=ONE)
        case Opcode.IDENTIFY, _:
            return NvmeReply(0, data=serialise_namespace_list([1] if request.namespace < 1 else []))
        case Opcode.GET_LOG_PAGE, _:
            return NvmeReply(0, data=draw(LOGS))
        case _:
            return NvmeReply(0)


def conversation(
    protocol: Protocol[Result], answer: Callable[[DriveRequest], DriveReply]
) -> tuple[Result, list[tuple[DriveRequest, DriveReply]]]:
    said: list[tuple[DriveRequest, DriveReply]] = []
    try:
        request = next(protocol)
        while len(said) < MAX_REQUESTS:
            said.append((request, answer(request)))
            request = protocol.send(said[-1][1])
    except StopIteration as ended:
        return ended.value, said
    raise AssertionError("the protocol does not end")


def last_log(said: list[tuple[DriveRequest, DriveReply]]) -> SanitizeLog:
    """The last reply to the last reading."""
    request, reply = said[-1]
    assert isinstance(request, NvmeCommand)
    assert request.opcode == Opcode.GET_LOG_PAGE
    assert isinstance(reply, NvmeReply)
    assert reply.status == 0
    return parse_sanitize_log(reply.data)


def evidence(technique: Technique, said: list[tuple[DriveRequest, DriveReply]]) -> None:
    """Written against the specification, not the code: what a completed technique needs."""
    commands = [(one, reply) for one, reply in said if isinstance(one, NvmeCommand)]
    if technique in FORMAT_SETTINGS:
        sent = [(one, reply) for one, reply in commands if one.opcode == Opcode.FORMAT_NVM]
        assert {one.dwords[0] >> 9 & 7 for one, _ in sent} == {1 if technique is Technique.NVME_FORMAT_USER else 2}
        last = sent[-1][1]
        assert isinstance(last, NvmeReply)
        assert last.status == 0
        return
    dword = 4 if technique is Technique.NVME_SANITIZE_CRYPTO else 2
    log = last_log(said)
    assert (log.state, log.sprog, log.scdw10) == (SanitizeState.SUCCEEDED, 0xFFFF, dword)
    place = next(n for n, (one, _) in enumerate(commands) if one.opcode == Opcode.SANITIZE)
    logs = [read_log(reply) for one, reply in commands[place:] if one.opcode == Opcode.GET_LOG_PAGE]
    earlier = [read_log(reply) for one, reply in commands[:place] if one.opcode == Opcode.GET_LOG_PAGE]
    before = earlier[-1]
    assert before is not None
    began = any(read and read.state is SanitizeState.IN_PROGRESS and read.scdw10 == dword for read in logs)
    erased = log.data_erased and not before.data_erased
    assert began or before.state is not log.state or before.scdw10 != dword or erased


def read_log(reply: DriveReply) -> SanitizeLog | None:
    if not isinstance(reply, NvmeReply) or reply.status or len(reply.data) != 512:
        return None
    try:
        return parse_sanitize_log(reply.data)
    except BadInput:
        return None


BY_TECHNIQUE = pytest.mark.parametrize("technique", NVME_TECHNIQUES)


@BY_TECHNIQUE
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_replies_that_are_mostly_plausible(technique: Technique, data: st.DataObject) -> None:
    bad_at = data.draw(st.dictionaries(st.integers(0, 40), BAD, max_size=4))
    place = -1

    def answer(request: DriveRequest) -> DriveReply:
        nonlocal place
        place += 1
        if place > 60 and isinstance(request, Wait):
            return Waited(expired=True)
        return bad_at[place] if place in bad_at else good(data.draw, request)

    result, said = conversation(erase(technique, 1, frozenset({1})), answer)
    for request, _ in said:
        if isinstance(request, NvmeCommand) and request.opcode == Opcode.FORMAT_NVM:
            assert request.dwords[0] >> 9 & 7 in (1, 2)
    if result.status is TechniqueStatus.COMPLETED:
        evidence(technique, said)


@BY_TECHNIQUE
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_replies_without_sense(technique: Technique, data: st.DataObject) -> None:
    for protocol in (erase(technique, 1, frozenset({1})), resume(technique), resume(technique, SanitizeLog())):
        result, _ = conversation(protocol, lambda _: data.draw(BAD))
        assert result.status is not TechniqueStatus.COMPLETED
    reported, said = conversation(report(1, frozenset({1})), lambda _: data.draw(BAD))
    assert {one.technique for one in reported.offers} <= set(NVME_TECHNIQUES)
    assert all(isinstance(one, NvmeCommand) and one.opcode in (Opcode.IDENTIFY, Opcode.GET_LOG_PAGE) for one, _ in said)


@pytest.mark.parametrize("technique", SANITIZE_ACTIONS)
def test_an_operation_that_never_ends_ends_without_a_time_limit(technique: Technique) -> None:
    log = serialise_sanitize_log(SanitizeLog(state=SanitizeState.IN_PROGRESS, sprog=7, scdw10=2))
    log4 = serialise_sanitize_log(SanitizeLog(state=SanitizeState.IN_PROGRESS, sprog=7, scdw10=4))
    pages = {Technique.NVME_SANITIZE_BLOCK: log, Technique.NVME_SANITIZE_CRYPTO: log4}

    def answer(request: DriveRequest) -> DriveReply:
        return Waited() if isinstance(request, Wait) else NvmeReply(0, data=pages[technique])

    result, _ = conversation(resume(technique), answer)
    assert result.status is TechniqueStatus.FAILED


@pytest.mark.parametrize("technique", FORMAT_SETTINGS)
def test_a_format_that_never_ends_ends_without_a_time_limit(technique: Technique) -> None:
    half = serialise_namespace(Namespace(blocks=8, capacity=8, fpi=0x80 | 50))
    formatted = False

    def answer(request: DriveRequest) -> DriveReply:
        nonlocal formatted
        is_format = isinstance(request, NvmeCommand) and request.opcode == Opcode.FORMAT_NVM
        formatted = formatted or is_format
        reply = good(lambda _: serialise_sanitize_log(SanitizeLog()), request)
        return NvmeReply(0, data=half) if formatted and isinstance(reply, NvmeReply) and reply.data == ONE else reply

    result, _ = conversation(erase(technique, 1, frozenset({1})), answer)
    assert (result.status, formatted) == (TechniqueStatus.FAILED, True)
