"""Persons at units with displays: boot menu, restores, erase, and what a display shows while the system starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from gprov.apps.host.lab.disk_shapes import unit_spec
from gprov.apps.host.lab.lifecycle import RESTORED, STARTED
from gprov.apps.host.lab.machine import Durability
from gprov.apps.host.lab.products import Products
from gprov.apps.host.lab.runner import Ending, RunningMachine
from gprov.apps.host.lab.stage import INIT_STARTED, Expectation, StageResult
from gprov.apps.host.lab.unit import VirtualUnit
from gprov.apps.host.lab.unitspec import VirtualUnitSpec
from gprov.apps.host.lab.volumes import ExtVolume, partitions, raw_view
from gprov.apps.restore.image_choice import LEAVE
from gprov.domain.boot.boot_menu import Item
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.errors import ToolFailed
from gprov.domain.formats.lcd.models import Model
from tests.integ.conftest import PROCESSES
from tests.integ.vm.person import (
    add_boot_good,
    chosen,
    confirmed,
    console,
    disktags,
    display_fact,
    do_at_lcd,
    edit_display_fact,
    in_order,
    key_window,
    number_of,
    reached,
    screens,
    started_with,
)
from tests.integ.vm.serial_line import type_on_console

pytestmark = pytest.mark.vm

OverlayAs = Callable[[VirtualUnitSpec], VirtualUnit]
RunStage = Callable[..., StageResult]

NEWER = "WIDGET.LNX.SHINY.2025-01-01.5.upd"
SWITCHED_OFF = Expectation(Ending.POWER_OFF, (INIT_STARTED,), 300.0)
# The power is cut as soon as the erase runs.
ERASING = Expectation(Ending.CRASHED, (INIT_STARTED,), 300.0)
WINDOW = key_window(60)
ANY_KEY = {Model.CFA_635: "LEFT", Model.CFA_631: "LOWER_LEFT"}


def opened(model: Model) -> str:
    return f"wait Press any key\npress {ANY_KEY[model]}"


def add_newer_image(unit: VirtualUnit, products: Products) -> None:
    """RECOVERY gets the same image under another name."""
    with raw_view(PROCESSES, unit.recovery, writable=True) as view:
        ExtVolume(PROCESSES, view, partitions(PROCESSES, view)[-1].start).add(products.image, f"/Image/{NEWER}")


def test_a_person_resumes_the_start_which_the_display_shows_until_the_system_is_up(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, tmp_path: Path
) -> None:
    """On the display with four keys."""
    unit = small_overlay_as(unit_spec("small"))
    edit_display_fact(unit, tmp_path, Model.CFA_631)
    add_boot_good(unit, tmp_path)
    machine = started_with(unit.machine(), small_products, WINDOW, lcd=Model.CFA_631)
    script = "\n".join((opened(Model.CFA_631), chosen(Item.RESUME), confirmed("boot?", yes=True)))
    result = run_stage("resumed", unit, STARTED, machine, partial(do_at_lcd, script=script))
    assert in_order(screens(result), "Press any key", "Resume normal", "Starting the", "The system is up")
    assert "copy of process" not in console(result)


UEFI_635 = (FirmwareKind.UEFI, Model.CFA_635)
BIOS_631 = (FirmwareKind.BIOS, Model.CFA_631)
BIOS_635 = (FirmwareKind.BIOS, Model.CFA_635)
UEFI_631 = (FirmwareKind.UEFI, Model.CFA_631)


@dataclass(frozen=True, kw_only=True)
class Row:
    """``script``: keys in the boot menu; ``image``: what PRIMARY is afterwards, of "first" and "newer"."""

    unit: tuple[FirmwareKind, Model]
    script: tuple[str, ...]
    expected: Expectation = STARTED
    image: str = "first"


# What is declined leads back to the boot menu.
DECLINED = (
    chosen(Item.POWER_OFF),
    confirmed("Power off?", yes=False),
    chosen(Item.RESTORE_LATEST),
    confirmed("latest image?", yes=False),
    chosen(Item.ERASE),
    confirmed("Data Erase?", yes=True),
    confirmed("destroys", yes=False),
)
# The list of images: its last line, after two images and a blank line.
LEFT = (chosen(Item.RESTORE_CHOSEN), confirmed("image)?", yes=True), "wait WIDGET\npause 2\npress DOWN DOWN DOWN ENTER")
FIRST_IMAGE = (
    chosen(Item.RESTORE_CHOSEN),
    confirmed("image)?", yes=True),
    "wait WIDGET\npause 2\npress DOWN ENTER",
    confirmed("Erase the system", yes=True),
)

ROWS = {
    "declined, then resumed": Row(
        unit=UEFI_635, script=(*DECLINED, *LEFT, chosen(Item.RESUME), confirmed("boot?", yes=True))
    ),
    "declined with four keys, then left": Row(
        unit=BIOS_631, script=(*DECLINED, *LEFT, "wait Resume normal\npause 1\npress EXIT")
    ),
    "blank line": Row(unit=BIOS_635, script=(chosen(None),)),
    "power off": Row(
        unit=UEFI_631, script=(chosen(Item.POWER_OFF), confirmed("Power off?", yes=True)), expected=SWITCHED_OFF
    ),
    "latest image": Row(
        unit=BIOS_635,
        script=(chosen(Item.RESTORE_LATEST), confirmed("latest image?", yes=True)),
        expected=RESTORED,
        image="newer",
    ),
    "original image": Row(
        unit=UEFI_631, script=(chosen(Item.RESTORE_OLDEST), confirmed("original", yes=True)), expected=RESTORED
    ),
    "chosen image": Row(unit=BIOS_631, script=FIRST_IMAGE, expected=RESTORED),
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", ROWS)
def test_a_person_operates_a_unit_with_the_keys_of_its_display(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, name: str
) -> None:
    row = ROWS[name]
    firmware, model = row.unit
    unit = small_overlay_as(unit_spec("small", firmware))
    add_newer_image(unit, small_products)
    machine = started_with(unit.machine(), small_products, WINDOW, lcd=model)
    script = "\n".join((opened(model), *row.script))
    result = run_stage("operated", unit, row.expected, machine, partial(do_at_lcd, script=script))
    assert disktags(unit) == [NEWER if row.image == "newer" else small_products.image_name]
    if row.expected is SWITCHED_OFF:
        assert "handover" not in reached(result)
    if row.expected is RESTORED:
        assert display_fact(unit) == str(model.value)
        # Drawn to the end before the restart.
        assert screens(result).split("\n|")[-model.rows].startswith("Factory restore done")


@pytest.mark.nightly
@pytest.mark.parametrize(("firmware", "model"), [UEFI_635, BIOS_631])
def test_an_erase_begins_after_two_confirmations_only(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, firmware: FirmwareKind, model: Model
) -> None:
    unit = small_overlay_as(unit_spec("small", firmware))

    def erase(live: RunningMachine) -> None:
        script = (opened(model), chosen(Item.ERASE), confirmed("Data Erase?", yes=True))
        do_at_lcd(live, "\n".join((*script, confirmed("destroys", yes=True), "wait Data erase", "wait /dev/sda")))
        live.cut_power()

    machine = started_with(unit.machine(Durability.HONOUR_FLUSH), small_products, WINDOW, lcd=model)
    run_stage("erase", unit, ERASING, machine, erase)
    # Both ends of a disk are cleared first.
    with raw_view(PROCESSES, unit.primary()) as view, pytest.raises(ToolFailed):
        partitions(PROCESSES, view)


@pytest.mark.nightly
@pytest.mark.parametrize(("firmware", "model"), [UEFI_631, BIOS_635])
def test_without_a_key_the_unit_starts(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, firmware: FirmwareKind, model: Model
) -> None:
    unit = small_overlay_as(unit_spec("small", firmware))
    machine = started_with(unit.machine(), small_products, key_window(10), lcd=model)
    result = run_stage("no-key", unit, STARTED, machine)
    assert "Press any key" in screens(result)
    assert "Boot menu" not in console(result)


DOWN = b"\x1b[B"
RIGHT = b"\x1b[C"
LAST_LINE = "Number (1-6) and Enter:"
CONSOLE_ROWS = {
    "arrows": (
        FirmwareKind.UEFI,
        (
            ("Press any key", b" "),
            (LAST_LINE, DOWN + b"\r"),
            ("Power off?", b"\r"),
            (LAST_LINE, DOWN * 5 + b"\r"),
            ("(choose image)?", RIGHT + b"\r"),
            ("Number (1-3) and Enter:", DOWN * 3 + b"\r"),
            (LAST_LINE, DOWN * 3 + b"\r"),
            ("latest image?", RIGHT + b"\r"),
        ),
        "newer",
    ),
    "numbers": (
        FirmwareKind.BIOS,
        (
            ("Press any key", b"x"),
            (LAST_LINE, b"%d\r" % number_of(Item.POWER_OFF)),
            ("Power off?", b"n\r"),
            (LAST_LINE, b"%d\r" % number_of(Item.RESTORE_CHOSEN)),
            ("(choose image)?", b"yes\r"),
            (LEAVE, b"3\r"),
            (LAST_LINE, b"%d\r" % number_of(Item.ERASE)),
            ("Data Erase?", b"y\r"),
            ("Erase everything?", b"no\r"),
            (LAST_LINE, b"%d\r" % number_of(Item.RESTORE_CHOSEN)),
            ("(choose image)?", b"yes\r"),
            (LEAVE, b"2\r"),
            ("Erase the system", b"yes\r"),
        ),
        "first",
    ),
}


@pytest.mark.nightly
@pytest.mark.parametrize("way", CONSOLE_ROWS)
def test_a_person_operates_a_unit_at_its_serial_console(
    small_overlay_as: OverlayAs, small_products: Products, run_stage: RunStage, way: str
) -> None:
    firmware, pairs, image = CONSOLE_ROWS[way]
    unit = small_overlay_as(unit_spec("small", firmware))
    add_newer_image(unit, small_products)

    def operate(live: RunningMachine) -> None:
        type_on_console(live, Path(unit.serial_log("operated")), pairs, 240.0)

    run_stage("operated", unit, RESTORED, started_with(unit.machine(), small_products, WINDOW), operate)
    assert disktags(unit) == [NEWER if image == "newer" else small_products.image_name]


@pytest.mark.nightly
@pytest.mark.parametrize("model", Model)
def test_the_display_shows_the_start_of_the_system_until_that_is_up(
    debian_overlay: VirtualUnit, products: Products, run_stage: RunStage, model: Model
) -> None:
    """With the usual system, which reports that it is up; restored and started as the boot entries say."""
    unit = debian_overlay

    def restore(live: RunningMachine) -> None:
        script = (opened(model), chosen(Item.RESTORE_LATEST), confirmed("latest image?", yes=True))
        do_at_lcd(live, "\n".join(script))

    # This key window is not kept for the starts that follow: it is the default.
    machine = started_with(unit.machine(), products, key_window(10), lcd=model)
    run_stage("restore", unit, RESTORED, machine, restore)
    for name, first in (("first", True), ("second", False)):
        result = run_stage(name, unit, STARTED, replace(unit.machine(), lcd=model))
        assert in_order(screens(result), "Starting the", "The system is up")
        assert ("first" in screens(result)) is first
        assert "copy of process" not in console(result)
