"""Disks against their specification."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.domain.disk.model import Disk
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.mfg.diskmatch import compare_disks, fits, fitting_alternative, recovery_disks
from gprov.domain.mfg.spec import DiskSpec, HardwareSpec

GIB = 1 << 30


def disk(index: int, size: int, model: str = "m", vendor: str = "v") -> Disk:
    return Disk(
        name=f"sd{index}",
        node=f"/dev/sd{index}",
        device=DeviceNumber(8, 16 * index),
        size=size,
        vendor=vendor,
        model=model,
    )


@pytest.mark.parametrize(
    ("spec", "size", "right"),
    [
        (DiskSpec(size=1000), 1000, True),
        (DiskSpec(size=1000), 1001, False),
        (DiskSpec(size=1000, tolerance_percent=5), 1050, True),
        (DiskSpec(size=1000, tolerance_percent=5), 950, True),
        (DiskSpec(size=1000, tolerance_percent=5), 1051, False),
        (DiskSpec(size=1000, tolerance_percent=5), 949, False),
        (DiskSpec(size=1000, vendor="v", model="m"), 1000, True),
        (DiskSpec(size=1000, vendor="w"), 1000, False),
        (DiskSpec(size=1000, model="mm"), 1000, False),
    ],
)
def test_one_disk(spec: DiskSpec, size: int, right: bool) -> None:
    assert fits(spec, disk(0, size)) is right


def problems(spec: HardwareSpec, *disks: Disk) -> dict[str, str]:
    return {problem.place: problem.message for problem in compare_disks(spec, disks)}


RECOVERY = DiskSpec(size=8 * GIB, tolerance_percent=1)
SPEC = HardwareSpec(
    code_name="x",
    recovery=RECOVERY,
    main_disks=((DiskSpec(size=100 * GIB, quantity=2),), (DiskSpec(size=200 * GIB, tolerance_percent=1, quantity=1),)),
)


def test_any_alternative_is_right() -> None:
    assert problems(SPEC, disk(0, 8 * GIB), disk(1, 100 * GIB), disk(2, 100 * GIB)) == {}
    assert problems(SPEC, disk(1, 201 * GIB), disk(0, 8 * GIB)) == {}


def test_parts_of_two_alternatives_are_wrong() -> None:
    found = problems(SPEC, disk(0, 8 * GIB), disk(1, 100 * GIB), disk(2, 200 * GIB))
    assert set(found) == {"MainDiskConfigs[0]", "MainDiskConfigs[1]"}
    assert found["MainDiskConfigs[0]"] == (
        f"required 2 x {100 * GIB} bytes (any model), detected 1 x {100 * GIB} bytes (v m), 1 x {200 * GIB} bytes (v m)"
    )


def test_a_missing_and_a_surplus_disk() -> None:
    assert "MainDiskConfigs[0]" in problems(SPEC, disk(0, 8 * GIB), disk(1, 100 * GIB))
    three = [disk(index, 100 * GIB) for index in (1, 2, 3)]
    assert "MainDiskConfigs[0]" in problems(SPEC, disk(0, 8 * GIB), *three)


def test_two_disks_that_could_be_the_recovery_disk() -> None:
    twins = (disk(0, 8 * GIB), disk(3, 8 * GIB))
    found = problems(SPEC, *twins, disk(1, 200 * GIB))
    assert set(found) == {"Recovery"}
    assert "detected 2 (2 x" in found["Recovery"]
    assert recovery_disks(RECOVERY, (*twins, disk(1, 200 * GIB))) == twins


def test_no_recovery_disk() -> None:
    found = problems(SPEC, disk(1, 200 * GIB))
    assert found == {
        "Recovery": f"required 1 x {8 * GIB} bytes ± 1 % (any model), detected none among 1 x {200 * GIB} bytes (v m)"
    }


def test_a_disk_that_fits_two_places_takes_the_one_that_no_other_can() -> None:
    wide, narrow = DiskSpec(size=100, tolerance_percent=10), DiskSpec(size=105, model="x")
    disks = (disk(0, 105, "x"), disk(1, 95))
    for order in permutations(disks):
        assert fitting_alternative([(wide, narrow)], order) == 0
        assert fitting_alternative([(narrow, wide)], order) == 0
        assert fitting_alternative([(narrow, narrow)], order) is None


def _earlier(number: int, size: int, vendor: str, model: str) -> DiskSpec:
    return DiskSpec(size=size, vendor=vendor, model=model, quantity=number)


# Values of the earlier Go system's tests (pkg/mfg/qa/disk_test.go).
EARLIER_ALTERNATIVES = (
    (_earlier(1, 12345, "vnd", "mdl"),),
    (_earlier(2, 23456, "vnd2", "mdl2"),),
    (_earlier(2, 23456, "vnd21", "mdl21"),),
    (_earlier(2, 23456, "vnd2", "mdl"),),
    (_earlier(2, 23456, "vnd", "mdl2"),),
    (_earlier(3, 23456, "vnd", "mdl3"),),
    (_earlier(3, 23456, "vnd", "mdl3"), _earlier(1, 12345, "vnd", "mdl")),
)
EARLIER_RECOVERY = _earlier(1, 32, "v", "r")


def _disks_of(specs: Iterable[DiskSpec]) -> list[Disk]:
    kinds = [spec for spec in specs for _ in range(spec.quantity)]
    return [disk(index, spec.size, spec.model, spec.vendor) for index, spec in enumerate(kinds)]


def _earlier_spec(*alternatives: tuple[DiskSpec, ...]) -> HardwareSpec:
    return HardwareSpec(code_name="x", recovery=EARLIER_RECOVERY, main_disks=alternatives)


@pytest.mark.parametrize("chosen", range(len(EARLIER_ALTERNATIVES)))
def test_each_alternative_of_the_earlier_system_is_chosen_for_its_own_disks(chosen: int) -> None:
    present = _disks_of([EARLIER_RECOVERY, *EARLIER_ALTERNATIVES[chosen]])
    assert problems(_earlier_spec(*EARLIER_ALTERNATIVES), *present) == {}
    assert fitting_alternative(EARLIER_ALTERNATIVES, present[1:]) == chosen


def test_disks_that_no_alternative_of_the_earlier_system_has() -> None:
    present = _disks_of([EARLIER_RECOVERY, *EARLIER_ALTERNATIVES[6]])
    assert fitting_alternative(EARLIER_ALTERNATIVES[:5], present[1:]) is None
    assert len(problems(_earlier_spec(*EARLIER_ALTERNATIVES[:5]), *present)) == 5


@pytest.mark.parametrize(
    ("detected", "required", "right"),
    [(0, 0, True), (0, 1, False), (1, 1, True), (6, 6, True), (6, 5, False), (5, 6, False)],
)
def test_comparing_disks_with_one_alternative_of_the_earlier_system(detected: int, required: int, right: bool) -> None:
    disks = _disks_of(EARLIER_ALTERNATIVES[detected])
    assert (fitting_alternative([EARLIER_ALTERNATIVES[required]], disks) == 0) is right


def test_one_disk_of_the_earlier_system_beside_the_recovery_disk_in_any_order() -> None:
    spec = _earlier_spec(EARLIER_ALTERNATIVES[0])
    recovery, main = _disks_of([EARLIER_RECOVERY, *EARLIER_ALTERNATIVES[0]])
    assert problems(spec, main, recovery) == problems(spec, recovery, main) == {}
    assert set(problems(spec, disk(1, 12345, "mdl2", "vnd"), recovery)) == {"MainDiskConfigs[0]"}


def test_equal_models_of_different_sizes_have_to_be_within_the_tolerance() -> None:
    """The earlier system took any sizes here, and refused them when it compared sizes with the specification."""
    pair = (disk(1, 12345, "mdl", "vnd"), disk(2, 12345 + 80, "mdl", "vnd"))
    wanted = DiskSpec(size=12345, vendor="vnd", model="mdl", quantity=2)
    assert fitting_alternative([(replace(wanted, tolerance_percent=1),)], pair) == 0
    assert fitting_alternative([(wanted,)], pair) is None


def test_a_huge_quantity_is_just_wrong() -> None:
    assert fitting_alternative([(DiskSpec(size=1, quantity=10**12),)], [disk(0, 1)]) is None


SPECS = st.lists(
    st.builds(DiskSpec, size=st.integers(90, 110), tolerance_percent=st.integers(0, 10), quantity=st.integers(1, 2)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150)
@given(SPECS, st.lists(st.integers(85, 115), max_size=5))
def test_matching_agrees_with_trying_everything(specs: list[DiskSpec], sizes: list[int]) -> None:
    disks = [disk(index, size) for index, size in enumerate(sizes)]
    places = [spec for spec in specs for _ in range(spec.quantity)]
    possible = len(places) == len(disks) and any(
        all(fits(place, one) for place, one in zip(order, disks, strict=True)) for order in permutations(places)
    )
    assert (fitting_alternative([specs], disks) == 0) is possible
