"""Numbers in the TPM while the power fails, and in a TPM that fails."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.firmware.tpm import FakeTpm
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.unit.execution.tpm.ratchets import TpmRatchets
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.trust.ratchets import RatchetValues

LOW, HIGH = RatchetValues(1, 1), RatchetValues(7, 8)


def cut_before(machine: SimulatedMachine, number: int) -> None:
    """The power fails before the command with this number is sent."""
    sent = []

    def hook(operation: str) -> None:
        sent.append(operation)
        if len(sent) > number:
            raise MachineStopped(StopReason.POWER_CUT)

    machine.hook = hook


def values_or_unfinished(ratchets: TpmRatchets) -> RatchetValues | None:
    """None if an index is defined and has no value yet."""
    found = ratchets.read()
    assert all("was never written" in problem for problem in found.problems)
    return None if found.problems else found.values


@pytest.mark.parametrize("begun", [False, True], ids=["first", "again"])
def test_a_power_cut_at_any_command_leaves_the_old_numbers_or_the_new_ones(begun: bool) -> None:
    ended = False
    for number in range(40):
        machine = SimulatedMachine(tpm=FakeTpmChip.new())
        ratchets = TpmRatchets(FakeTpm(machine), machine.clock)
        if begun:
            ratchets.raise_to(LOW)
        cut_before(machine, number)
        try:
            ratchets.raise_to(HIGH)
            ended = True
        except MachineStopped:
            pass
        machine.hook = None
        machine.restart()
        before = LOW if begun else RatchetValues()
        left = values_or_unfinished(ratchets)
        assert left is not None or not begun
        if left is not None:
            assert left.security_floor in (before.security_floor, HIGH.security_floor)
            assert left.trust_version in (before.trust_version, HIGH.trust_version)
        ratchets.raise_to(HIGH)
        assert ratchets.read().values == HIGH
    assert ended


def test_faults_are_stated() -> None:
    machine = SimulatedMachine()
    ratchets = TpmRatchets(FakeTpm(machine), machine.clock)
    for chip, error, text in (
        (None, DeviceMissing, "there is none"),
        (FakeTpmChip(version=1), DeviceMissing, "2.0 is needed"),
        (FakeTpmChip(failed=True), DeviceFault, "failure mode"),
        (FakeTpmChip(busy=1000), DeviceFault, "0x922"),
        (FakeTpmChip(owned=False, nv_room=1), DeviceFault, "NVRAM is full"),
    ):
        machine.tpm = chip
        with pytest.raises(error, match=text):
            ratchets.raise_to(HIGH)
        if error is DeviceMissing:
            assert ratchets.read().values == RatchetValues()


def test_a_number_that_nothing_of_gprov_has_written_is_no_value() -> None:
    """Eight bytes hold more than numbers of gprov."""
    machine = SimulatedMachine(tpm=FakeTpmChip.new())
    ratchets = TpmRatchets(FakeTpm(machine), machine.clock)
    ratchets.raise_to(LOW)
    assert machine.tpm is not None
    for index in machine.tpm.nv.values():
        index.data = b"\xff" * 8
    found = ratchets.read()
    assert found.values == RatchetValues()
    assert [problem.partition("TPM ")[2] for problem in found.problems] == ["holds no number that gprov writes"] * 2
