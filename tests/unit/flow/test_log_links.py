"""Links in the place of RECOVERY's log folder, or of files in it: nothing is written or removed where they lead."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.storage import Node
from gprov.domain.files import FileType
from gprov.domain.image.history import parse_history
from tests.unit.flow.driver import BUDGET, HISTORY, UnitDriver

OUTSIDE = "/outside"
KEPT = {f"{OUTSIDE}/{name}": b"of others" for name in ("recov20200101_0000.log", "start_budget.json", "netd.tar")}


@pytest.fixture
def unit(flagless: UnitDriver) -> UnitDriver:
    """Every test here begins with a unit that is about to be restored, with files that a link leads to. (That links
    lead nowhere else than into their own volume is part of the contract of Files.)"""
    for path, content in KEPT.items():
        flagless.put("RECOVERY", path, content)
    return flagless


def link(unit: UnitDriver, path: str, target: str) -> None:
    unit.remove("RECOVERY", path)
    unit.put("RECOVERY", path, Node(type=FileType.SYMLINK, content=target.encode(), mode=0o777))


def assert_outside_is_untouched(unit: UnitDriver) -> None:
    tree = unit.machine.volume_tree("RECOVERY")
    assert {path: node.content for path, node in tree.items() if path.startswith(f"{OUTSIDE}/")} == KEPT


@pytest.mark.parametrize("target", [OUTSIDE, f"../..{OUTSIDE}", "/nosuch", "/", "..", "log", "Image"])
def test_a_log_folder_that_is_a_link_becomes_a_folder_and_the_restore_goes_on(unit: UnitDriver, target: str) -> None:
    link(unit, "/log", target)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.node("RECOVERY", "/log").type is FileType.FOLDER
    assert parse_history(unit.read("RECOVERY", HISTORY)).results
    assert unit.node("RECOVERY", "/log.damaged").content == target.encode()
    assert "/mnt/RECOVERY/log was no folder (symlink)" in unit.warnings()
    assert_outside_is_untouched(unit)
    assert not unit.exists("RECOVERY", "/recovery_history.json")


def test_the_first_link_stays_aside_only_until_there_is_another(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/log.damaged/file", b"an earlier one")
    link(unit, "/log", OUTSIDE)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.node("RECOVERY", "/log.damaged").type is FileType.SYMLINK


def test_a_file_in_the_place_of_the_log_folder_is_kept_beside_it(unit: UnitDriver) -> None:
    unit.remove("RECOVERY", "/log")
    unit.put("RECOVERY", "/log", b"a file")
    assert unit.settle() == ("reboot", "switched root")
    assert unit.read("RECOVERY", "/log.damaged") == b"a file"
    assert parse_history(unit.read("RECOVERY", HISTORY)).results


@pytest.mark.parametrize(
    "name", [HISTORY, f"{HISTORY}.previous", BUDGET, "/log/netd.tar", "/log/recov20200101_0000.log"]
)
@pytest.mark.parametrize("target", [f"{OUTSIDE}/netd.tar", f"../../..{OUTSIDE}/netd.tar", "/nosuch/file"])
def test_a_file_in_the_log_folder_that_is_a_link_leaves_what_it_leads_to(
    unit: UnitDriver, name: str, target: str
) -> None:
    link(unit, name, target)
    assert unit.settle() == ("reboot", "switched root")
    assert parse_history(unit.read("RECOVERY", HISTORY)).results
    assert unit.node("RECOVERY", HISTORY).type is FileType.FILE
    assert_outside_is_untouched(unit)


def test_a_boot_failure_is_counted_on_recovery_itself(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/Image/spoilt", b"")
    link(unit, "/log", OUTSIDE)
    unit.machine.volume_tree("RECOVERY").drop("/Image")
    unit.machine.flush()
    assert unit.boot().value == "reboot"
    assert unit.exists("RECOVERY", BUDGET)
    assert_outside_is_untouched(unit)
