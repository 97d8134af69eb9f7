"""Units that gprovision provisioned, restored by gprov: they must end in a system that starts, after a power cut at any
operation too, and are not restored again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.passwords import FakePasswordHasher
from gprov.apps.host.simulation.invariants import recovery_problems, system_problems
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, world_of
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.branding import Branding
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.events import Severity
from gprov.domain.files import FileType
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import RaidLevel
from gprov.domain.unit.credentials import Secret
from tests.gprovision.volumes import ADMIN, PASSWORD, PLAIN_TEXT
from tests.unit.flow import gprovision_units, units
from tests.unit.flow.driver import HISTORY, UnitDriver

ORDERS = {"primary first": ("primary0", "recovery"), "RECOVERY first": ("recovery", "primary0")}
HASH = FakePasswordHasher().hash(Secret(PASSWORD))


def make(kind: str) -> UnitDriver:
    return gprovision_units.uefi_unit() if kind == "UEFI" else gprovision_units.bios_unit(ORDERS[kind])


@pytest.fixture(params=["UEFI", *ORDERS])
def used(request: pytest.FixtureRequest) -> UnitDriver:
    """Its system may start."""
    return make(request.param)


@pytest.fixture(params=ORDERS)
def bios(request: pytest.FixtureRequest) -> UnitDriver:
    return make(request.param)


@pytest.fixture
def flagless(used: UnitDriver) -> UnitDriver:
    """Its next start restores it."""
    used.remove_flag()
    return used


def check_taken_over(unit: UnitDriver) -> None:
    """The new system runs with admin's old password, which is no longer on RECOVERY in plain text."""
    assert unit.systems() == [IMAGE_NAME]
    assert system_problems(unit.world) + recovery_problems(unit.world) == []
    assert f"admin:{HASH}:".encode() in unit.read("PRIMARY", "/etc/shadow")
    assert unit.read("RECOVERY", "/secrets/admin.hash") == f"{HASH}\n".encode()
    assert unit.node("RECOVERY", "/secrets/admin.hash").mode == 0o600
    assert unit.node("RECOVERY", "/secrets").mode == 0o700
    assert not unit.exists("RECOVERY", "/insecure.storage")
    assert set(owned(unit).values()) == {0}


def owned(unit: UnitDriver) -> dict[str, int]:
    """User ids of RECOVERY's root folder and what is in it, without links, and without the folder below the ESP."""
    nodes = [(path, node) for path, node in unit.machine.volume_tree("RECOVERY").items() if path.count("/") == 1]
    return {path: node.uid for path, node in nodes if node.type is not FileType.SYMLINK and path != "/ESP"}


def check_starts(unit: UnitDriver, times: int = 3) -> None:
    """Further starts are normal ones."""
    unit.put("PRIMARY", "/srv/data", b"new work")
    for _ in range(times):
        unit.machine.restart()
        assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.read("PRIMARY", "/srv/data") == b"new work"


def test_a_system_that_may_start_is_started(used: UnitDriver) -> None:
    assert used.settle() == ("switched root",)
    assert used.read("PRIMARY", "/srv/data") == b"years of work"
    assert used.read("RECOVERY", "/insecure.storage") == PLAIN_TEXT


def test_a_restore_is_followed_by_normal_starts(flagless: UnitDriver) -> None:
    assert flagless.settle() == ("reboot", "switched root")
    check_taken_over(flagless)
    check_starts(flagless)


def test_the_earlier_history_is_continued(flagless: UnitDriver) -> None:
    flagless.settle()
    results = json.loads(flagless.read("RECOVERY", HISTORY))["ImageResults"]
    assert [result["Image"] for result in results] == [IMAGE_NAME[:-4], "WIDGET.LNX.SHINY.2019-05-01.3"]
    assert results[1]["Notes"][-1:] == ["2019-05-01 10:00: imaged"]


@pytest.mark.parametrize("torn", [False, True])
def test_a_restore_that_is_cut_anywhere_ends_in_the_new_system(flagless: UnitDriver, torn: bool) -> None:
    assert len(flagless.operations()) > 40
    for name, unit in flagless.cut_everywhere(torn=torn):
        check_taken_over(unit)
        unit.machine.restart()
        assert unit.boot() is StopReason.SWITCHED_ROOT, f"cut at {name}"


def test_the_loader_of_recovery_requests_a_restore_and_the_restored_system_starts(bios: UnitDriver) -> None:
    """The disks were blank, as after the provisioning by gprovision: its fallback menu starts without arguments."""
    primary = bios.machine.disks[0]
    primary.forget_partitions()
    primary.old_contents.clear()
    assert bios.settle() == ("reboot", "switched root")
    check_taken_over(bios)
    check_starts(bios)


def test_with_a_write_protected_recovery_the_restored_system_starts(bios: UnitDriver) -> None:
    """The old fallback menu stays; the menu on the boot partition is found before it. The plain text stays too."""
    bios.remove_flag()
    bios.machine.disks[1].write_protected = True
    assert bios.settle() == ("reboot", "switched root")
    check_starts(bios)
    assert f"admin:{HASH}:".encode() in bios.read("PRIMARY", "/etc/shadow")
    assert bios.read("RECOVERY", "/insecure.storage") == PLAIN_TEXT
    assert "insecure.storage" in bios.warnings()


def test_a_primary_disk_that_the_bios_does_not_find_is_not_wiped() -> None:
    """The fallback menu of a restored unit marks a fallback boot, and the kernel waits for the slow disk."""
    unit = make("RECOVERY first")
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    unit.put("PRIMARY", "/srv/data", b"new work")
    unit.machine.restart()
    unit.machine.disks[0].appears_at = 2.0
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.read("PRIMARY", "/srv/data") == b"new work"


def test_a_menu_on_the_second_partition_of_a_large_disk_is_not_needed() -> None:
    """The boot partition is the second one there; the menu of gprovision expects the first."""
    platform = replace(default_table()[0], disk_size=3 << 40)
    unit = UnitDriver(world_of(platform, Branding(), FirmwareKind.BIOS))
    assert unit.provision() is StopReason.REBOOT
    gprovision_units.with_grub4dos(unit)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.exists("BOOT", "/GPROVHDD.boot")
    check_starts(unit)


@pytest.mark.parametrize("level", [RaidLevel.RAID1, RaidLevel.RAID5])
def test_arrays(level: RaidLevel) -> None:
    unit = units.running(firmware=FirmwareKind.BIOS, level=level, disks=level.min_disks)
    gprovision_units.with_grub4dos(unit)
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert all(volume.current.get("/GPROVHDD.boot") for volume in unit.volumes("BOOT"))
    check_starts(unit)


def test_menus_of_grub4dos_are_written_once(bios: UnitDriver) -> None:
    bios.remove_flag()
    bios.settle()
    before = bios.kept_on_recovery()
    assert b"PROVISION_LOADER_FALLBACK=1" in bios.read("RECOVERY", "/GPROVFBK.boot")
    assert bios.read("RECOVERY", "/menu.lst") == gprovision_units.FIRST_MENU
    bios.machine.restart()
    bios.remove_flag()
    assert bios.settle() == ("reboot", "switched root")
    assert bios.kept_on_recovery() == before


def test_a_damaged_kernel_on_the_boot_partition_leads_to_the_kernels_of_recovery() -> None:
    unit = make("RECOVERY first")
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    unit.machine.restart()
    unit.put("BOOT", "/norm_boot", b"no kernel")
    unit.put("RECOVERY", "/norm_boot", b"no kernel")
    assert unit.settle() == ("reboot", "switched root")
    assert unit.build_number("BOOT", "/norm_boot") == unit.build_number("RECOVERY", "/norm_boot") == 100


def test_boot_entries_of_gprovision_are_right_already() -> None:
    unit = make("UEFI")
    before = gprovision_units.entries(unit)
    unit.remove_flag()
    assert unit.settle() == ("reboot", "switched root")
    assert gprovision_units.entries(unit) == before
    assert unit.build_number("ESP", "/EFI/BOOT/BOOTX64.EFI") == 100


# --- passwords in plain text ---


def test_no_password_is_reported(flagless: UnitDriver) -> None:
    flagless.settle()
    for password in PLAIN_TEXT.decode().split("\0"):
        assert password not in flagless.told()
        assert password not in repr(flagless.machine.messages)
    assert "in plain text: change them" in flagless.warnings()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"bios\0ipmi\0",
        b"a\0b\0c",
        b"bios-password\0os-password",
        b"a\0b\0c-password\0d",
        b"bios\0\xff\xfe\0password",
    ],
)
def test_plain_text_that_holds_no_password_locks_the_account_and_stays(flagless: UnitDriver, content: bytes) -> None:
    flagless.put("RECOVERY", "/insecure.storage", content)
    assert flagless.settle() == ("reboot", "switched root")
    assert b"admin:!:" in flagless.read("PRIMARY", "/etc/shadow")
    assert "is LOCKED" in flagless.log(Severity.ERROR)
    assert "insecure.storage" in flagless.log(Severity.ERROR)
    assert flagless.read("RECOVERY", "/insecure.storage") == content
    assert not flagless.exists("RECOVERY", "/secrets/admin.hash")
    for password in ("os-password", "c-password"):
        assert password not in flagless.told()


def test_a_stored_hash_is_used_and_not_the_plain_text(flagless: UnitDriver) -> None:
    flagless.put("RECOVERY", "/secrets/admin.hash", Node(type=FileType.FILE, content=b"$y$newer\n", mode=0o600))
    assert flagless.settle() == ("reboot", "switched root")
    assert b"admin:$y$newer:" in flagless.read("PRIMARY", "/etc/shadow")
    assert flagless.read("RECOVERY", "/secrets/admin.hash") == b"$y$newer\n"
    assert not flagless.exists("RECOVERY", "/insecure.storage")


@pytest.mark.parametrize(
    "node", [Node(type=FileType.FILE, content=b"no:hash"), Node(type=FileType.FOLDER)], ids=["no hash", "folder"]
)
def test_with_an_unusable_hash_the_plain_text_is_used(flagless: UnitDriver, node: Node) -> None:
    flagless.put("RECOVERY", "/secrets/admin.hash", node)
    assert flagless.settle() == ("reboot", "switched root")
    assert f"admin:{HASH}:".encode() in flagless.read("PRIMARY", "/etc/shadow")
    stored = flagless.node("RECOVERY", "/secrets/admin.hash").content == f"{HASH}\n".encode()
    assert stored != flagless.exists("RECOVERY", "/insecure.storage")


def test_plain_text_that_cannot_be_read_locks_the_account_and_counts_against_no_image(flagless: UnitDriver) -> None:
    flagless.machine.faults.append(Fault(kind=FaultKind.IO_ERROR, where="read /mnt/RECOVERY/insecure.storage", times=9))
    assert flagless.settle() == ("reboot", "switched root")
    assert b"admin:!:" in flagless.read("PRIMARY", "/etc/shadow")
    assert "is LOCKED" in flagless.log(Severity.ERROR)
    assert flagless.exists("RECOVERY", "/insecure.storage")
    assert json.loads(flagless.read("RECOVERY", HISTORY))["ImageResults"][0]["ImagingFailures"] == 0


# --- owners: a restore of gprovision gives all of RECOVERY to admin ---


def test_what_admin_owned_becomes_roots(flagless: UnitDriver) -> None:
    before = owned(flagless)
    assert before["/"] == before["/platform.ident"] == before["/Image"] == ADMIN
    flagless.settle()
    check_taken_over(flagless)


def test_owners_on_a_recovery_of_root_stay(flagless: UnitDriver) -> None:
    """A step of the factory may have set them."""
    root = flagless.node("RECOVERY", "/")
    flagless.put("RECOVERY", "/", replace(root, uid=0, gid=0))
    flagless.settle()
    assert owned(flagless)["/platform.ident"] == ADMIN


# --- RECOVERY that gprov does not use ---


def test_a_system_starts_beside_a_recovery_of_another_kind_and_is_not_restored_from_it(used: UnitDriver) -> None:
    used.volume("RECOVERY").kind = FileSystemKind.VFAT
    assert used.settle() == ("switched root",)
    used.remove_flag()
    used.machine.restart()
    assert used.boot() is StopReason.REBOOT
    assert used.read("PRIMARY", "/srv/data") == b"years of work"
    assert "holds vfat, must be ext2 or ext3 or ext4" in used.warnings()
    assert "is that of gprovision: copy its files, make it ext3 and copy them back" in used.errors()
