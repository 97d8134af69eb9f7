"""What a person takes in the menus of firmware and loader, in scripts."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.firmware.uefi import firmware_start, select_boot_entry
from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import Step, Verb
from gprov.apps.host.simulation.user_data import data_disks, erase_problems, put_user_data, user_data
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import DeviceMissing
from tests.unit.simulate.replays import running


def switched_off(firmware: FirmwareKind, disks: str = "sata") -> tuple[Replay, list[str]]:
    """A unit that ran, and what its replay prints from now on."""
    lines: list[str] = []
    replay = running(firmware, disks, lines)
    replay.world.machine.restart()
    lines.clear()
    return replay, lines


def arguments(replay: Replay, what: str) -> dict[str, str]:
    replay.step(Step(Verb.CHOOSE, what))
    return firmware_start(replay.world.machine)


def test_each_entry_of_the_bios_menus_passes_its_own_arguments() -> None:
    replay, lines = switched_off(FirmwareKind.BIOS, "raid1")
    assert "real_root" in arguments(replay, "normal")
    restore = arguments(replay, "restore")
    assert "real_root" not in restore
    assert "PROVISION_LOADER_FALLBACK" not in restore
    first, second = arguments(replay, "recovery"), arguments(replay, "second-copy")
    assert first["PROVISION_LOADER_FALLBACK"] == second["PROVISION_LOADER_FALLBACK"] == "1"
    assert first["BOOT_IMAGE"].endswith(")/norm_boot")
    assert second["BOOT_IMAGE"].endswith(")/gprov/norm_boot")
    own, other = arguments(replay, "normal"), arguments(replay, "other-disk")
    assert "real_root" in other
    assert own["BOOT_IMAGE"] != other["BOOT_IMAGE"]
    assert arguments(replay, "erase")["DATA_ERASE"] == "1"
    assert lines == []
    assert "real_root" in firmware_start(replay.world.machine)  # a choice counts once


def test_an_erase_entry_that_is_not_confirmed_starts_normally() -> None:
    replay, _ = switched_off(FirmwareKind.BIOS)
    select_boot_entry(replay.world.machine, replay.world.branding.erase_entry)
    assert "real_root" in firmware_start(replay.world.machine)


@pytest.mark.parametrize("firmware", FirmwareKind)
def test_an_entry_that_no_menu_shows_cannot_be_chosen(firmware: FirmwareKind) -> None:
    replay, lines = switched_off(firmware)
    replay.step(Step(Verb.CHOOSE, "other-disk"))
    assert len(lines) == 1
    assert "other disk 1" in lines[0]
    with pytest.raises(DeviceMissing):
        select_boot_entry(replay.world.machine, "Explode")


@pytest.mark.parametrize("firmware", FirmwareKind)
def test_an_erase_without_an_operator_erases_nothing_and_the_unit_boots_afterwards(firmware: FirmwareKind) -> None:
    replay, lines = switched_off(firmware)
    before = replay.world.machine.media_state()
    replay.step(Step(Verb.CHOOSE, "erase"))
    replay.step(Step(Verb.START))
    assert any("reboot after" in line for line in lines)
    assert replay.world.machine.media_state() == before
    replay.rest()
    assert replay.problems == []


@pytest.mark.parametrize("firmware", FirmwareKind)
def test_an_erase_that_the_operator_confirms_is_cut_goes_on_and_the_unit_is_restored(firmware: FirmwareKind) -> None:
    replay, _ = switched_off(firmware)
    put_user_data(replay.world)
    replay.step(Step(Verb.CHOOSE, "erase"))
    replay.step(Step(Verb.KEYS, "erase"))
    replay.step(Step(Verb.CUT, "start", {"at": "20", "torn": "1"}))
    replay.rest()
    assert replay.problems == []
    assert not any(user_data(disk) for disk in data_disks(replay.world))
    assert list(erase_problems(replay.world, settled=True)) == []
