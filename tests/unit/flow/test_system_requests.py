"""A factory restore or data erase that the running system requested for its next start, on UEFI and BIOS units."""

from __future__ import annotations

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.host.simulation.owner import Owner
from gprov.apps.host.simulation.signed_factory import build_in
from gprov.domain.boot.args import PreferredImage
from gprov.domain.boot.boot_counts import CONFIRMED_FILE, REQUEST_KINDS, REQUESTS_ACCEPTED, STARTED_FILE
from gprov.domain.boot.boot_request import (
    BootRequest,
    EraseRequested,
    RestoreRequested,
    serialise_boot_request,
)
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.image.history import parse_history
from gprov.domain.platform.model import RaidLevel
from gprov.domain.trust.policy import TrustPolicy
from gprov.domain.trust.published import BUILT_IN_FILES, BUILT_IN_FOLDER, NUMBERS, PUBLISHED_FOLDER
from gprov.domain.trust.ratchets import RatchetValues, parse_ratchets
from tests.unit.flow import units
from tests.unit.flow.driver import HISTORY, NEWER, UnitDriver

REQUEST = "/etc/provisioning/boot_request"
RESTORE = RestoreRequested(serial=SERIAL)
ERASE = EraseRequested(serial=SERIAL, options="level:clear")
MARK = "/home/data"


def requesting(
    request: BootRequest,
    *,
    firmware: FirmwareKind = FirmwareKind.UEFI,
    level: RaidLevel | None = None,
    disks: int = 1,
) -> UnitDriver:
    unit = units.running(firmware=firmware, level=level, disks=disks)
    unit.put("PRIMARY", MARK, b"a customer's")
    unit.put("PRIMARY", REQUEST, serialise_boot_request(request))
    return unit


def assert_system_as_it_was(unit: UnitDriver) -> None:
    """The unit boots its old system, and no request is left."""
    assert unit.settle()[-1] == "switched root"
    assert unit.exists("PRIMARY", MARK)
    assert not unit.exists("PRIMARY", REQUEST)


def test_a_requested_restore_is_carried_out_once(firmware: FirmwareKind) -> None:
    unit = requesting(RESTORE, firmware=firmware)
    assert unit.settle() == ("reboot", "switched root")
    assert "requested by the system" in unit.log()
    assert not unit.exists("PRIMARY", MARK)
    assert not unit.exists("PRIMARY", REQUEST)
    unit.machine.restart()
    assert unit.settle() == ("switched root",)


@pytest.mark.parametrize(("image", "expected"), [(PreferredImage.LATEST, NEWER), (PreferredImage.OLDEST, IMAGE_NAME)])
def test_it_takes_the_image_that_was_requested(image: PreferredImage, expected: str) -> None:
    unit = requesting(RestoreRequested(serial=SERIAL, image=image))
    unit.add_image(NEWER)
    unit.settle()
    assert unit.systems() == [expected]


def test_it_takes_the_image_that_was_named() -> None:
    unit = requesting(RestoreRequested(serial=SERIAL, named=IMAGE_NAME))
    unit.add_image(NEWER)
    unit.settle()
    assert unit.systems() == [IMAGE_NAME]


@pytest.mark.parametrize("content", [b"rubbish", None])
def test_no_other_image_takes_the_place_of_a_named_one(content: bytes | None) -> None:
    """The system that asked for it runs: it goes on, and RECOVERY says why."""
    unit = requesting(RestoreRequested(serial=SERIAL, named=NEWER))
    if content is not None:
        unit.put("RECOVERY", f"/Image/{NEWER}", content)
    assert unit.boot() is StopReason.REBOOT
    assert "no good image" in unit.errors()
    history = parse_history(unit.read("RECOVERY", HISTORY)).result(NEWER.removesuffix(".upd"))
    assert NEWER in history.notes[-1]
    assert_system_as_it_was(unit)


def test_a_named_image_that_is_refused_after_the_wipe_is_replaced_by_another_one() -> None:
    unit = requesting(RestoreRequested(serial=SERIAL, named=NEWER))
    unit.add_image(NEWER)
    unit.machine.faults.append(Fault(kind=FaultKind.REFUSED, where=f"extract /mnt/RECOVERY/Image/{NEWER}"))
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [IMAGE_NAME]


def test_a_person_is_not_asked_about_a_named_image_that_is_not_allowed() -> None:
    unit = units.running()
    build_in(unit.world, Owner())
    unit.add_image(NEWER)
    unit.put("PRIMARY", REQUEST, serialise_boot_request(RestoreRequested(serial=SERIAL, named=NEWER)))
    began = unit.machine.clock.total_elapsed
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.clock.total_elapsed - began < 330, "the failure is shown for 300 s, a question would be for 60"
    history = parse_history(unit.read("RECOVERY", HISTORY)).result(NEWER.removesuffix(".upd"))
    assert "is refused: is not signed" in history.notes[-1]
    assert unit.settle()[-1] == "switched root"
    assert unit.systems() == [IMAGE_NAME]


def test_a_restore_of_an_array(firmware: FirmwareKind) -> None:
    unit = requesting(RESTORE, firmware=firmware, level=RaidLevel.RAID1, disks=2)
    assert unit.settle() == ("reboot", "switched root")
    assert not unit.exists("PRIMARY", MARK)


def test_a_requested_erase_needs_no_person_and_is_followed_by_a_restore(firmware: FirmwareKind) -> None:
    unit = requesting(ERASE, firmware=firmware)
    assert unit.settle() == ("reboot", "reboot", "switched root")
    assert "Data erase done" in unit.log()
    assert unit.exists("RECOVERY", "/log/erase_report.json")
    assert not unit.exists("PRIMARY", MARK)


@pytest.mark.parametrize("request_", [RESTORE, ERASE])
@pytest.mark.parametrize("wrong", [b"", b"request=restore\n", b"x" * 5000])
def test_what_is_no_request_does_not_stop_the_system(request_: BootRequest, wrong: bytes) -> None:
    unit = requesting(request_)
    unit.put("PRIMARY", REQUEST, wrong)
    assert unit.settle() == ("switched root",)
    assert unit.warnings().count("the request of the system is withdrawn: ") == 1
    assert_system_as_it_was(unit)


@pytest.mark.parametrize("request_", [RestoreRequested(serial="OTHER"), EraseRequested(serial="OTHER")])
def test_a_request_of_another_unit_is_withdrawn(request_: BootRequest) -> None:
    unit = requesting(request_)
    assert unit.settle() == ("switched root",)
    assert "withdrawn: it is for unit OTHER, but the serial number of this machine is that of unit" in unit.warnings()
    assert_system_as_it_was(unit)


def test_a_restore_without_a_good_image_is_withdrawn_and_the_system_starts_again() -> None:
    unit = requesting(RESTORE)
    unit.put("RECOVERY", f"/Image/{IMAGE_NAME}", b"rubbish")
    assert unit.boot() is StopReason.REBOOT
    assert "FR_FAILED" in unit.log()
    assert_system_as_it_was(unit)


def test_a_restore_without_recovery_does_not_keep_the_system_down() -> None:
    """The long pause is for restores that would begin again at once; this one is withdrawn. With UEFI nothing starts
    without RECOVERY's disk."""
    unit = requesting(RESTORE, firmware=FirmwareKind.BIOS)
    del unit.machine.disks[1]
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.clock.total_elapsed < 600
    assert_system_as_it_was(unit)


def test_an_erase_with_an_unknown_option_is_withdrawn_and_the_system_starts_again() -> None:
    unit = requesting(EraseRequested(serial=SERIAL, options="colour:blue"))
    assert unit.boot() is StopReason.REBOOT
    assert_system_as_it_was(unit)


def test_the_third_start_that_begins_is_the_last() -> None:
    unit = requesting(RestoreRequested(serial=SERIAL, tries=3))
    assert unit.settle() == ("switched root",)
    assert "withdrawn: 3 starts have begun to act on it" in unit.warnings()
    assert_system_as_it_was(unit)


@pytest.mark.parametrize("request_", [RESTORE, ERASE])
def test_nothing_is_begun_that_cannot_be_counted(request_: BootRequest) -> None:
    """Else it could begin for ever."""
    unit = requesting(request_)
    unit.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where=f"write /newroot{REQUEST}"))
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.exists("PRIMARY", MARK)


@pytest.mark.parametrize("request_", [RESTORE, ERASE])
def test_a_power_cut_before_the_disk_is_changed_neither_loses_nor_repeats_a_request(request_: BootRequest) -> None:
    """What follows is a restore or erase like any other (test_cuts.py, test_erase_faults.py)."""
    unit = requesting(request_)
    names = unit.operations()
    for at in range(names.index("clear /dev/sda") + 2):
        cut = unit.copy()
        cut.machine.torn_cuts = True
        assert cut.cut(at) == names[at]
        assert cut.settle()[-1] == "switched root", names[at]
        assert not cut.exists("PRIMARY", MARK), names[at]
        cut.machine.restart()
        assert cut.settle() == ("switched root",), names[at]


def test_the_system_is_told_that_requests_are_acted_on() -> None:
    unit = units.running()
    unit.boot()
    node = unit.machine.ram.current.get(REQUESTS_ACCEPTED)
    assert node is not None
    assert node.content == REQUEST_KINDS


def test_the_system_is_told_what_images_are_judged_by() -> None:
    unit = units.running()
    unit.boot()
    assert unit.machine.ram.current.get(PUBLISHED_FOLDER) is None
    unit.machine.restart()
    build_in(unit.world, Owner(), version=3)
    unit.boot()
    ram = unit.machine.ram.current
    for name in BUILT_IN_FILES:
        published, built_in = ram.get(f"{PUBLISHED_FOLDER}/{name}"), ram.get(f"{BUILT_IN_FOLDER}/{name}")
        assert published is not None
        assert built_in is not None
        assert (published.content, published.mode) == (built_in.content, 0o600)


def test_numbers_of_a_tpm_are_told_to_the_system() -> None:
    unit = units.running()
    build_in(unit.world, Owner(), TrustPolicy.WARN)
    unit.machine.tpm = FakeTpmChip.new()
    unit.remove_flag()
    unit.settle()
    numbers = unit.machine.ram.current.get(f"{PUBLISHED_FOLDER}/{NUMBERS}")
    assert numbers is not None
    assert parse_ratchets("x", numbers.content) == RatchetValues(trust_version=1)


def test_counts_and_requests_of_another_system_do_not_come_back_with_an_image() -> None:
    """An image made from the root of a unit that had a request would else be restored, or the unit erased, for ever."""
    unit = requesting(RESTORE)
    config = REQUEST.removeprefix("/").rpartition("/")[0]
    stale = {REQUEST.removeprefix("/"): serialise_boot_request(ERASE), f"{config}/{STARTED_FILE}": b"12\n"}
    unit.add_image(NEWER, files={**stale, f"{config}/{CONFIRMED_FILE}": b"12 12\n"})
    assert unit.settle() == ("reboot", "switched root")
    assert unit.systems() == [NEWER]
    assert not unit.exists("PRIMARY", REQUEST)
    assert not unit.exists("PRIMARY", f"/{config}/{CONFIRMED_FILE}")
    assert unit.read("PRIMARY", f"/{config}/{STARTED_FILE}") == b"1\n"
