"""Clearing the TPM: what is sent, what its replies mean, and what is claimed."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.unit.execution.erase.tpm_clearing import TpmClearing
from gprov.domain.erase.report import OptionResult, OptionStatus
from gprov.domain.erase.tpm_state import TpmState
from gprov.domain.errors import BadInput
from gprov.domain.formats.tpm.commands import PERMANENT, Capability, clear, get_capability
from gprov.domain.formats.tpm.header import stated_size, states_success
from gprov.domain.formats.tpm.replies import (
    parse_handles,
    parse_properties,
    parse_reply,
    reason_number,
)


def cleared(chip: FakeTpmChip | None) -> OptionResult:
    machine = SimulatedMachine(tpm=chip)
    return TpmClearing(FakeTpm(machine), machine.clock).run()


def test_the_commands_are_those_of_the_library_specification() -> None:
    """As tpm2-tools sends them (tpm2_clear -c l, tpm2_getcap)."""
    assert clear().hex() == "80020000001b00000126" + "4000000a" + "00000009" + "40000009" + "0000" + "00" + "0000"
    asked = get_capability(Capability.TPM_PROPERTIES, PERMANENT, 1)
    assert asked.hex() == "8001000000160000017a" + "00000006" + "00000200" + "00000001"


def test_a_cleared_tpm_holds_nothing_of_an_owner() -> None:
    chip = FakeTpmChip()
    result = cleared(chip)
    assert result.status is OptionStatus.DONE
    assert not chip.holds_owner_data
    assert chip.persistent == [0x81800001]
    assert "2 persistent objects" in result.detail


def test_a_busy_tpm_is_asked_again_and_one_that_stays_busy_is_not_certified() -> None:
    assert cleared(FakeTpmChip(busy=3)).status is OptionStatus.DONE
    stuck = FakeTpmChip(busy=10_000)
    assert cleared(stuck).status is OptionStatus.FAILED
    assert len(stuck.received) < 100


@pytest.mark.parametrize(
    ("chip", "reason"),
    [
        (FakeTpmChip(lockout_password=True), "password of its lockout hierarchy"),
        (FakeTpmChip(clear_disabled=True), "TPM2_ClearControl"),
        (FakeTpmChip(version=1), "TPM 1.x"),
    ],
)
def test_what_the_operating_system_cannot_clear_is_left_to_the_firmware(chip: FakeTpmChip, reason: str) -> None:
    result = cleared(chip)
    assert result.status is OptionStatus.FAILED
    assert reason in result.detail
    assert "setup" in result.detail
    # Not tried: a wrong password locks the lockout hierarchy.
    assert clear() not in chip.received
    chip.presence = True
    result = cleared(chip)
    assert result.status is OptionStatus.PENDING
    assert reason in result.detail
    assert chip.requested


def test_a_tpm_that_accepts_the_command_and_does_nothing_is_noticed() -> None:
    result = cleared(FakeTpmChip(ignores_clear=True))
    assert result.status is OptionStatus.FAILED
    assert "still: a password of the owner hierarchy" in result.detail


def test_without_a_tpm_nothing_is_claimed() -> None:
    assert cleared(None).status is OptionStatus.NOT_PRESENT


@given(st.binary(max_size=80))
def test_any_reply_is_parsed_or_refused(data: bytes) -> None:
    for parse in (parse_reply, parse_properties, parse_handles):
        with suppress(BadInput):
            parse(data)
    assert (stated_size(data) is None) == (len(data) < 10)
    assert not states_success(data) or parse_reply(data).code == 0


def test_success_is_stated_by_a_whole_reply_only() -> None:
    reply = struct.pack(">HII", 0x8002, 19, 0) + bytes(9)
    assert states_success(reply)
    assert not any(states_success(reply[:length]) for length in range(19))
    assert not states_success(struct.pack(">HII", 0x8001, 10, 0x922))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_handles_are_read_as_they_were_written(handles: list[int]) -> None:
    content = struct.pack(f">BII{len(handles)}I", 0, Capability.HANDLES, len(handles), *handles)
    assert parse_handles(content) == tuple(handles)
    owner = [handle for handle in handles if handle < 0x81800000]
    assert bool(TpmState(0, tuple(handles)).left) == bool(owner)


@given(st.integers(1, 15), st.booleans())
def test_the_place_of_an_error_does_not_change_its_reason(place: int, parameter: bool) -> None:
    code = 0x0A2 | place << 8 | parameter << 6
    assert reason_number(code) == 0x0A2
    reply = parse_reply(struct.pack(">HII", 0x8001, 10, code))
    assert "TPM_RC_BAD_AUTH" in reply.describe("lockout")
