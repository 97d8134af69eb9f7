"""Restores with bad images, disks, files and servers: PRIMARY stays as it is, the unit reports why, and starts again by
itself."""

from __future__ import annotations

import lzma
from collections.abc import Callable

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.dmi.tables import FakeSystem, build_table
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.invariants import recovery_problems, system_problems
from gprov.apps.host.simulation.new_worlds import IMAGE_NAME, SERIAL
from gprov.apps.unit.network.remote_log import REMOTE_LOG
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.errors import DeviceFault
from gprov.domain.events import ProcessState, Severity
from gprov.domain.files import FileType
from gprov.domain.formats.accounts import open_accounts
from gprov.domain.image.history import parse_history
from tests.unit.flow import units
from tests.unit.flow.driver import FLAG, HISTORY, KERNELS, NEVER, NEWER, NORMAL, FailsAt, UnitDriver

IMAGE = f"/Image/{IMAGE_NAME}"
Change = Callable[[UnitDriver], None]


@pytest.fixture
def unit(flagless: UnitDriver) -> UnitDriver:
    """Most tests here begin with a unit that is about to be restored."""
    return flagless


def image_with(unit: UnitDriver, content: bytes) -> None:
    unit.put("RECOVERY", IMAGE, content)


def no_images(unit: UnitDriver) -> None:
    unit.remove("RECOVERY", "/Image")


def unplug(index: int) -> Change:
    def change(unit: UnitDriver) -> None:
        unit.machine.disks[index].appears_at = NEVER

    return change


def vanish_while_restoring(index: int) -> Change:
    """The disk goes when the restore has begun to look for its devices."""

    def change(unit: UnitDriver) -> None:
        mounts = 0

        def hook(operation: str) -> None:
            nonlocal mounts
            mounts += operation.startswith("mount /dev/sdb2")
            # The first mount belongs to the decision whether to restore.
            if mounts == 2:
                unit.machine.disks[index].appears_at = NEVER

        unit.machine.hook = hook

    return change


def second_disk(unit: UnitDriver) -> None:
    unit.machine.add_disk(20 * GIB, serial="second")


def label(name: str, new: str) -> Change:
    def change(unit: UnitDriver) -> None:
        for volume in unit.machine.disks[1].volumes():
            if volume.label == name:
                volume.label = new

    return change


def broken(name: str) -> Change:
    def change(unit: UnitDriver) -> None:
        for volume in unit.machine.disks[1].volumes():
            if volume.label == name:
                volume.damaged, volume.repairable = True, False

    return change


GOOD = build_image(build_kernel(100))
# What changes, and what must be reported.
REFUSED: dict[str, tuple[Change, tuple[str, ...]]] = {
    "no image": (no_images, ("no good image", "/mnt/RECOVERY/Image")),
    "an empty image": (lambda unit: image_with(unit, b""), ("no good image", IMAGE_NAME)),
    "an image with CRC64": (
        lambda unit: image_with(unit, lzma.compress(lzma.decompress(GOOD), check=lzma.CHECK_CRC64)),
        ("no good image", IMAGE_NAME, "SHA-256"),
    ),
    "half an image": (lambda unit: image_with(unit, GOOD[: len(GOOD) // 8 * 4]), ("no good image", IMAGE_NAME)),
    "an image without accounts": (
        lambda unit: image_with(unit, build_image(build_kernel(100), extra={"etc/passwd": b""})),
        ("no good image", "/etc/passwd", "admin"),
    ),
    "an image without a kernel": (
        lambda unit: image_with(unit, build_image(b"MZ")),
        ("no good image", "/boot/norm_boot"),
    ),
    "no RECOVERY": (unplug(1), ("RECOVERY: no volume has this label after 60 s",)),
    "two of them": (UnitDriver.add_second_recovery, ("2 volumes are labelled RECOVERY", "/dev/sdb2", "/dev/sdc2")),
    "RECOVERY on the wrong bus": (
        lambda unit: setattr(unit.machine.disks[1], "bus", Bus.ATA),
        ("RECOVERY is on /dev/sdb2", "attached by ata, must be usb"),
    ),
    "RECOVERY by another name": (label("RECOVERY", "RECOVERED"), ("RECOVERY: no volume has this label",)),
    "RECOVERY beyond repair": (broken("RECOVERY"), ("/dev/sdb2", "cannot mount")),
    "ESP beyond repair": (broken("ESP"), ("/dev/sdb1", "cannot mount")),
    "no ESP": (label("ESP", "OTHER"), ("no ESP partition on the RECOVERY disk",)),
    "an unknown unit": (
        lambda unit: setattr(unit.machine, "smbios", build_table(FakeSystem(product="other", serial=SERIAL))),
        ("no platform matches", "'other'"),
    ),
    "a unit without a serial number": (
        lambda unit: setattr(unit.machine, "smbios", build_table(FakeSystem(product="mfg_test", serial="None"))),
        ("placeholder", "'None'"),
    ),
    "no SMBIOS": (lambda unit: setattr(unit.machine, "smbios", b""), ("SMBIOS",)),
    "damaged SMBIOS": (lambda unit: setattr(unit.machine, "smbios", b"\xff" * 40), ("SMBIOS table", "offset 0")),
    "a second disk of the same size": (
        second_disk,
        ("/dev/sda1 is mounted and has no flag file, but 2 of 1 data disks present: /dev/sda", "/dev/sdc"),
    ),
    "the disk vanishes": (vanish_while_restoring(0), ("1 target disk of", "required, 0 found")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_restore_that_cannot_succeed_reports_why_and_leaves_primary_as_it_is(unit: UnitDriver, case: str) -> None:
    change, named = REFUSED[case]
    change(unit)
    before, writes = unit.machine.media_state()["sda"], unit.machine.disks[0].writes
    reported = len(unit.factory.states)
    assert unit.boot(NORMAL) is StopReason.REBOOT
    for name in named:
        assert name in unit.log(Severity.ERROR, Severity.WARNING)
    assert unit.machine.media_state()["sda"] == before
    assert unit.machine.disks[0].writes == writes
    assert unit.machine.clock.slept >= 300
    assert any(error in text for error in unit.errors().splitlines() for text in unit.machine.messages)
    assert ProcessState.FR_SUCCEEDED not in unit.factory.states[reported:]


def test_a_file_without_password_hash_locks_the_account_and_does_not_stop_a_restore(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/secrets/admin.hash", b"no:hash")
    assert unit.settle() == ("reboot", "switched root")
    assert "is LOCKED: /mnt/RECOVERY/secrets/admin.hash: holds no password hash" in unit.log(Severity.ERROR)
    assert b"admin:!:" in unit.read("PRIMARY", "/etc/shadow")


OPEN = build_image(
    build_kernel(100), extra={"etc/shadow": b"root:*:1:0:99999:7:::\nadmin::1:0:99999:7:::\n", "etc/open": b""}
)


def test_accounts_without_a_password_are_locked_by_a_restore(unit: UnitDriver) -> None:
    """Refused when an image is made or a unit is provisioned; here the unit may have no other image."""
    of_nothing = b"$1$$qRPK7m23GJusamGpoGLby/"
    passwd = b"root:x:0:0::/:/bin/sh\nadmin:x:1000:1000::/:/bin/sh\nkiosk::5:5::/:/bin/sh\nold::6:6::/:/bin/sh\n"
    passwd += b"live:x:7:7::/:/bin/sh\nlater:" + of_nothing + b":8:8::/:/bin/sh\n"
    shadow = b"root::1::::::\nadmin:!:1::::::\nkiosk::1::::::\nlive:U6aMy0wojraho:1::::::\n"
    image_with(unit, build_image(build_kernel(100), extra={"etc/passwd": passwd, "etc/shadow": shadow}))
    assert unit.settle() == ("reboot", "switched root")
    restored = unit.read("PRIMARY", "/etc/passwd"), unit.read("PRIMARY", "/etc/shadow")
    assert open_accounts(*restored, "") == ()
    assert b"kiosk:x:5:5::/:/bin/sh\nold:x:6:6:" in restored[0]
    assert restored[1].startswith(b"root:!:1:")
    assert b"later:x:8:8:" in restored[0]
    assert b"live:!:1:" in restored[1]
    assert recovery_problems(unit.world) + system_problems(unit.world) == []
    for name in ("root", "kiosk", "old", "live", "later"):
        assert f"{name!r} could log in without a password: a restore locks the account" in unit.warnings()


@pytest.mark.parametrize(
    "stored", [None, Node(type=FileType.FOLDER), b"", b"a b"], ids=["none", "folder", "empty", "no hash"]
)
def test_without_a_stored_password_the_admin_account_of_the_image_is_locked(
    unit: UnitDriver, stored: Node | bytes | None
) -> None:
    """The image's own admin has an empty password."""
    image_with(unit, OPEN)
    unit.remove("RECOVERY", "/secrets/admin.hash")
    if stored is not None:
        unit.put("RECOVERY", "/secrets/admin.hash", stored)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.exists("PRIMARY", "/etc/open")
    assert b"admin:!:" in unit.read("PRIMARY", "/etc/shadow")
    assert "LOCKED" in unit.log(Severity.ERROR)
    assert "LOCKED" in unit.log(Severity.MSG)


@pytest.mark.parametrize(
    "node", [Node(type=FileType.FOLDER), Node(type=FileType.FILE, content=b"x" * 5000)], ids=["folder", "too long"]
)
def test_a_code_name_that_cannot_be_read_does_not_stop_a_unit_that_is_known(unit: UnitDriver, node: Node) -> None:
    unit.put("RECOVERY", "/platform.ident", node)
    assert unit.settle() == ("reboot", "switched root")
    assert "no code name from RECOVERY" in unit.log(Severity.WARNING)


@pytest.mark.parametrize(
    "node", [Node(type=FileType.FOLDER), Node(type=FileType.FILE, content=b"x" * 5000)], ids=["folder", "too long"]
)
def test_a_password_that_cannot_be_read_is_not_counted_as_a_failure_of_the_image(unit: UnitDriver, node: Node) -> None:
    unit.remove("RECOVERY", "/secrets/admin.hash")
    unit.put("RECOVERY", "/secrets/admin.hash", node)
    assert unit.settle() == ("reboot", "switched root")
    assert "The admin account of the restored system is LOCKED" in unit.log(Severity.ERROR)
    history = parse_history(unit.read("RECOVERY", HISTORY))
    assert [result.failures for result in history.results] == [0]


@pytest.mark.parametrize("comes_back", [True, False])
def test_when_recovery_disappears_while_the_password_is_read_primary_stays_as_it_is(
    unit: UnitDriver, comes_back: bool
) -> None:
    """The image could not be read any more, either."""
    before = unit.machine.media_state()["sda"]
    fault = Fault(
        kind=FaultKind.VANISH, where="read /mnt/RECOVERY/secrets/admin.hash", disk="recovery", reappears=comes_back
    )
    unit.machine.faults.append(fault)
    assert unit.boot() is StopReason.REBOOT
    assert unit.machine.media_state()["sda"] == before
    assert fault.times == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("WIDGET.LNX.SHINY.2026-02-30.1.upd", "2026-02-30"),
        ("WIDGET.LNX.SHINY.2026-02-01.upd", "is no image"),
        ("WIDGET.LNX.SHINY.2026-02-01.x1.upd", "is no image"),
        ("OTHER.LNX.SHINY.2026-02-01.1.upd", "is no image"),
        ("widget.lnx.shiny.2026-02-01.1.upd", "is no image"),
        ("WIDGET.LNX.SHINY.2026-02-01.1.upd.partial", "is no image"),
        ("WIDGET.LNX.SHINY.2026-02-01.1.UPD", "is no image"),
        ("README", "is no image"),
    ],
)
def test_files_with_wrong_names_are_reported_and_not_restored(unit: UnitDriver, name: str, why: str) -> None:
    unit.add_image(name, files={"etc/wrong": b""})
    assert unit.settle() == ("reboot", "switched root")
    assert not unit.exists("PRIMARY", "/etc/wrong")
    assert f"/mnt/RECOVERY/Image/{name} is no image" in unit.log()
    assert why in unit.log()


def test_the_image_folder_is_found_and_renamed_if_it_is_in_capitals(unit: UnitDriver) -> None:
    content = unit.read("RECOVERY", IMAGE)
    unit.remove("RECOVERY", "/Image")
    unit.put("RECOVERY", f"/IMAGE/{IMAGE_NAME}", content)
    assert unit.settle() == ("reboot", "switched root")
    assert unit.read("RECOVERY", IMAGE) == content


@pytest.mark.parametrize("name", ["RECOVERY", "ESP"])
def test_a_damaged_file_system_is_repaired_before_it_is_used(unit: UnitDriver, name: str) -> None:
    for volume in unit.machine.disks[1].volumes():
        volume.damaged = volume.label == name
    assert unit.settle() == ("reboot", "switched root")
    assert "repaired" in unit.log()


def test_a_recovery_that_appears_after_40_seconds_is_waited_for(unit: UnitDriver) -> None:
    unit.machine.disks[1].appears_at = 40.0
    # The firmware had read the kernel from it before.
    assert unit.boot(NORMAL) is StopReason.REBOOT
    unit.machine.disks[1].appears_at = 0.0
    assert unit.boot() is StopReason.SWITCHED_ROOT


def test_a_unit_without_recovery_boots_normally() -> None:
    unit = units.running()
    unit.machine.disks[1].appears_at = NEVER
    assert unit.boot(NORMAL) is StopReason.SWITCHED_ROOT


@pytest.mark.parametrize(
    "change",
    [lambda unit: setattr(unit.factory, "down", True), lambda unit: setattr(unit.machine, "nics", ())],
    ids=["server", "network"],
)
@pytest.mark.parametrize("by_file", [True, False])
def test_a_dead_log_server_does_not_stop_a_restore(unit: UnitDriver, change: Change, by_file: bool) -> None:
    change(unit)
    arguments = dict(NORMAL)
    if by_file:
        unit.put("RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    else:
        arguments["PROVISION_XLOG"] = "http://factory.invalid/"
    assert unit.boot(arguments) is StopReason.REBOOT
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "no remote log" in unit.log() or "event sink factory server given up" in unit.log()


def test_boot_arguments_that_no_entry_can_hold_do_not_stop_a_restore(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/fr.data", b'{"BootArgs": "a=' + b"x" * 5000 + b'"}')
    assert unit.settle() == ("reboot", "switched root")
    assert "BootArgs not used" in unit.log()


def test_damaged_options_do_not_stop_a_restore(unit: UnitDriver) -> None:
    unit.put("RECOVERY", "/fr.data", b"\0\0\0\0")
    assert unit.settle() == ("reboot", "switched root")
    assert "/mnt/RECOVERY/fr.data" in unit.log(Severity.ERROR)


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, build_kernel(100)[:600]])
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("arguments", [{}, {"KERNEL_OVERRIDE": "recovery"}])
def test_files_on_the_esp_that_are_no_kernels_are_replaced(
    unit: UnitDriver, name: str, content: bytes, arguments: dict[str, str]
) -> None:
    unit.put("ESP", name, content)
    assert unit.boot({**NORMAL, **arguments}) is StopReason.REBOOT
    assert unit.settle() == ("switched root",)
    for path in KERNELS:
        assert unit.build_number("ESP", path) == 100


def test_a_unit_whose_platform_was_given_as_fallback_can_always_be_restored() -> None:
    unknown = units.blank()
    unknown.machine.smbios = build_table(FakeSystem(manufacturer="ACME", product="prototype", serial=SERIAL))
    assert unknown.provision(PROTO_IDENT="QEMU-mfg-test") is StopReason.REBOOT
    assert unknown.read("RECOVERY", "/platform.ident") == b"QEMU-mfg-test\n"
    assert unknown.settle() == ("reboot", "switched root")
    unknown.remove_flag()
    assert unknown.settle() == ("reboot", "switched root")
    # Also where the unit must know its data disks: this one is blank, which starts a restore only on such a disk.
    unknown.machine.restart()
    unknown.machine.disks[0].forget_partitions()
    unknown.machine.disks[0].old_contents.clear()
    assert unknown.settle() == ("reboot", "switched root")


def test_a_fallback_platform_that_is_not_in_the_table_ends_a_restore(unit: UnitDriver) -> None:
    unit.machine.smbios = build_table(FakeSystem(manufacturer="ACME", product="prototype", serial=SERIAL))
    unit.put("RECOVERY", "/platform.ident", b"NOSUCH\n")
    before = unit.machine.media_state()["sda"]
    assert unit.boot() is StopReason.REBOOT
    assert "the fallback 'NOSUCH' is not in the platform table" in unit.log()
    assert unit.machine.media_state()["sda"] == before


def test_a_restore_that_fails_before_it_has_chosen_an_image_leaves_the_history_alone(unit: UnitDriver) -> None:
    before = unit.read("RECOVERY", HISTORY)
    unit.machine.add_disk(20 * GIB, serial="second")
    assert unit.boot() is StopReason.REBOOT
    assert unit.read("RECOVERY", HISTORY) == before


def test_a_missing_esp_is_not_counted_as_a_failure_of_the_image(unit: UnitDriver) -> None:
    label("ESP", "OTHER")(unit)
    assert unit.boot(NORMAL) is StopReason.REBOOT
    history = parse_history(unit.read("RECOVERY", HISTORY))
    assert history.failures(IMAGE_NAME.removesuffix(".upd")) == 0


def test_an_image_that_failed_too_often_is_tried_when_nothing_else_is_good(unit: UnitDriver) -> None:
    unit.add_image(files={"etc/newer": b""})
    failed = b'{"ImageResults": [{"Image": "%s", "ImagingFailures": 6}]}' % IMAGE_NAME.removesuffix(".upd").encode()
    unit.put("RECOVERY", HISTORY, failed)
    image = bytearray(unit.read("RECOVERY", f"/Image/{NEWER}"))
    image[100] ^= 1
    unit.put("RECOVERY", f"/Image/{NEWER}", bytes(image))
    assert unit.settle() == ("reboot", "switched root")
    assert not unit.exists("PRIMARY", "/etc/newer")


def test_a_fault_at_any_operation_of_a_restore_is_reported_and_survived(unit: UnitDriver) -> None:
    names = unit.operations()
    for at, name in enumerate(names):
        one = unit.copy()
        one.machine.hook = FailsAt(at)
        assert one.boot() in (StopReason.REBOOT, StopReason.SWITCHED_ROOT), name
        assert f"{name}: input/output error" in one.log(), name
        one.machine.hook = None
        assert one.settle()[-1] == "switched root", name


def test_a_normal_boot_needs_neither_smbios_nor_network() -> None:
    unit = units.running()
    unit.machine.smbios = b""
    unit.factory.down, unit.origin.down, unit.machine.nics = True, True, ()
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert unit.machine.clock.monotonic() == 0


def test_a_fault_at_any_operation_of_a_normal_boot_wipes_nothing() -> None:
    running = units.running()
    names = running.operations()
    for at, name in enumerate(names):
        one = running.copy()
        writes = one.machine.disks[0].writes
        one.machine.hook = FailsAt(at)
        assert one.boot() in (StopReason.REBOOT, StopReason.SWITCHED_ROOT), name
        one.machine.hook = None
        assert one.settle()[-1] == "switched root", name
        assert one.machine.disks[0].writes == writes, name


def test_an_ambiguous_root_is_reported_and_shown_and_nothing_is_changed() -> None:
    unit = units.running()
    unit.add_copy_of_primary(20 * GIB, Bus.ATA)
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.REBOOT
    assert "more than one volume could be the root: /dev/sda1, /dev/sdc1" in unit.log(Severity.ERROR)
    assert any("more than one volume" in message for message in unit.machine.messages)
    assert unit.machine.media_state() == before


def test_of_two_roots_the_one_on_a_data_disk_of_the_platform_is_started() -> None:
    unit = units.running()
    unit.add_copy_of_primary(8 * GIB, Bus.USB)
    assert unit.boot() is StopReason.SWITCHED_ROOT
    assert "root is /dev/sda1" in unit.log()


def test_a_root_without_init_is_reported_and_nothing_is_changed() -> None:
    unit = units.running()
    unit.remove("PRIMARY", "/usr/lib/systemd/systemd")
    before = unit.machine.media_state()
    assert unit.boot() is StopReason.REBOOT
    assert "cannot start the system on /dev/sda1" in unit.log(Severity.ERROR)
    assert unit.machine.media_state() == before


def test_a_recovery_that_cannot_be_unmounted_does_not_make_a_restore_fail(unit: UnitDriver) -> None:
    def busy(operation: str) -> None:
        if operation == "unmount /mnt/RECOVERY" and unit.machine.volume_tree("PRIMARY").get(FLAG) is not None:
            raise DeviceFault("/mnt/RECOVERY", "cannot unmount: Device or resource busy")

    unit.machine.hook = busy
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert "/mnt/RECOVERY: cannot unmount" in unit.log(Severity.WARNING)
    assert "state FR_SUCCEEDED" in unit.log()
    assert "state FR_FAILED" not in unit.log()
    unit.machine.hook = None
    assert unit.boot() is StopReason.SWITCHED_ROOT


def test_a_network_that_never_comes_up_is_waited_for_only_after_the_restore(unit: UnitDriver) -> None:
    unit.world.stuck.add(REMOTE_LOG)
    unit.put("RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    assert unit.boot(NORMAL) is StopReason.REBOOT
    assert unit.log().index("state FR_SUCCEEDED") < unit.log().index("the network is not up yet")
    unit.world.stuck.clear()
    assert unit.boot() is StopReason.SWITCHED_ROOT
