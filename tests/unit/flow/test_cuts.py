"""Power lost at every operation of restore and provisioning: the unit must always come back by itself, whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.clock import SeededRandomness
from tests.unit.flow.driver import UnitDriver


@pytest.fixture(scope="module")
def new_system(updating: UnitDriver) -> dict[str, Node | None]:
    return undisturbed(updating)


def undisturbed(unit: UnitDriver) -> dict[str, Node | None]:
    """What PRIMARY holds after starts that are not cut."""
    copy = unit.copy()
    assert copy.settle()[-1] == "switched root"
    return copy.files("PRIMARY")


def check_unit(unit: UnitDriver) -> None:
    """What must hold whenever a unit has come to rest."""
    recovery = unit.machine.volume_tree("RECOVERY")
    assert not [path for path in recovery.paths() if path.endswith(".partial")]
    assert unit.read("ESP", "/norm_boot") == unit.read("ESP", "/EFI/BOOT/BOOTX64.EFI")


@pytest.mark.parametrize("torn", [False, True])
def test_a_restore_that_is_cut_anywhere_ends_in_the_whole_new_system(
    updating: UnitDriver, new_system: dict[str, Node | None], torn: bool
) -> None:
    assert len(updating.operations()) > 40
    for name, unit in updating.cut_everywhere(torn=torn):
        assert unit.files("PRIMARY") == new_system, f"cut at {name}"
        check_unit(unit)


def test_a_first_restore_that_is_cut_anywhere_ends_in_the_whole_system(provisioned: UnitDriver) -> None:
    expected = undisturbed(provisioned)
    for name, unit in provisioned.cut_everywhere():
        assert unit.files("PRIMARY") == expected, f"cut at {name}"
        check_unit(unit)


def test_a_restore_on_request_that_is_cut_anywhere_ends_in_the_old_or_the_new_system(
    updatable: UnitDriver, new_system: dict[str, Node | None]
) -> None:
    """Until the old partition table goes, the unit still has its old system, which would boot."""
    old = updatable.files("PRIMARY")
    requested = updatable.copy()
    requested.choose_restore()
    ends = []
    for _, unit in requested.cut_everywhere():
        ends.append([old, new_system].index(unit.files("PRIMARY")))
        if ends[-1]:
            check_unit(unit)
    assert ends == sorted(ends)
    assert set(ends) == {0, 1}


@pytest.mark.parametrize("torn", [False, True])
def test_a_provisioning_that_is_cut_anywhere_starts_again_or_completes(blank: UnitDriver, torn: bool) -> None:
    for name, unit in blank.cut_everywhere(UnitDriver.provision, torn=torn, in_factory=True):
        check_unit(unit)
        assert list(unit.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}"


def test_a_used_unit_whose_provisioning_is_cut_anywhere_is_the_old_one_or_a_new_one(updatable: UnitDriver) -> None:
    """Its old RECOVERY and PRIMARY must not be started again once something was changed."""
    old = updatable.files("PRIMARY"), updatable.files("RECOVERY")
    used = updatable.copy()
    used.factory.documents.clear()
    touched = False
    for name, unit in used.cut_everywhere(UnitDriver.provision, in_factory=True):
        if not touched and (unit.files("PRIMARY"), unit.files("RECOVERY")) == old:
            continue
        touched = True
        assert list(unit.factory.documents) == ["QA-SIM0001.txt"], f"cut at {name}"
        assert not unit.exists("PRIMARY", "/etc/newer"), f"cut at {name}"
        check_unit(unit)
    assert touched


@given(cuts=st.lists(st.integers(0, 60), min_size=2, max_size=4), torn=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_starts_that_are_cut_one_after_the_other_end_in_the_whole_new_system(
    updating: UnitDriver, new_system: dict[str, Node | None], cuts: list[int], torn: bool, seed: int
) -> None:
    """Also the start that repairs what a cut left can be cut, and the one after that."""
    unit = updating.copy()
    unit.machine.torn_cuts = torn
    unit.machine.random = SeededRandomness(seed)
    places = [unit.cut(at) for at in cuts]
    history = unit.settle()
    assert history[-1] == "switched root", f"cut at {places}: {history}"
    assert unit.files("PRIMARY") == new_system, f"cut at {places}"
    check_unit(unit)


def test_kernels_survive_two_cuts_in_a_row(updating: UnitDriver, new_system: dict[str, Node | None]) -> None:
    """FAT keeps neither the old nor the new file while one replaces the other: both copies are never replaced at once.
    The first cut comes while a kernel is put in place, the second anywhere in the next start."""
    on_esp = [at for at, name in enumerate(updating.operations()) if "put in place" in name]
    assert len(on_esp) == 2
    for first in on_esp:
        once = updating.copy()
        once.cut(first)
        for name, unit in once.cut_everywhere():
            assert unit.files("PRIMARY") == new_system, f"cut at operation {first}, then at {name}"
            check_unit(unit)


def test_a_restore_after_nvram_was_lost_that_is_cut_anywhere_ends_in_the_whole_new_system(
    updating: UnitDriver, new_system: dict[str, Node | None]
) -> None:
    """Only the fallback loader starts the unit until the boot entries are there again."""
    lost = updating.copy()
    lost.machine.nvram.clear()
    for name, unit in lost.cut_everywhere():
        assert unit.files("PRIMARY") == new_system, f"cut at {name}"
        check_unit(unit)
