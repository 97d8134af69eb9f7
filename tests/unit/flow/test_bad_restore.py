"""Restores with everything wrong that can be: PRIMARY stays as it is, the unit says why, and comes back by itself."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.dmi.tables import build_table
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.storage import Node
from gprov.adapters.fake.system.power import Stop
from gprov.apps.host.simulation.cuts import operations_of, settle
from gprov.apps.host.simulation.world import IMAGE_NAME, SERIAL, World, new_world
from gprov.apps.unit.network.remote_log import REMOTE_LOG
from gprov.domain.disk.layout import GIB
from gprov.domain.disk.model import Bus
from gprov.domain.errors import DeviceFault
from gprov.domain.event_text import body_text, severity_of
from gprov.domain.events import ProcessState, Severity
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.image.history import parse_history

FLAG = "/boot.normal"
IMAGE = f"/Image/{IMAGE_NAME}"
NEWER = "/Image/WIDGET.LNX.SHINY.2026-02-01.10.upd"
Change = Callable[[World], None]


def put(world: World, label: str, path: str, data: bytes) -> None:
    world.machine.tree(label).put(path, Node(FileType.FILE, data))
    world.machine.flush()


def drop(world: World, label: str, path: str) -> None:
    world.machine.tree(label).drop(path)
    world.machine.flush()


def data(world: World, label: str, path: str) -> bytes | None:
    node = world.machine.tree(label).get(path)
    return node.content if node is not None else None


@pytest.fixture(scope="module")
def first() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture
def world(first: World) -> World:
    """A unit that is about to be restored, since its flag file is gone."""
    copy = deepcopy(first)
    drop(copy, "PRIMARY", FLAG)
    copy.sinks = (MemorySink(),)
    return copy


def said(world: World, *severities: Severity) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    bodies = [event.body for event in sink.events]
    return "\n".join(body_text(body) for body in bodies if not severities or severity_of(body) in severities)


def image_with(world: World, content: bytes) -> None:
    put(world, "RECOVERY", IMAGE, content)


def no_images(world: World) -> None:
    drop(world, "RECOVERY", "/Image")


def unplug(index: int) -> Change:
    def change(world: World) -> None:
        world.machine.disks[index].appears_at = 1e9

    return change


def vanish_while_restoring(index: int) -> Change:
    """The disk goes when the restore has begun to look for things."""

    def change(world: World) -> None:
        mounts = 0

        def hook(operation: str) -> None:
            nonlocal mounts
            mounts += operation.startswith("mount /dev/sdb2")
            # The first is for the look at the data disks.
            if mounts == 2:
                world.machine.disks[index].appears_at = 1e9

        world.machine.hook = hook

    return change


def twin_recovery(world: World) -> None:
    recovery = world.machine.disks[1]
    twin = world.machine.add_disk(recovery.size, bus=Bus.USB, serial="twin")
    twin.partitions, twin.table = list(recovery.partitions), recovery.table


def second_disk(world: World) -> None:
    world.machine.add_disk(20 * GIB, serial="second")


def label(name: str, new: str) -> Change:
    def change(world: World) -> None:
        for volume in world.machine.disks[1].volumes():
            if volume.label == name:
                volume.label = new

    return change


def broken(name: str) -> Change:
    def change(world: World) -> None:
        for volume in world.machine.disks[1].volumes():
            if volume.label == name:
                volume.damaged, volume.repairable = True, False

    return change


GOOD = build_image(build_kernel(100))
# What changes, and what must be said.
REFUSED: dict[str, tuple[Change, tuple[str, ...]]] = {
    "no image": (no_images, ("no good image", "/mnt/RECOVERY/Image")),
    "an empty image": (lambda world: image_with(world, b""), ("no good image", IMAGE_NAME)),
    "an image with CRC64": (
        lambda world: image_with(world, lzma.compress(lzma.decompress(GOOD), check=lzma.CHECK_CRC64)),
        ("no good image", IMAGE_NAME, "SHA-256"),
    ),
    "half an image": (lambda world: image_with(world, GOOD[: len(GOOD) // 8 * 4]), ("no good image", IMAGE_NAME)),
    "an image without accounts": (
        lambda world: image_with(world, build_image(build_kernel(100), extra={"etc/passwd": b""})),
        ("no good image", "/etc/passwd", "admin"),
    ),
    "an image with an open account": (
        lambda world: image_with(
            world, build_image(build_kernel(100), extra={"etc/shadow": b"root::1::::::\nadmin:!:1::::::\n"})
        ),
        ("no good image", "'root' can log in without a password"),
    ),
    "an image without a kernel": (
        lambda world: image_with(world, build_image(b"MZ")),
        ("no good image", "/boot/norm_boot"),
    ),
    "no RECOVERY": (unplug(1), ("RECOVERY: no volume has this label after 60 s",)),
    "two of them": (twin_recovery, ("2 volumes are labelled RECOVERY", "/dev/sdb2", "/dev/sdc2")),
    "RECOVERY on the wrong bus": (
        lambda world: setattr(world.machine.disks[1], "bus", Bus.ATA),
        ("RECOVERY is on /dev/sdb2", "attached by ata, must be usb"),
    ),
    "RECOVERY by another name": (label("RECOVERY", "RECOVERED"), ("RECOVERY: no volume has this label",)),
    "RECOVERY beyond repair": (broken("RECOVERY"), ("/dev/sdb2", "cannot mount")),
    "ESP beyond repair": (broken("ESP"), ("/dev/sdb1", "cannot mount")),
    "no ESP": (label("ESP", "OTHER"), ("no ESP beside RECOVERY",)),
    "an unknown unit": (
        lambda world: setattr(world.machine, "smbios", build_table(product="other", serial=SERIAL)),
        ("no platform is known", "'other'"),
    ),
    "a unit without a serial number": (
        lambda world: setattr(world.machine, "smbios", build_table(product="mfg_test", serial="None")),
        ("placeholder", "'None'"),
    ),
    "no SMBIOS": (lambda world: setattr(world.machine, "smbios", b""), ("SMBIOS",)),
    "damaged SMBIOS": (lambda world: setattr(world.machine, "smbios", b"\xff" * 40), ("SMBIOS table", "offset 0")),
    "a second disk of the same size": (
        second_disk,
        ("/dev/sda1 is mounted and has no flag file, but 2 of 1 data disks present: /dev/sda", "/dev/sdc"),
    ),
    "the disk vanishes": (vanish_while_restoring(0), ("1 target disk of", "wanted, 0 found")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_primary_stays_as_it_is_and_the_unit_says_why(world: World, case: str) -> None:
    change, named = REFUSED[case]
    change(world)
    before, writes = world.machine.storage()["sda"], world.machine.disks[0].writes
    reported = len(world.factory.states)
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    for name in named:
        assert name in said(world, Severity.ERROR, Severity.WARNING)
    assert world.machine.storage()["sda"] == before
    assert world.machine.disks[0].writes == writes
    assert world.machine.clock.slept >= 300
    assert any(text in said(world, Severity.ERROR) for text in world.machine.messages)
    assert ProcessState.FR_SUCCEEDED not in world.factory.states[reported:]


def test_secrets_that_are_none_do_not_keep_a_unit_from_coming_back(world: World) -> None:
    put(world, "RECOVERY", "/secrets/admin.hash", b"no:hash")
    assert settle(world) == ("reboot", "switched root")
    assert "is LOCKED: /mnt/RECOVERY/secrets/admin.hash holds no password hash" in said(world, Severity.ERROR)
    assert b"admin:!:" in (data(world, "PRIMARY", "/etc/shadow") or b"")


OPEN = build_image(
    build_kernel(100), extra={"etc/shadow": b"root:*:1:0:99999:7:::\nadmin::1:0:99999:7:::\n", "etc/open": b""}
)


@pytest.mark.parametrize("node", [None, Node(FileType.FOLDER), Node(FileType.FILE, b""), Node(FileType.FILE, b"a b")])
def test_without_a_stored_password_nobody_gets_in_without_one(world: World, node: Node | None) -> None:
    """The image's own admin has none."""
    image_with(world, OPEN)
    drop(world, "RECOVERY", "/secrets/admin.hash")
    if node is not None:
        world.machine.tree("RECOVERY").put("/secrets/admin.hash", node)
        world.machine.flush()
    assert settle(world) == ("reboot", "switched root")
    assert data(world, "PRIMARY", "/etc/open") is not None
    assert b"admin:!:" in (data(world, "PRIMARY", "/etc/shadow") or b"")
    assert "LOCKED" in said(world, Severity.ERROR)
    assert "LOCKED" in said(world, Severity.MSG)


@pytest.mark.parametrize("node", [Node(FileType.FOLDER), Node(FileType.FILE, b"x" * 5000)], ids=["folder", "too long"])
def test_a_code_name_that_cannot_be_read_is_not_needed_by_a_unit_that_is_known(world: World, node: Node) -> None:
    world.machine.tree("RECOVERY").put("/platform.ident", node)
    world.machine.flush()
    assert settle(world) == ("reboot", "switched root")
    assert "no code name from RECOVERY" in said(world, Severity.WARNING)


@pytest.mark.parametrize("node", [Node(FileType.FOLDER), Node(FileType.FILE, b"x" * 5000)], ids=["folder", "too long"])
def test_secrets_that_cannot_be_read_are_no_fault_of_the_images(world: World, node: Node) -> None:
    drop(world, "RECOVERY", "/secrets/admin.hash")
    world.machine.tree("RECOVERY").put("/secrets/admin.hash", node)
    world.machine.flush()
    assert settle(world) == ("reboot", "switched root")
    assert "The admin account of the restored system is LOCKED" in said(world, Severity.ERROR)
    history = data(world, "RECOVERY", "/log/recovery_history.json")
    assert history is not None
    assert [result.failures for result in parse_history(history).results] == [0]


@pytest.mark.parametrize("comes_back", [True, False])
def test_secrets_that_cannot_be_read_since_recovery_is_gone_cost_nobody_a_system(
    world: World, comes_back: bool
) -> None:
    """Nothing of the image could be read any more, either."""
    before = world.machine.storage()["sda"]
    fault = Fault(FaultKind.VANISH, "read /mnt/RECOVERY/secrets/admin.hash", disk="recovery", comes_back=comes_back)
    world.machine.faults.append(fault)
    assert world.boot() is Stop.REBOOT
    assert world.machine.storage()["sda"] == before
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
def test_wrong_names_are_reported_and_never_taken(world: World, name: str, why: str) -> None:
    put(world, "RECOVERY", f"/Image/{name}", build_image(build_kernel(100), extra={"etc/wrong": b""}))
    assert settle(world) == ("reboot", "switched root")
    assert data(world, "PRIMARY", "/etc/wrong") is None
    assert f"/mnt/RECOVERY/Image/{name} is no image" in said(world)
    assert why in said(world)


def test_the_image_folder_is_found_however_it_is_spelled(world: World) -> None:
    content = data(world, "RECOVERY", IMAGE) or b""
    drop(world, "RECOVERY", "/Image")
    put(world, "RECOVERY", f"/IMAGE/{IMAGE_NAME}", content)
    assert settle(world) == ("reboot", "switched root")
    assert data(world, "RECOVERY", IMAGE) == content


@pytest.mark.parametrize("name", ["RECOVERY", "ESP"])
def test_a_damaged_file_system_is_repaired_before_it_is_used(world: World, name: str) -> None:
    for volume in world.machine.disks[1].volumes():
        volume.damaged = volume.label == name
    assert settle(world) == ("reboot", "switched root")
    assert "repaired" in said(world)


def test_a_late_recovery_is_waited_for(world: World) -> None:
    world.machine.disks[1].appears_at = 40.0
    # The firmware had read the kernel from it before.
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    world.machine.disks[1].appears_at = 0.0
    assert world.boot() is Stop.SWITCHED_ROOT


def test_a_unit_without_recovery_boots_normally(first: World) -> None:
    world = deepcopy(first)
    world.machine.disks[1].appears_at = 1e9
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.SWITCHED_ROOT


@pytest.mark.parametrize(
    "change",
    [lambda world: setattr(world.factory, "down", True), lambda world: setattr(world.machine, "nics", ())],
    ids=["server", "network"],
)
@pytest.mark.parametrize("by_file", [True, False])
def test_a_dead_log_server_does_not_stop_a_restore(world: World, change: Change, by_file: bool) -> None:
    change(world)
    arguments = {"real_root": "LABEL=PRIMARY"}
    if by_file:
        put(world, "RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    else:
        arguments["PROVISION_XLOG"] = "http://factory.invalid/"
    assert world.boot(arguments) is Stop.REBOOT
    assert world.boot() is Stop.SWITCHED_ROOT
    assert "no remote log" in said(world) or "event sink factory server given up" in said(world)


def test_boot_arguments_that_no_entry_can_hold_do_not_stop_a_restore(world: World) -> None:
    put(world, "RECOVERY", "/fr.data", b'{"BootArgs": "a=' + b"x" * 5000 + b'"}')
    assert settle(world) == ("reboot", "switched root")
    assert "BootArgs not used" in said(world)


def test_damaged_options_do_not_stop_a_restore(world: World) -> None:
    put(world, "RECOVERY", "/fr.data", b"\0\0\0\0")
    assert settle(world) == ("reboot", "switched root")
    assert "/mnt/RECOVERY/fr.data" in said(world, Severity.ERROR)


@pytest.mark.parametrize("content", [b"", b"\0" * 8192, build_kernel(100)[:600]])
@pytest.mark.parametrize("name", ["/norm_boot", "/EFI/BOOT/BOOTX64.EFI"])
@pytest.mark.parametrize("arguments", [{}, {"KERNEL_OVERRIDE": "recovery"}])
def test_kernels_on_the_esp_that_are_none_are_replaced(
    world: World, name: str, content: bytes, arguments: dict[str, str]
) -> None:
    put(world, "ESP", name, content)
    assert world.boot({"real_root": "LABEL=PRIMARY", **arguments}) is Stop.REBOOT
    assert settle(world) == ("switched root",)
    for path in ("/norm_boot", "/EFI/BOOT/BOOTX64.EFI"):
        assert parse_bzimage(data(world, "ESP", path) or b"").build_number == 100


def test_a_platform_that_was_identified_by_fallback_is_known_ever_after() -> None:
    unknown = new_world()
    unknown.machine.smbios = build_table(manufacturer="ACME", product="prototype", serial=SERIAL)
    assert unknown.provision(PROTO_IDENT="QEMU-mfg-test") is Stop.REBOOT
    assert data(unknown, "RECOVERY", "/platform.ident") == b"QEMU-mfg-test\n"
    assert settle(unknown) == ("reboot", "switched root")
    drop(unknown, "PRIMARY", FLAG)
    assert settle(unknown) == ("reboot", "switched root")
    # Also where the disk must be judged: it is blank, so that nobody has to wait for a root.
    unknown.machine.restart()
    unknown.machine.disks[0].forget_partitions()
    unknown.machine.disks[0].remains.clear()
    assert settle(unknown) == ("reboot", "switched root")


def test_a_fallback_that_is_in_no_table_is_refused(world: World) -> None:
    world.machine.smbios = build_table(manufacturer="ACME", product="prototype", serial=SERIAL)
    put(world, "RECOVERY", "/platform.ident", b"NOSUCH\n")
    before = world.machine.storage()["sda"]
    assert world.boot() is Stop.REBOOT
    assert "the fallback 'NOSUCH' is not in the platform table" in said(world)
    assert world.machine.storage()["sda"] == before


def test_an_unknown_image_folder_does_not_count_against_images(world: World) -> None:
    """A restore that fails before it has chosen an image leaves the history alone."""
    before = data(world, "RECOVERY", "/log/recovery_history.json")
    world.machine.add_disk(20 * GIB, serial="second")
    assert world.boot() is Stop.REBOOT
    assert data(world, "RECOVERY", "/log/recovery_history.json") == before


def test_what_is_no_fault_of_an_image_is_not_counted_against_it(world: World) -> None:
    label("ESP", "OTHER")(world)
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    history = parse_history(data(world, "RECOVERY", "/log/recovery_history.json") or b"")
    assert history.failures(IMAGE_NAME.removesuffix(".upd")) == 0


def test_an_image_that_failed_too_often_is_tried_when_nothing_else_is_good(world: World) -> None:
    put(world, "RECOVERY", NEWER, build_image(build_kernel(100), extra={"etc/newer": b""}))
    put(
        world,
        "RECOVERY",
        "/log/recovery_history.json",
        b'{"ImageResults": [{"Image": "%s", "ImagingFailures": 6}]}' % IMAGE_NAME.removesuffix(".upd").encode(),
    )
    image = bytearray(data(world, "RECOVERY", NEWER) or b"")
    image[100] ^= 1
    put(world, "RECOVERY", NEWER, bytes(image))
    assert settle(world) == ("reboot", "switched root")
    assert data(world, "PRIMARY", "/etc/newer") is None


class FailsOnce:
    """A hook: the operation with this number fails, others do not."""

    def __init__(self, at: int) -> None:
        self._left = at + 1

    def __call__(self, operation: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise DeviceFault(operation, "input/output error")


def test_a_fault_at_any_operation_is_said_and_survived(world: World) -> None:
    names = operations_of(copy := deepcopy(world), copy.boot)
    for at, name in enumerate(names):
        unit = deepcopy(world)
        unit.machine.hook = FailsOnce(at)
        assert unit.boot() in (Stop.REBOOT, Stop.SWITCHED_ROOT), name
        assert f"{name}: input/output error" in said(unit), name
        unit.machine.hook = None
        assert settle(unit)[-1] == "switched root", name


def test_a_normal_boot_asks_nobody_who_the_unit_is(first: World) -> None:
    world = deepcopy(first)
    world.machine.smbios = b""
    world.factory.down, world.origin.down, world.machine.nics = True, True, ()
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == 0


def test_a_fault_at_any_operation_of_a_normal_boot_wipes_nothing(first: World) -> None:
    names = operations_of(copy := deepcopy(first), copy.boot)
    for at, name in enumerate(names):
        unit = deepcopy(first)
        writes = unit.machine.disks[0].writes
        unit.machine.hook = FailsOnce(at)
        assert unit.boot() in (Stop.REBOOT, Stop.SWITCHED_ROOT), name
        unit.machine.hook = None
        assert settle(unit)[-1] == "switched root", name
        assert unit.machine.disks[0].writes == writes, name


def test_an_ambiguous_root_is_given_up_visibly(first: World) -> None:
    world = deepcopy(first)
    world.sinks = (MemorySink(),)
    twin = world.machine.add_disk(20 * GIB, serial="twin")
    twin.partitions, twin.table = deepcopy(world.machine.disks[0].partitions), world.machine.disks[0].table
    twin.partitions[0].device = type(twin.partitions[0].device)(8, 99)
    before = world.machine.storage()
    assert world.boot() is Stop.REBOOT
    assert "more than one volume could be the root: /dev/sda1, /dev/sdc1" in said(world, Severity.ERROR)
    assert any("more than one volume" in message for message in world.machine.messages)
    assert world.machine.storage() == before


def test_of_two_roots_that_on_the_platform_s_disk_is_taken(first: World) -> None:
    world = deepcopy(first)
    world.sinks = (MemorySink(),)
    stick = world.machine.add_disk(8 * GIB, bus=Bus.USB, serial="copy")
    stick.partitions, stick.table = deepcopy(world.machine.disks[0].partitions), world.machine.disks[0].table
    stick.partitions[0].device = type(stick.partitions[0].device)(8, 99)
    assert world.boot() is Stop.SWITCHED_ROOT
    assert "root is /dev/sda1" in said(world)


def test_an_init_that_is_gone_is_given_up_visibly(first: World) -> None:
    world = deepcopy(first)
    world.sinks = (MemorySink(),)
    drop(world, "PRIMARY", "/usr/lib/systemd/systemd")
    before = world.machine.storage()
    assert world.boot() is Stop.REBOOT
    assert "cannot start the system on /dev/sda1" in said(world, Severity.ERROR)
    assert world.machine.storage() == before


def test_recovery_that_cannot_be_put_away_does_not_undo_a_restore(world: World) -> None:
    def busy(operation: str) -> None:
        if operation == "unmount /mnt/RECOVERY" and world.machine.tree("PRIMARY").get(FLAG) is not None:
            raise DeviceFault("/mnt/RECOVERY", "cannot unmount: Device or resource busy")

    world.machine.hook = busy
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    assert "/mnt/RECOVERY: cannot unmount" in said(world, Severity.WARNING)
    assert "state FR_SUCCEEDED" in said(world)
    assert "state FR_FAILED" not in said(world)
    world.machine.hook = None
    assert world.boot() is Stop.SWITCHED_ROOT


def test_a_network_that_never_comes_up_holds_nothing_up_but_the_end(world: World) -> None:
    world.stuck.add(REMOTE_LOG)
    put(world, "RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    assert said(world).index("state FR_SUCCEEDED") < said(world).index("the network is not up yet")
    world.stuck.clear()
    assert world.boot() is Stop.SWITCHED_ROOT
