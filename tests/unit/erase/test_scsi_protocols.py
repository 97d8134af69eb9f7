"""Protocols of ATA and SCSI drives under any replies: they end without an exception, and claim success on evidence
only."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.drives.ata_model import AtaModel, identify_data
from gprov.adapters.fake.drives.ata_security import SecurityUnit
from gprov.adapters.fake.drives.sense import ata_reply, sense_data
from gprov.domain.erase.ata.release import release
from gprov.domain.erase.drive_io import (
    DriveReply,
    DriveRequest,
    NoReply,
    NvmeReply,
    Protocol,
    ScsiCommand,
    ScsiReply,
    Wait,
    Waited,
)
from gprov.domain.erase.outcome import TechniqueResult, TechniqueStatus
from gprov.domain.erase.scsi.drive import erase, resume
from gprov.domain.erase.scsi.report import report
from gprov.domain.erase.techniques import Technique
from gprov.domain.formats.ata.registers import AtaRegisters

TECHNIQUES = list(Technique)
Transcript = list[tuple[DriveRequest, DriveReply]]
MOST_REQUESTS = 100_000
SENSES = [(2, (0x04, 0x1B)), (3, (0x31, 0x03)), (6, (0x29, 0)), (5, (0x20, 0)), (0xB, (0, 0)), (0, (0, 0)), (1, (0, 0))]


def play(protocol: Protocol[Any], answer: Callable[[DriveRequest], DriveReply]) -> tuple[Any, Transcript]:
    transcript: Transcript = []
    reply: DriveReply | None = None
    while True:
        assert len(transcript) < MOST_REQUESTS
        try:
            request = next(protocol) if reply is None else protocol.send(reply)
        except StopIteration as stop:
            return stop.value, transcript
        reply = answer(request)
        transcript.append((request, reply))


def opcode_of(request: DriveRequest) -> int:
    return request.cdb[0] if isinstance(request, ScsiCommand) else -1


def ata_opcode_of(request: DriveRequest) -> int:
    return request.cdb[14] if isinstance(request, ScsiCommand) and request.cdb[0] == 0x85 else -1


class Plausible:
    """Replies that often make sense, drawn at random. ``noise``: probability of one that need not."""

    def __init__(self, seed: int, noise: float) -> None:
        self.random = random.Random(seed)
        self.noise = noise

    def __call__(self, request: DriveRequest) -> DriveReply:
        chosen = self.random
        if chosen.random() < self.noise:
            return self._any()
        if isinstance(request, Wait):
            return Waited(chosen.random() < 0.05)
        if ata_opcode_of(request) == 0xEC:
            return ScsiReply(0, data=self._identify())
        if ata_opcode_of(request) == 0xB4:
            count = chosen.choice([0, 0x8000, 0x4000, 0x2000, 0x9000])
            registers = AtaRegisters(status=chosen.choice([0x50, 0x50, 0x51]), error=4, count=count, lba=1)
            return ata_reply(registers, extended=True, fixed=chosen.random() < 0.2)
        if ata_opcode_of(request) in (0x27, 0xF8):
            return ata_reply(AtaRegisters(status=0x50, lba=2047), extended=True)
        if opcode_of(request) == 0xA3:
            return ScsiReply(0, data=bytes([0, 3, 0, 10]))
        if opcode_of(request) == 0x03:
            return ScsiReply(0, data=sense_data(*chosen.choice(SENSES), progress=chosen.random(), fixed=False))
        return ScsiReply(0)

    def _identify(self) -> bytes:
        security = SecurityUnit()
        security.password = self.random.choice([None, bytes(32)])
        security.locked = self.random.random() < 0.1
        security.frozen = self.random.random() < 0.1
        return identify_data(AtaModel(), 2048, security)

    def _any(self) -> DriveReply:
        chosen = self.random
        sense = chosen.choice(
            [b"", chosen.randbytes(chosen.randrange(40)), sense_data(*chosen.choice(SENSES), fixed=False)]
        )
        data = chosen.randbytes(chosen.choice([0, 1, 4, 36, 252, 512, 572, 600]))
        replies: list[DriveReply] = [
            NoReply("gone"),
            Waited(),
            Waited(True),
            NvmeReply(0, 0, data),
            ScsiReply(0, sense, data),
            ScsiReply(2, sense, data),
            ScsiReply(chosen.randrange(256), sense),
        ]
        return chosen.choice(replies)


def evidence(technique: Technique, transcript: Transcript) -> bool:
    """Whether the drive's last report, read from the raw replies, says that the technique has ended."""
    replies = [(request, reply) for request, reply in transcript if isinstance(reply, ScsiReply)]
    if technique.value.startswith("ata-security"):
        identifies = [reply.data for request, reply in replies if ata_opcode_of(request) == 0xEC]
        unit = [reply.status for request, reply in replies if ata_opcode_of(request) == 0xF4]
        enabled = [bool(data[256] & 0x06) for data in identifies if len(data) == 512]
        return unit == [0] and enabled[-1] is False and any(enabled)
    if technique.value.startswith("ata-sanitize"):
        last = [reply.sense for request, reply in replies if ata_opcode_of(request) == 0xB4][-1]
        return last[8] == 0x09 and bool(last[12] & 0x80) and not last[21] & 1
    ready = [reply.status for request, reply in replies if opcode_of(request) == 0x00]
    started = any(opcode_of(request) == 0x48 for request, _ in replies)
    running = any(b"\x04\x1b" in reply.data + reply.sense for _, reply in replies)
    return ready[-1] in (0, 2) and (started or running)


@given(technique=st.sampled_from(TECHNIQUES), seed=st.integers(0), noise=st.sampled_from([0.0, 0.05, 0.3, 1.0]))
@settings(max_examples=300, deadline=None)
def test_a_technique_ends_and_is_completed_on_evidence_only(technique: Technique, seed: int, noise: float) -> None:
    for protocol in (erase(technique), resume(technique)):
        result, transcript = play(protocol, Plausible(seed, noise))
        assert isinstance(result, TechniqueResult)
        assert result.technique is technique
        assert result.detail
        if result.status is TechniqueStatus.COMPLETED:
            assert evidence(technique, transcript)


@given(seed=st.integers(0), noise=st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=200, deadline=None)
def test_reports_and_releases_end(seed: int, noise: float) -> None:
    play(report(), Plausible(seed, noise))
    play(release(), Plausible(seed, noise))


@pytest.mark.parametrize("technique", [one for one in TECHNIQUES if one.value.startswith(("ata", "scsi"))])
def test_random_replies_complete_some_run(technique: Technique) -> None:
    """The property above would hold for protocols that never complete anything."""
    results = (play(erase(technique), Plausible(seed, 0.0))[0] for seed in range(1000))
    assert any(result.status is TechniqueStatus.COMPLETED for result in results)


@pytest.mark.parametrize(
    "reply",
    [
        NoReply("gone"),
        ScsiReply(8),
        ScsiReply(2),
        ScsiReply(0),
        Waited(),
        ScsiReply(2, sense_data(6, (0x29, 0))),
        ScsiReply(2, sense_data(2, (0x04, 0x1B), progress=0.5)),
        ata_reply(AtaRegisters(status=0x50, count=0x4000), extended=True),
    ],
)
@pytest.mark.parametrize("technique", TECHNIQUES)
def test_a_drive_that_always_says_the_same_ends_every_protocol(technique: Technique, reply: DriveReply) -> None:
    for protocol in (erase(technique), resume(technique)):
        result, _ = play(protocol, lambda request: Waited() if isinstance(request, Wait) else reply)
        assert result.status is not TechniqueStatus.COMPLETED
