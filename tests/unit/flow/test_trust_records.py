"""What a unit remembers of trust, on RECOVERY and in a TPM: damaged records, failures, cuts."""

from __future__ import annotations

import json

import pytest

from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME
from gprov.apps.host.simulation.signed_factory import build_in
from gprov.domain.image.manifest import Release
from gprov.domain.trust.ratchets import RatchetValues
from tests.unit.flow.driver import NEWER, UnitDriver
from tests.unit.flow.trust_units import (
    BESIDE_IMAGES,
    RATCHETS,
    SECOND_KEY,
    STOLEN,
    add,
    chip_of,
    confirm,
    in_tpm,
    raise_in_tpm,
    restore,
    running,
    values,
)


@pytest.fixture(params=[False, True], ids=["no TPM", "TPM"])
def unit(request: pytest.FixtureRequest) -> UnitDriver:
    return running(tpm=request.param)


@pytest.mark.parametrize("content", [b"", b"{}", b"x" * 5000, b'{"Format": 1, "SecurityFloor": -1, "TrustVersion": 1}'])
def test_a_damaged_record_is_reported_and_the_others_count(content: bytes) -> None:
    unit = running(tpm=True)
    raise_in_tpm(unit, RatchetValues(security_floor=2, trust_version=1))
    unit.put("RECOVERY", RATCHETS, content)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "a record of security versions cannot be used" in unit.errors()
    assert "below the floor of this unit, 2" in unit.errors()


def test_a_damaged_record_is_written_anew_when_a_number_is_raised() -> None:
    unit = running(tpm=True)
    raise_in_tpm(unit, RatchetValues(security_floor=1, trust_version=1))
    unit.put("RECOVERY", RATCHETS, b"")
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    assert values(unit) == {"SecurityFloor": 1, "TrustVersion": 2}


def test_a_tpm_that_does_not_answer_is_reported_and_the_file_counts() -> None:
    unit = running(tpm=True)
    chip_of(unit).failed = True
    assert restore(unit) == IMAGE_NAME
    assert "TPM: TPM2_NV_ReadPublic: it is in failure mode" in unit.errors()


def test_a_number_that_only_the_file_has_never_gets_into_the_tpm() -> None:
    """It would refuse all images for ever."""
    unit = running(tpm=True)
    record = {"Format": 1, "SecurityFloor": 2_000_000, "TrustVersion": 1}
    unit.put("RECOVERY", RATCHETS, json.dumps(record).encode())
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    unit.remove_flag()
    assert unit.boot() is StopReason.REBOOT
    assert "below the floor of this unit, 2000000" in unit.errors() or "revoked" in unit.errors()
    assert in_tpm(unit) == RatchetValues(security_floor=0, trust_version=2)


def write_record(unit: UnitDriver, floor: int, version: int) -> None:
    record = {"Format": 1, "SecurityFloor": floor, "TrustVersion": version}
    unit.put("RECOVERY", RATCHETS, json.dumps(record).encode())


def test_a_number_that_the_file_has_already_gets_into_the_tpm_when_it_counts() -> None:
    """Else an attacker writes the numbers of the next update into the file, and removes it after the update."""
    unit = running(tpm=True)
    write_record(unit, 2, 2)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(3, 2), SECOND_KEY)
    assert restore(unit) == NEWER
    confirm(unit)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert in_tpm(unit) == RatchetValues(2, 2)


def test_a_number_of_the_kernel_itself_is_recorded_when_it_counts(unit: UnitDriver) -> None:
    """An older kernel of the owner, which Secure Boot lets start, has a lower one."""
    build_in(unit.world, STOLEN, version=2)
    add(unit, NEWER, Release(3, 2), SECOND_KEY)
    assert restore(unit) == NEWER
    assert values(unit) == {"SecurityFloor": 0, "TrustVersion": 2}
    confirm(unit)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit) == {"SecurityFloor": 2, "TrustVersion": 2}
    assert unit.machine.tpm is None or in_tpm(unit) == RatchetValues(2, 2)


def test_a_tpm_that_failed_or_is_new_gets_the_numbers_by_the_next_restore() -> None:
    unit = running(tpm=True)
    add(unit, NEWER, Release(3, 2))
    assert restore(unit) == NEWER
    confirm(unit)
    chip_of(unit).failed = True
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert values(unit)["SecurityFloor"] == 2
    unit.machine.tpm = FakeTpmChip.new(b"other")
    assert restore(unit) == NEWER
    assert in_tpm(unit) == RatchetValues(2, 1)


def test_a_cut_at_any_time_leaves_no_store_behind_for_long() -> None:
    unit = running(tpm=True)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(3, 2), SECOND_KEY)
    unit.remove_flag()
    places = [at for at, name in enumerate(unit.operations()) if "TPM" in name or "/trust/" in name]
    assert len(places) > 8
    for at in places:
        copy = unit.copy()
        copy.cut(at)
        copy.settle()
        restore(copy)
        assert in_tpm(copy).trust_version == values(copy)["TrustVersion"] == 2, at


def test_a_tpm_of_the_earlier_version_is_no_error() -> None:
    unit = running()
    unit.machine.tpm = FakeTpmChip(version=1)
    unit.put("RECOVERY", BESIDE_IMAGES, STOLEN.chain)
    add(unit, NEWER, Release(2, 1), SECOND_KEY)
    assert restore(unit) == NEWER
    assert values(unit)["TrustVersion"] == 2
    assert "TPM" not in unit.errors() + unit.warnings()
