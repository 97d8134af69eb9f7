"""Reports of ATA and SCSI drives, from read-only commands."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults, BridgeFaults, DriveFaults
from gprov.adapters.fake.drives.scsi import ScsiModel
from gprov.domain.erase.drive_io import ScsiCommand
from gprov.domain.erase.drive_report import DriveReport, Media
from gprov.domain.erase.read_only import reads_only
from gprov.domain.erase.scsi.report import report
from gprov.domain.erase.techniques import Technique
from tests.unit.erase.scsi_driver import Bench, ata_bench, scsi_bench

ATA_SANITIZE = {Technique.ATA_SANITIZE_CRYPTO, Technique.ATA_SANITIZE_BLOCK, Technique.ATA_SANITIZE_OVERWRITE}
ATA_SECURITY = {Technique.ATA_SECURITY_ENHANCED, Technique.ATA_SECURITY_NORMAL}
SCSI_SANITIZE = {Technique.SCSI_SANITIZE_CRYPTO, Technique.SCSI_SANITIZE_BLOCK, Technique.SCSI_SANITIZE_OVERWRITE}


def stated(bench: Bench) -> DriveReport:
    """The report; it changes nothing, and asks nothing that is not on the list of read-only commands."""
    before = bytes(bench.store.content)
    result = bench.run(report())
    assert bytes(bench.store.content) == before
    for request in bench.requests:
        assert isinstance(request, ScsiCommand)
        assert reads_only(request)
    return result


def offered(found: DriveReport) -> set[Technique]:
    return {offer.technique for offer in found.offers}


def reason(found: DriveReport, technique: Technique) -> str:
    return next(refusal.reason for refusal in found.refusals if refusal.technique is technique)


def test_an_ata_drive_offers_what_it_supports_with_its_estimates() -> None:
    found = stated(ata_bench(AtaModel(estimate_minutes=120, rotation_rate=7200, firmware="FW1")))
    assert offered(found) == ATA_SANITIZE | ATA_SECURITY
    assert {offer.seconds for offer in found.offers if offer.technique in ATA_SECURITY} == {7200.0}
    assert found.media is Media.ROTATING
    assert found.firmware == "FW1"
    assert found.in_progress is None
    assert "encrypts all user data" in found.notes[0]


@pytest.mark.parametrize("rate", [(1, Media.SOLID_STATE), (0, Media.UNKNOWN), (0xFFFF, Media.UNKNOWN)])
def test_the_media_are_those_of_the_rotation_rate(rate: tuple[int, Media]) -> None:
    assert stated(ata_bench(AtaModel(rotation_rate=rate[0]))).media is rate[1]


@pytest.mark.parametrize(
    ("faults", "text"),
    [
        (AtaFaults(frozen_at_power_on=True), "frozen"),
        (AtaFaults(locked_by=b"s"), "locked with a password"),
        (AtaFaults(enabled_by=b"s"), "a password is set"),
    ],
)
def test_the_states_of_security_are_told_apart(faults: AtaFaults, text: str) -> None:
    found = stated(ata_bench(faults=faults))
    assert not offered(found) & ATA_SECURITY
    assert all(text in reason(found, technique) for technique in ATA_SECURITY)


def test_frozen_sanitize_operations_exclude_only_these() -> None:
    found = stated(ata_bench(faults=AtaFaults(sanitize_frozen_at_power_on=True)))
    assert offered(found) == ATA_SECURITY
    assert all("frozen" in reason(found, technique) for technique in ATA_SANITIZE)


def test_an_expired_count_of_passwords_is_told_apart() -> None:
    bench = ata_bench(faults=AtaFaults(locked_by=b"s"))
    for _ in range(5):
        bench.sat.device.security.unlock(bytes(512))
    assert "too many wrong passwords" in reason(stated(bench), Technique.ATA_SECURITY_NORMAL)


def test_hidden_sectors_are_reported_and_exclude_the_firmware_techniques() -> None:
    found = stated(ata_bench(AtaModel(hpa_sectors=16, dco=True, dco_sectors=8)))
    assert not found.offers
    assert any("host protected area: 16 sectors after sector 2023" in line for line in found.not_examined)
    assert any("device configuration overlay: 8 sectors after sector 2039" in line for line in found.not_examined)
    assert "host protected area" in reason(found, Technique.ATA_SECURITY_NORMAL)


def test_a_small_drive_without_48_bit_addresses_reports_its_hidden_sectors() -> None:
    found = stated(ata_bench(AtaModel(hpa_sectors=16, wide_addresses=False)))
    assert any("host protected area: 16 sectors" in line for line in found.not_examined)


def test_what_a_bridge_does_not_return_is_reported_as_not_known() -> None:
    found = stated(ata_bench(AtaModel(dco=True), bridge=BridgeFaults(drops_registers=True)))
    assert any("host protected area: not known" in line for line in found.not_examined)
    assert offered(found) == ATA_SECURITY
    assert "registers" in reason(found, Technique.ATA_SANITIZE_BLOCK)


def test_a_device_configuration_that_is_locked_is_reported_as_not_known() -> None:
    found = stated(ata_bench(AtaModel(dco=True), faults=AtaFaults(aborts=frozenset({0xB1}))))
    assert any("device configuration overlay: not known" in line for line in found.not_examined)
    assert offered(found) == ATA_SANITIZE | ATA_SECURITY


def test_a_drive_that_does_not_state_that_it_encrypts_everything_has_a_note() -> None:
    found = stated(ata_bench(AtaModel(encrypts_all=False)))
    assert "the drive does not state that it encrypts all user data" in found.notes


def test_a_password_has_a_note() -> None:
    found = stated(ata_bench(faults=AtaFaults(locked_by=b"s")))
    assert any("a security password is set, level high, the drive is locked" in note for note in found.notes)


def test_sectors_that_a_bridge_hides_are_reported() -> None:
    found = stated(ata_bench(bridge=BridgeFaults(hides_sectors=4)))
    assert any("2048 bytes at the end" in line for line in found.not_examined)


def test_an_ata_drive_behind_a_bridge_without_pass_through_has_a_reason() -> None:
    found = stated(ata_bench(bridge=BridgeFaults(no_pass_through=True)))
    assert not found.offers
    assert "does not pass commands on" in reason(found, Technique.ATA_SECURITY_NORMAL)


def test_a_scsi_drive_offers_what_it_supports() -> None:
    found = stated(scsi_bench(ScsiModel(sanitize=frozenset({1, 3}))))
    assert offered(found) == {Technique.SCSI_SANITIZE_OVERWRITE, Technique.SCSI_SANITIZE_CRYPTO}
    assert reason(found, Technique.SCSI_SANITIZE_BLOCK) == "not supported"
    assert found.media is Media.ROTATING
    assert found.firmware == "0001"


def test_a_scsi_drive_that_states_no_commands_offers_nothing() -> None:
    found = stated(scsi_bench(ScsiModel(reports_codes=False)))
    assert not found.offers
    assert "does not state which commands" in reason(found, Technique.SCSI_SANITIZE_BLOCK)


def test_a_drive_that_answers_nothing_has_a_report() -> None:
    bench = scsi_bench(faults=DriveFaults(loses_numbers=frozenset(range(1, 100))))
    found = stated(bench)
    assert len(bench.requests) == 2  # each one takes its whole time limit
    assert not found.offers
    assert {refusal.technique for refusal in found.refusals} >= SCSI_SANITIZE
    assert found.notes
