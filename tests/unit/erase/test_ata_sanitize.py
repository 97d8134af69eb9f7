"""ATA sanitize operations against the simulated drive."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gprov.adapters.fake.drives.ata import SatDrive
from gprov.adapters.fake.drives.ata_device import Media
from gprov.adapters.fake.drives.ata_model import BLOCK, CRYPTO, OVERWRITE, AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults, BridgeFaults
from gprov.domain.erase.drive_io import NoReply, ScsiCommand, ScsiReply
from gprov.domain.erase.outcome import TechniqueStatus
from gprov.domain.erase.scsi.drive import erase, resume
from gprov.domain.erase.scsi.report import report
from gprov.domain.erase.techniques import Technique
from tests.unit.erase.scsi_driver import CONTENT, HOUR, AtaBench, ata_bench

ALL = [Technique.ATA_SANITIZE_CRYPTO, Technique.ATA_SANITIZE_BLOCK, Technique.ATA_SANITIZE_OVERWRITE]
COMPLETED, REFUSED, FAILED = TechniqueStatus.COMPLETED, TechniqueStatus.REFUSED, TechniqueStatus.FAILED
_FREEZE_LOCK = 0x0020


@pytest.mark.parametrize("technique", ALL)
@pytest.mark.parametrize("seconds", [0.0, 60.0, 10 * HOUR])
def test_an_operation_is_waited_for_and_completed(technique: Technique, seconds: float) -> None:
    bench = ata_bench(AtaModel(sanitize_seconds=seconds))
    result = bench.run(erase(technique))
    assert result.status is COMPLETED
    assert bench.erased
    assert bench.progress == sorted(bench.progress)
    assert bool(bench.progress) == bool(seconds)


@pytest.mark.parametrize("technique", ALL)
def test_what_the_drive_does_not_support_is_refused(technique: Technique) -> None:
    own = {ALL[0]: CRYPTO, ALL[1]: BLOCK, ALL[2]: OVERWRITE}[technique]
    bench = ata_bench(AtaModel(sanitize=frozenset({CRYPTO, BLOCK, OVERWRITE} - {own})))
    result = bench.run(erase(technique))
    assert result.status is REFUSED
    assert result.detail == "not supported"


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (AtaFaults(sanitize_frozen_at_power_on=True), "frozen"),
        (AtaFaults(locked_by=b"stranger"), "locked"),
        (AtaFaults(aborts=frozenset({0xB4})), "SANITIZE STATUS EXT"),
        (AtaFaults(aborts=frozenset({0xEC})), "IDENTIFY DEVICE"),
    ],
)
def test_a_drive_that_cannot_begin_is_left_as_it_is(faults: AtaFaults, reason: str) -> None:
    bench = ata_bench(faults=faults)
    result = bench.run(erase(ALL[1]))
    assert result.status is REFUSED
    assert reason in result.detail
    assert not bench.erased


def test_security_frozen_does_not_hinder_a_sanitize_operation() -> None:
    bench = ata_bench(faults=AtaFaults(frozen_at_power_on=True))
    assert bench.run(erase(ALL[1])).status is COMPLETED


@pytest.mark.parametrize("bridge", [BridgeFaults(drops_registers=True), BridgeFaults(fixed_sense=True)])
def test_without_return_registers_nothing_begins(bridge: BridgeFaults) -> None:
    bench = ata_bench(bridge=bridge)
    result = bench.run(erase(ALL[1]))
    assert result.status is REFUSED
    assert "result could not be determined" in result.detail
    assert not bench.sat.device.sanitize.in_progress


def test_a_failed_operation_is_a_failure_and_can_be_repeated() -> None:
    bench = ata_bench(faults=AtaFaults(sanitize_fails=True))
    first = bench.run(erase(ALL[1]))
    assert first.status is FAILED
    assert "did not reach all physical sectors" in first.detail
    assert bench.sat.device.media is Media.READY
    bench.sat.device.faults = AtaFaults()
    assert bench.run(erase(ALL[1])).status is COMPLETED


@dataclass
class Swallowing:
    """A bridge that answers GOOD to BLOCK ERASE EXT by itself."""

    behind: SatDrive

    def scsi(self, command: ScsiCommand) -> ScsiReply | NoReply:
        swallowed = command.cdb[0] == 0x85 and command.cdb[14] == 0xB4 and command.cdb[4] == BLOCK
        return ScsiReply(0) if swallowed else self.behind.scsi(command)

    def power_cycle(self) -> None:
        self.behind.power_cycle()


def test_a_drive_whose_last_operation_failed_accepts_a_new_one() -> None:
    bench = ata_bench(faults=AtaFaults(sanitize_fails=True))
    device = bench.sat.device
    device.sanitize.execute(BLOCK, 0, 0x426B4572)  # by another host, without the failure mode
    bench.clock.sleep(HOUR)
    stated = bench.run(report())
    assert device.sanitize.state == "SD3"
    assert any("last sanitize operation failed" in note for note in stated.notes)
    device.faults = AtaFaults()
    assert bench.run(erase(ALL[1])).status is COMPLETED


def test_the_success_of_an_earlier_operation_is_no_evidence() -> None:
    bench = ata_bench()
    assert bench.run(erase(ALL[1])).status is COMPLETED
    bench.store.content[:] = CONTENT
    bench.drive = Swallowing(bench.sat)
    result = bench.run(erase(ALL[1]))
    assert result.status is FAILED
    assert "no sign that the operation began" in result.detail


def test_an_operation_that_a_bridge_did_not_pass_on_has_failed() -> None:
    bench = ata_bench()
    bench.drive = Swallowing(bench.sat)
    result = bench.run(erase(ALL[1]))
    assert result.status is FAILED
    assert not bench.erased


def test_a_drive_that_dies_is_a_failure() -> None:
    bench = ata_bench(faults=AtaFaults(dies_at=0.5))
    result = bench.run(erase(ALL[1]))
    assert result.status is FAILED
    assert not bench.erased


@pytest.mark.parametrize("technique", ALL)
def test_an_operation_that_is_in_progress_after_a_power_cycle_is_resumed(technique: Technique) -> None:
    bench = ata_bench(faults=AtaFaults(dies_at=0.5))
    assert bench.run(erase(technique)).status is FAILED
    bench.clock.restart()
    bench.sat.power_cycle()
    stated = bench.run(report())
    assert stated.in_progress is not None
    assert any("in progress" in note for note in stated.notes)
    assert bench.run(resume(technique)).status is COMPLETED
    assert bench.erased


def test_a_resume_without_an_operation_in_progress_is_refused() -> None:
    bench = ata_bench()
    assert bench.run(resume(ALL[0])).status is REFUSED
    assert bench.run(erase(ALL[0])).status is COMPLETED
    assert bench.run(resume(ALL[0])).status is REFUSED
    assert bench.run(resume(Technique.ATA_SECURITY_NORMAL)).status is REFUSED


def test_a_second_operation_is_not_started_while_one_is_in_progress() -> None:
    bench = ata_bench(faults=AtaFaults(dies_at=0.5))
    bench.run(erase(ALL[1]))
    bench.sat.power_cycle()
    for technique in (ALL[0], Technique.ATA_SECURITY_NORMAL):
        result = bench.run(erase(technique))
        assert result.status is REFUSED
        assert "in progress" in result.detail


def test_the_time_limit_ends_the_wait() -> None:
    bench = ata_bench(AtaModel(sanitize_seconds=10 * HOUR))
    bench.limit = HOUR
    result = bench.run(erase(ALL[1]))
    assert result.status is FAILED
    assert "continues" in result.detail


def test_the_antifreeze_lock_keeps_a_later_freeze_lock_out() -> None:
    bench = ata_bench()

    def freeze(_number: int) -> None:
        bench.sat.device.sanitize.execute(_FREEZE_LOCK, 0, 0x46724C6B)

    without = ata_bench(AtaModel(antifreeze=False))
    without.sat.device.sanitize.execute(_FREEZE_LOCK, 0, 0x46724C6B)
    assert without.run(erase(ALL[1])).status is REFUSED
    assert bench.run(erase(ALL[1])).status is COMPLETED
    assert bench.sat.device.sanitize.antifreeze
    freeze(0)
    assert bench.sat.device.sanitize.state != "SD1"


@pytest.mark.parametrize("number", range(1, 12))
@pytest.mark.parametrize("technique", ALL)
def test_an_abort_of_any_command_never_ends_as_completed_without_an_erase(technique: Technique, number: int) -> None:
    for faults in (
        AtaFaults(aborts_numbers=frozenset({number})),
        AtaFaults(loses_numbers=frozenset({number})),
    ):
        bench: AtaBench = ata_bench(faults=faults)
        result = bench.run(erase(technique))
        if result.status is COMPLETED:
            assert bench.erased
        if result.status is REFUSED:
            assert not bench.erased
            assert not bench.sat.device.sanitize.in_progress
