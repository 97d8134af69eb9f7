"""ATA Security Erase against the simulated drive: whatever fails, no password is left on a drive that answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.drives.ata_model import AtaModel
from gprov.adapters.fake.drives.faults import AtaFaults, BridgeFaults
from gprov.domain.erase.ata.password import ERASE_PASSWORD
from gprov.domain.erase.ata.release import release
from gprov.domain.erase.ata.security import security_erase
from gprov.domain.erase.outcome import TechniqueStatus
from gprov.domain.erase.scsi.drive import erase
from gprov.domain.erase.techniques import Technique
from tests.unit.erase.scsi_driver import HOUR, AtaBench, ata_bench

NORMAL, ENHANCED = Technique.ATA_SECURITY_NORMAL, Technique.ATA_SECURITY_ENHANCED
TECHNIQUES = st.sampled_from([NORMAL, ENHANCED])


def free(bench: AtaBench) -> bool:
    security = bench.sat.device.security
    return not security.enabled and not security.locked


@pytest.mark.parametrize("technique", [NORMAL, ENHANCED])
def test_a_drive_is_erased_and_free(technique: Technique) -> None:
    bench = ata_bench()
    result = bench.run(erase(technique))
    assert result.status is TechniqueStatus.COMPLETED
    assert bench.erased
    assert free(bench)
    unit = [command.opcode for command in bench.sat.device.received]
    assert unit[unit.index(0xF3) + 1] == 0xF4


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (AtaFaults(frozen_at_power_on=True), "frozen"),
        (AtaFaults(locked_by=b"stranger"), "locked"),
        (AtaFaults(enabled_by=b"stranger"), "password is set"),
    ],
)
def test_a_drive_that_is_frozen_or_has_a_password_is_left_as_it_is(faults: AtaFaults, reason: str) -> None:
    bench = ata_bench(faults=faults)
    before = bench.sat.device.security.state
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.REFUSED
    assert reason in result.detail
    assert bench.sat.device.security.state == before
    assert all(command.opcode < 0xF0 or command.opcode == 0xF8 for command in bench.sat.device.received)
    assert not bench.erased


def test_a_drive_without_the_enhanced_mode_refuses_only_that() -> None:
    bench = ata_bench(AtaModel(enhanced=False))
    assert bench.run(security_erase(ENHANCED)).status is TechniqueStatus.REFUSED
    assert not bench.erased
    assert bench.run(security_erase(NORMAL)).status is TechniqueStatus.COMPLETED


def test_a_freeze_lock_between_report_and_erase_is_noticed() -> None:
    bench = ata_bench()
    bench.sat.device.security.freeze()
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.REFUSED
    assert "frozen" in result.detail


@pytest.mark.parametrize("model", [AtaModel(hpa_sectors=16), AtaModel(hpa_sectors=16, hpa=False, accessible_max=True)])
@pytest.mark.parametrize("technique", [NORMAL, ENHANCED, Technique.ATA_SANITIZE_BLOCK])
def test_no_erase_while_sectors_are_hidden(model: AtaModel, technique: Technique) -> None:
    bench = ata_bench(model)
    result = bench.run(erase(technique))
    assert result.status is TechniqueStatus.REFUSED
    assert "host protected area: 16 sectors" in result.detail
    assert not bench.erased


def test_no_erase_while_a_device_configuration_overlay_hides_sectors() -> None:
    bench = ata_bench(AtaModel(dco=True, dco_sectors=8))
    result = bench.run(erase(NORMAL))
    assert result.status is TechniqueStatus.REFUSED
    assert "overlay: 8 sectors" in result.detail


@pytest.mark.parametrize("swallowed", [{0xF1}, {0xF4}, {0xF3, 0xF4}, {0xF1, 0xF3, 0xF4}])
def test_a_bridge_that_does_not_pass_commands_on_is_noticed(swallowed: set[int]) -> None:
    bench = ata_bench(bridge=BridgeFaults(swallows=frozenset(swallowed)))
    result = bench.run(security_erase(NORMAL))
    assert result.status is not TechniqueStatus.COMPLETED
    assert free(bench)
    assert not bench.erased


def test_a_bridge_with_stale_identify_data_never_reports_an_erase() -> None:
    bench = ata_bench(bridge=BridgeFaults(stale_identify=True))
    result = bench.run(security_erase(NORMAL))
    assert result.status is not TechniqueStatus.COMPLETED


def test_a_drive_that_keeps_the_password_has_failed_and_is_freed() -> None:
    bench = ata_bench(faults=AtaFaults(keeps_password=True))
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.FAILED
    assert "still set" in result.detail
    assert free(bench)


@pytest.mark.parametrize("times", [1, 3])
def test_a_bridge_that_fails_to_disable_the_password_is_asked_again(times: int) -> None:
    faults = AtaFaults(aborts=frozenset({0xF4}))
    bench = ata_bench(faults=faults, bridge=BridgeFaults(refuses_disable=times))
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.FAILED
    assert free(bench)


def test_a_password_that_cannot_be_removed_is_named() -> None:
    faults = AtaFaults(aborts=frozenset({0xF4, 0xF6}))
    bench = ata_bench(faults=faults)
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.FAILED
    assert ERASE_PASSWORD in result.detail


@given(
    technique=TECHNIQUES,
    aborts=st.frozensets(st.integers(1, 16), max_size=3),
    loses=st.frozensets(st.integers(1, 16), max_size=3),
    drops=st.booleans(),
    fixed=st.booleans(),
    disable=st.integers(0, 3),
)
@settings(max_examples=200, deadline=None)
def test_after_any_failure_a_drive_that_answers_has_no_password(
    technique: Technique, aborts: frozenset[int], loses: frozenset[int], drops: bool, fixed: bool, disable: int
) -> None:
    bridge = BridgeFaults(drops_registers=drops, fixed_sense=fixed, refuses_disable=disable)
    bench = ata_bench(faults=AtaFaults(aborts_numbers=aborts, loses_numbers=loses), bridge=bridge)
    result = bench.run(security_erase(technique))
    assert free(bench)
    if result.status is TechniqueStatus.COMPLETED:
        assert bench.erased
    if bench.erased:
        assert result.status is not TechniqueStatus.REFUSED


@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_a_drive_that_dies_is_a_failure_and_is_freed_after_its_power_cycle(fraction: float) -> None:
    bench = ata_bench(faults=AtaFaults(dies_at=fraction))
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.FAILED
    bench.sat.power_cycle()
    assert bench.sat.device.security.state == "SEC4"
    assert bench.run(release()).free
    assert free(bench)


def test_an_erase_beyond_its_time_limit_is_a_failure_though_it_ends_later() -> None:
    bench = ata_bench(AtaModel(erase_seconds=100 * HOUR, estimate_minutes=2))
    result = bench.run(security_erase(NORMAL))
    assert result.status is TechniqueStatus.FAILED


def test_the_time_limit_of_the_erase_follows_the_drives_estimate() -> None:
    bench = ata_bench(AtaModel(erase_seconds=7 * HOUR, estimate_minutes=480))
    assert bench.run(security_erase(NORMAL)).status is TechniqueStatus.COMPLETED


def test_a_drive_that_does_nothing_is_left_to_the_verification() -> None:
    bench = ata_bench(faults=AtaFaults(erase_does_nothing=True))
    assert bench.run(security_erase(NORMAL)).status is TechniqueStatus.COMPLETED
    assert not bench.erased


def test_the_password_of_a_stranger_survives_a_release_and_the_drive_accepts_passwords_after_it() -> None:
    bench = ata_bench(faults=AtaFaults(locked_by=b"stranger"))
    released = bench.run(release())
    assert not released.free
    assert bench.sat.device.security.state == "SEC4"
    assert not bench.sat.device.security.count_expired


def test_a_release_of_a_drive_without_a_password_sends_nothing_but_identify() -> None:
    bench = ata_bench()
    assert bench.run(release()).free
    assert {command.opcode for command in bench.sat.device.received} == {0xEC}
