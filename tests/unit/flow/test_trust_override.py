"""A person at the unit who insists on an image that is refused."""

from __future__ import annotations

import json

import pytest

from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.emergency_stick import EMERGENCY_IMAGE, emergency_image
from gprov.apps.host.simulation.invariants import system_problems
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.domain.boot.boot_menu import ITEMS, Item
from gprov.domain.files import FileType
from gprov.domain.image.companions import companions_of
from gprov.domain.image.history import parse_history
from gprov.domain.image.manifest import Release
from gprov.domain.trust.policy import TrustPolicy
from tests.unit.flow.driver import HISTORY, KERNELS, NEWER, NORMAL, UnitDriver
from tests.unit.flow.trust_units import (
    MENU,
    RATCHETS,
    add,
    restore,
    running,
    stick,
)


@pytest.fixture(params=[False, True], ids=["no TPM", "TPM"])
def unit(request: pytest.FixtureRequest) -> UnitDriver:
    return running(tpm=request.param)


REFUSED_NAME = "WIDGET.LNX.SHINY.2026-04-01.1.upd"


def with_a_refused_image(unit: UnitDriver, keys: list[str]) -> UnitDriver:
    """In the menu, the allowed image comes first and the refused one second, although it and its kernel are newer."""
    add(unit, REFUSED_NAME, Release(0, 0), kernel=900)
    unit.put("RECOVERY", RATCHETS, json.dumps({"Format": 1, "SecurityFloor": 1, "TrustVersion": 1}).encode())
    unit.machine.operator_present = True
    unit.machine.keys = keys
    return unit


def test_a_person_can_insist_on_an_image_once(unit: UnitDriver) -> None:
    with_a_refused_image(unit, [*MENU, "1", "yes", "yes", "yes"])
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [REFUSED_NAME]
    assert system_problems(unit.world) == []
    reason = "has the security version 0, below the floor of this unit, 1; use a newer image"
    assert f"OVERRIDE: a person at the unit insists on /mnt/RECOVERY/Image/{REFUSED_NAME}" in unit.warnings()
    stem = REFUSED_NAME.removesuffix(".upd")
    [note] = parse_history(unit.read("RECOVERY", HISTORY)).result(stem).notes
    assert note == f"used since a person at the unit insisted, although refused: {reason}"
    assert sum(reason in message for message in unit.machine.messages) >= 1
    # Only once: the kernel stays, and the next restore refuses the image.
    assert [unit.build_number("ESP", path) for path in KERNELS] == [100, 100]
    assert unit.build_number("PRIMARY", "/boot/norm_boot") == 100
    unit.machine.operator_present = False
    unit.machine.restart()
    assert restore(unit) == IMAGE_NAME


def test_a_damaged_kernel_is_not_replaced_by_that_of_an_image_that_a_person_insists_on(unit: UnitDriver) -> None:
    """The other copy of RECOVERY's kernel is intact."""
    with_a_refused_image(unit, [*MENU, "1", "yes", "yes", "yes"])
    unit.put("ESP", KERNELS[0], b"torn")
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.systems() == [REFUSED_NAME]
    assert [unit.build_number("ESP", path) for path in KERNELS] == [100, 100]
    assert unit.build_number("PRIMARY", "/boot/norm_boot") == 100


def test_the_override_is_reported_to_the_factory_server() -> None:
    unit = with_a_refused_image(running(), [*MENU, "1", "yes", "yes", "yes"])
    unit.put("RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    assert unit.boot() is StopReason.REBOOT
    assert "OVERRIDE: a person at the unit insists" in repr(unit.factory.received)


@pytest.mark.parametrize("answers", [["yes"], ["yes", "no"], ["no"], []])
def test_both_questions_need_a_yes(unit: UnitDriver, answers: list[str]) -> None:
    with_a_refused_image(unit, [*MENU, "1", "yes", *answers])
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert "OVERRIDE" not in unit.log()


def test_an_owner_can_forbid_it_and_then_the_menu_does_not_offer_it() -> None:
    unit = with_a_refused_image(running(TrustPolicy.ENFORCE_ALWAYS), [*MENU, "1", "yes", "yes", "yes"])
    unit.boot()
    assert unit.systems() == [IMAGE_NAME]
    assert f"{REFUSED_NAME.removesuffix('.upd')} is not offered: has the security version 0" in unit.lines()
    assert "OVERRIDE" not in unit.log()


@pytest.mark.parametrize("by_fallback", [False, True])
def test_the_menu_does_not_offer_an_image_for_other_platforms(by_fallback: bool) -> None:
    unit = running(TrustPolicy.ENFORCE_ALWAYS)
    if by_fallback:
        unit.machine.smbios = build_table(FakeSystem(manufacturer="ACME", product="prototype", serial=SERIAL))
        unit.put("RECOVERY", "/platform.ident", b"QEMU-mfg-test\n")
    add(unit, REFUSED_NAME, Release(9, 0, ("Other",)))
    unit.machine.operator_present, unit.machine.keys = True, [*MENU, "0", "yes"]
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    stem = REFUSED_NAME.removesuffix(".upd")
    assert f"{stem} is not offered: is signed for Other, and this unit is QEMU-mfg-test" in unit.lines()
    assert stem not in unit.errors()


def test_a_person_is_asked_only_about_the_image_that_was_chosen(unit: UnitDriver) -> None:
    """A restore of the newest image goes on to the next one: the keys that are left answer no question."""
    with_a_refused_image(unit, ["any", str(ITEMS.index(Item.RESTORE_LATEST)), "yes", *["yes"] * 5])
    assert unit.boot() is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]
    assert "OVERRIDE" not in unit.log()


@pytest.mark.parametrize(
    "arguments",
    [{"PREFERRED_UPDATE": "menu"}, {"PREFERRED_UPDATE": "latest"}, {"PROVISION_TRUST": "off"}, {"trust": "off"}],
)
def test_no_argument_and_no_file_takes_the_place_of_a_person(unit: UnitDriver, arguments: dict[str, str]) -> None:
    with_a_refused_image(unit, ["yes"] * 9)
    unit.machine.operator_present = False
    for path in ("/trust/policy", "/policy", "/Image/policy"):
        unit.put("RECOVERY", path, b"off\n")
    unit.remove_flag()
    assert unit.boot({**NORMAL, **arguments}) is StopReason.REBOOT
    assert unit.systems() == [IMAGE_NAME]


def answer_from_the_restore_on(unit: UnitDriver, answers: list[str]) -> None:
    """No key before the restore has begun: it would cancel."""
    machine = unit.machine

    def answer(operation: str) -> None:
        if "start_budget.json" in operation:
            machine.hook, machine.keys = None, list(answers)

    machine.hook = answer


@pytest.mark.parametrize(("answers", "installed"), [(["yes", "yes"], True), (["yes"], False), ([], False)])
def test_a_person_can_insist_on_the_image_on_a_stick(unit: UnitDriver, answers: list[str], installed: bool) -> None:
    stick(unit, {EMERGENCY_IMAGE: emergency_image()})
    unit.machine.operator_present = True
    answer_from_the_restore_on(unit, answers)
    ended = unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"})
    assert ended is (StopReason.REBOOT if installed else StopReason.SWITCHED_ROOT)
    assert unit.systems() == [EMERGENCY_IMAGE if installed else IMAGE_NAME]
    assert ("OVERRIDE" in unit.warnings()) == installed
    assert ("is not signed" in unit.errors()) != installed


def test_a_person_cannot_insist_on_it_where_the_owner_forbids_that() -> None:
    unit = running(TrustPolicy.ENFORCE_ALWAYS)
    stick(unit, {EMERGENCY_IMAGE: emergency_image()})
    unit.machine.operator_present = True
    answer_from_the_restore_on(unit, ["yes", "yes"])
    assert unit.boot({**NORMAL, "PROVISION_KEY_WINDOW": "0"}) is StopReason.SWITCHED_ROOT
    assert unit.systems() == [IMAGE_NAME]
    assert not [message for message in unit.machine.messages if "is REFUSED" in message]


def test_without_a_display_and_keys_nothing_is_asked(unit: UnitDriver) -> None:
    """Whatever a line delivers."""
    stick(unit, {EMERGENCY_IMAGE: emergency_image()})
    unit.machine.keys = ["yes"] * 9
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.systems() == [IMAGE_NAME]
    assert not [message for message in unit.machine.messages if "is REFUSED" in message]


def test_the_files_beside_a_refused_image_are_in_the_way_of_nothing() -> None:
    """A folder or link in the place of a manifest."""
    unit = running()
    add(unit, NEWER, Release(2, 1))
    manifest = companions_of(f"/Image/{NEWER}")[0]
    unit.remove("RECOVERY", manifest)
    unit.put("RECOVERY", manifest, Node(type=FileType.SYMLINK, content=b"/etc/passwd"))
    assert restore(unit) == IMAGE_NAME
    assert f"{NEWER}.manifest is missing" in unit.errors()
    assert "is no file" in unit.warnings()
