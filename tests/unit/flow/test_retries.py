"""Starts and restores that come to nothing: counted on RECOVERY, tried again ever more rarely, shown; reset by a person
or by a system that runs."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.apps.host.simulation.cuts import cut_at, operations_of, settle
from gprov.apps.host.simulation.world import IMAGE_NAME, World, new_world
from gprov.domain.boot.budget import DAY, StartBudget, parse_budget, serialise_budget
from gprov.domain.event_text import body_text
from gprov.domain.events import ProcessState
from gprov.domain.files import FileType
from gprov.domain.image.history import ImageResult, parse_history

NORMAL = {"real_root": "LABEL=PRIMARY"}
STARTED = "/etc/provisioning/boots_started"
CONFIRMED = "/etc/provisioning/boots_confirmed"
SERVICE = "/etc/systemd/system/multi-user.target.wants/gprov-boot-good.service"
BUDGET = "/log/start_budget.json"
HISTORY = "/log/recovery_history.json"
FLAG = "/boot.normal"
STEM = IMAGE_NAME.removesuffix(".upd")
NEWER = "WIDGET.LNX.SHINY.2026-02-01.10"


def put(world: World, label: str, path: str, data: bytes) -> None:
    world.machine.tree(label).put(path, Node(type=FileType.FILE, content=data))
    world.machine.flush()


def drop(world: World, label: str, path: str) -> None:
    world.machine.tree(label).drop(path)
    world.machine.flush()


def data(world: World, label: str, path: str) -> bytes:
    node = world.machine.tree(label).get(path)
    return node.content if node is not None else b""


def budget(world: World) -> StartBudget:
    return parse_budget("budget", data(world, "RECOVERY", BUDGET))


def result(world: World, image: str = STEM) -> ImageResult:
    return parse_history(data(world, "RECOVERY", HISTORY)).result(image)


def said(world: World) -> str:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    return "\n".join(body_text(event.body) for event in sink.events)


def slept(world: World, environment: dict[str, str] | None = None) -> float:
    """One start that ends in a reboot; the seconds that it stood still."""
    before = world.machine.clock.slept
    assert world.boot(environment) is Stop.REBOOT
    return world.machine.clock.slept - before


def spoil_image(world: World) -> None:
    put(world, "RECOVERY", f"/Image/{IMAGE_NAME}", b"spoilt")


def recovery(world: World) -> FakeVolume:
    return next(volume for volume in world.machine.disks[1].volumes() if volume.label == "RECOVERY")


@pytest.fixture(scope="module")
def running() -> World:
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    return world


@pytest.fixture
def world(running: World) -> World:
    copy = deepcopy(running)
    copy.sinks = (MemorySink(),)
    return copy


# --- starts of the system ---------------------------------------------------------------------------------------------


def test_every_start_is_counted_on_the_root(world: World) -> None:
    assert data(world, "PRIMARY", STARTED) == b"1\n"
    for number in (2, 3):
        assert world.boot() is Stop.SWITCHED_ROOT
        world.machine.restart()
        assert data(world, "PRIMARY", STARTED) == b"%d\n" % number


def test_a_cut_anywhere_in_a_normal_start_leaves_the_root_as_it_was(world: World) -> None:
    before = world.machine.storage()
    names = operations_of(copy := deepcopy(world), copy.boot)
    assert any(name.startswith("remount") for name in names)
    for torn in (False, True):
        for at, name in enumerate(names):
            unit = deepcopy(world)
            unit.machine.torn_cuts = torn
            cut_at(unit, unit.boot, at)
            assert unit.machine.storage() == before, name
            assert settle(unit) == ("switched root",), name
            assert data(unit, "PRIMARY", STARTED) in (b"2\n", b"3\n"), name


def test_a_root_that_cannot_be_written_is_started_all_the_same(world: World) -> None:
    world.machine.disks[0].write_protected = True
    assert world.boot() is Stop.SWITCHED_ROOT
    assert "this start is not counted: /dev/sda1: is write-protected" in said(world) or "is not counted" in said(world)
    assert data(world, "PRIMARY", STARTED) == b"1\n"


@pytest.mark.parametrize("content", [b"", b"many", b"\xff" * 100])
def test_damaged_counts_begin_anew(world: World, content: bytes) -> None:
    put(world, "PRIMARY", STARTED, content)
    assert world.boot() is Stop.SWITCHED_ROOT
    assert "starts are counted from zero" in said(world)
    assert data(world, "PRIMARY", STARTED) == b"1\n"


@pytest.mark.parametrize(
    ("reports", "confirmed", "told"), [(True, b"", True), (True, b"4 1", False), (False, b"", False)]
)
def test_starts_that_nobody_confirms_are_shown_and_wipe_nothing(
    world: World, reports: bool, confirmed: bytes, told: bool
) -> None:
    put(world, "PRIMARY", STARTED, b"5\n")
    if reports:
        put(world, "PRIMARY", SERVICE, b"")
    if confirmed:
        put(world, "PRIMARY", CONFIRMED, confirmed)
    before = world.machine.storage()
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.storage() == before
    text = "the system was started 5 times in a row without reporting that it is up"
    assert (text in world.machine.messages) is told


def test_what_the_old_system_tells_goes_into_the_history_once(world: World) -> None:
    put(world, "PRIMARY", SERVICE, b"")
    put(world, "PRIMARY", STARTED, b"9\n")
    put(world, "PRIMARY", CONFIRMED, b"7 5\n")
    drop(world, "PRIMARY", FLAG)
    good = data(world, "RECOVERY", f"/Image/{IMAGE_NAME}")
    spoil_image(world)
    for _ in range(2):  # the second restore sees the same counts again
        slept(world)
        assert (result(world).boot_attempts, result(world).boot_failures) == (9, 2)
    put(world, "RECOVERY", f"/Image/{IMAGE_NAME}", good)
    assert settle(world)[-1] == "switched root"
    assert (result(world).boot_attempts, result(world).boot_failures) == (9, 2)
    assert "2 starts in a row without a good one" in result(world).notes


def test_a_system_that_does_not_report_anything_is_not_held_against_its_image(world: World) -> None:
    put(world, "PRIMARY", STARTED, b"9\n")
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    assert (result(world).boot_attempts, result(world).boot_failures) == (9, 0)


def test_an_image_whose_system_never_comes_up_is_tried_after_the_others(world: World) -> None:
    image = build_image(build_kernel(100), extra={"etc/newer": b"", SERVICE.lstrip("/"): b""})
    put(world, "RECOVERY", f"/Image/{NEWER}.upd", image)
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    for _ in range(6):
        assert world.boot() is Stop.SWITCHED_ROOT
    world.machine.restart()
    assert data(world, "PRIMARY", STARTED) == b"7\n"
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    assert result(world, NEWER).boot_failures == 7
    assert world.machine.tree("PRIMARY").get(f"/{STEM}.disktag") is not None


# --- starts that are given up -----------------------------------------------------------------------------------------


@pytest.fixture
def lost(world: World) -> World:
    """A unit whose data disk is gone."""
    world.machine.disks[0].appears_at = 1e9
    return world


def test_pauses_grow_to_a_day_and_a_root_that_comes_back_is_started(lost: World) -> None:
    pauses = []
    for count in range(1, 11):
        before = lost.machine.clock.now_ns()
        assert lost.boot() is Stop.REBOOT
        pauses.append((lost.machine.clock.now_ns() - before) / 1e9)
        assert budget(lost).given_up == count
    assert pauses == pytest.approx([600, 1200, 2400, 4800, 9600, 19200, 38400, 76800, DAY, DAY], abs=200)
    assert "the root does not appear" in budget(lost).reason
    assert "the root does not appear" in lost.machine.messages[-1]
    lost.machine.disks[0].appears_at = 0
    assert lost.boot() is Stop.SWITCHED_ROOT


def test_the_server_hears_of_it_if_one_is_known(lost: World) -> None:
    put(lost, "RECOVERY", "/fr.data", b'{"XLog": "http://factory.invalid/"}')
    lost.factory.states.clear()
    slept(lost)
    assert lost.factory.states == [ProcessState.INIT_FAILED]


def test_without_recovery_pauses_are_long_and_always_the_same(lost: World) -> None:
    lost.machine.disks[1].appears_at = 1e9
    for _ in range(2):
        assert slept(lost, NORMAL) == pytest.approx(1800 + 120, abs=120)
    assert "RECOVERY could not be used to record this boot" in said(lost)


def test_a_read_only_recovery_counts_nothing(lost: World) -> None:
    lost.machine.disks[1].write_protected = True
    for _ in range(2):
        assert slept(lost, NORMAL) == pytest.approx(1800 + 120, abs=120)
    assert "retries cannot be counted" in said(lost)


@pytest.mark.parametrize("content", [b"", b"{", b'{"Version":1,"GivenUp":-3}', b"\0" * 4096])
def test_a_damaged_count_is_none(lost: World, content: bytes) -> None:
    put(lost, "RECOVERY", BUDGET, content)
    assert slept(lost) == pytest.approx(600 + 120, abs=120)
    assert "counting retries from zero" in said(lost)
    assert budget(lost).given_up == 1


def test_a_person_may_cut_the_wait_short_and_counts_anew(lost: World) -> None:
    put(
        lost,
        "RECOVERY",
        BUDGET,
        serialise_budget(StartBudget(given_up=8, restores=2, last_ns=lost.machine.clock.now_ns())),
    )
    lost.machine.operator_present, lost.machine.operator_at = True, 150.0
    lost.machine.keys = ["any", "no", "any", "yes"]
    assert slept(lost, {**NORMAL, "PROVISION_KEY_WINDOW": "0"}) < 700
    assert budget(lost) == StartBudget()


def test_noise_on_a_line_ends_no_wait(lost: World) -> None:
    lost.machine.operator_present, lost.machine.operator_at = True, 150.0
    lost.machine.keys = ["any", "no"] * 30
    assert slept(lost, {**NORMAL, "PROVISION_KEY_WINDOW": "0"}) >= 600
    assert len(lost.machine.keys) == 20


def test_an_error_that_nobody_foresaw_is_counted_too(world: World) -> None:
    def hook(operation: str) -> None:
        if operation.startswith("switch root"):
            raise ZeroDivisionError

    world.machine.hook = hook
    assert slept(world) >= 600
    assert budget(world).given_up == 1
    assert "unexpected error: ZeroDivisionError" in said(world)


def test_a_give_up_that_is_cut_anywhere_still_counts_the_next(lost: World) -> None:
    names = operations_of(copy := deepcopy(lost), copy.boot)
    for at in range(len(names)):
        unit = deepcopy(lost)
        cut_at(unit, unit.boot, at)
        slept(unit)
        assert budget(unit).given_up in (1, 2)


# --- restores in a row ------------------------------------------------------------------------------------------------


@pytest.fixture
def failing(world: World) -> World:
    """A unit without a system, whose only image is bad."""
    drop(world, "PRIMARY", FLAG)
    spoil_image(world)
    return world


def test_restores_in_a_row_become_rare_but_never_end(failing: World) -> None:
    pauses = [slept(failing) for _ in range(14)]
    assert pauses[:3] == pytest.approx([300] * 3, abs=60)
    assert pauses[3:6] == pytest.approx([600, 900, 1500], abs=60)
    assert pauses[-1] == pytest.approx(DAY + 300, abs=60)
    assert budget(failing).restores == 14
    assert "no good image" in budget(failing).reason
    assert any("The next factory restore begins in 24 h" in text for text in failing.machine.messages)


def test_a_unit_whose_image_is_good_again_comes_back_by_itself(failing: World) -> None:
    good = build_image(build_kernel(100))
    for _ in range(5):
        slept(failing)
    put(failing, "RECOVERY", f"/Image/{IMAGE_NAME}", good)
    assert settle(failing) == ("reboot", "switched root")
    # That the system runs, only it can tell: until then the count stands.
    assert budget(failing).restores == 6
    failing.machine.restart()
    drop(failing, "PRIMARY", FLAG)
    drop(failing, "RECOVERY", BUDGET)  # gprov-boot-good --recovery
    assert slept(failing) < 60
    assert budget(failing).restores == 1


def test_a_system_that_ran_in_between_begins_the_count_anew(world: World) -> None:
    for _ in range(6):
        drop(world, "PRIMARY", FLAG)
        assert slept(world) < 60
        assert budget(world).restores == 1
        assert world.boot() is Stop.SWITCHED_ROOT
        world.machine.restart()


def test_a_disk_that_loses_what_was_restored_is_not_written_again_and_again(world: World) -> None:
    """Every restore succeeds, and none is worth anything."""
    waits = []
    for _ in range(6):
        drop(world, "PRIMARY", FLAG)
        waits.append(slept(world))
    assert waits[:3] == pytest.approx([0] * 3, abs=60)
    assert waits[3:] == pytest.approx([300, 600, 1200], abs=60)


def test_a_restore_that_is_cut_short_counts(world: World) -> None:
    drop(world, "PRIMARY", FLAG)
    names = operations_of(copy := deepcopy(world), copy.boot)
    at = next(index for index, name in enumerate(names) if name.startswith(("unpack", "extract")))
    for _ in range(3):
        cut_at(world, world.boot, at)
    assert budget(world).restores == 3
    before = world.machine.clock.slept
    assert settle(world)[-1] == "switched root"
    assert world.machine.clock.slept - before >= 300


def test_what_a_person_asks_for_does_not_wait(failing: World) -> None:
    put(
        failing,
        "RECOVERY",
        BUDGET,
        serialise_budget(StartBudget(given_up=0, restores=9, last_ns=failing.machine.clock.now_ns())),
    )
    failing.machine.operator_present = True
    failing.machine.keys = ["any", "3", "yes"]
    failing.sinks = (MemorySink(),)
    slept(failing)
    assert "requested by a person" in said(failing)
    assert "The next factory restore begins" not in said(failing)
    assert budget(failing).restores == 1


def test_a_recovery_that_cannot_count_makes_every_restore_wait_a_little(world: World) -> None:
    drop(world, "PRIMARY", FLAG)
    world.machine.disks[1].write_protected = True
    assert slept(world) == pytest.approx(300, abs=60)
    assert world.boot() is Stop.SWITCHED_ROOT


# --- room on RECOVERY -------------------------------------------------------------------------------------------------


def old_images(world: World, *days: int) -> list[str]:
    names = [f"WIDGET.LNX.SHINY.2025-01-{day:02}.1.upd" for day in days]
    noise = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(250))
    for name in names:
        put(world, "RECOVERY", f"/Image/{name}", build_image(build_kernel(100), extra={"etc/noise": noise}))
    return names


def images(world: World) -> list[str]:
    return list(world.machine.tree("RECOVERY").children("/Image"))


def test_old_images_leave_after_a_restore(world: World) -> None:
    names = old_images(world, 1, 2, 3, 4)
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    assert images(world) == [names[0], names[2], names[3], IMAGE_NAME]
    assert "older than the 3 newest good ones" in said(world)


def test_a_recovery_without_room_for_an_update_makes_some(world: World) -> None:
    names = old_images(world, 1, 2, 3)
    volume = recovery(world)
    volume.size = volume.current.size() + 4096
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    assert names[0] in images(world)
    assert IMAGE_NAME in images(world)
    assert names[1] not in images(world)
    largest = max(len(data(world, "RECOVERY", f"/Image/{name}")) for name in images(world))
    assert volume.size - volume.current.size() > largest


def test_a_cut_while_old_images_leave_does_no_harm(world: World) -> None:
    old_images(world, 1, 2, 3, 4, 5)
    drop(world, "PRIMARY", FLAG)
    names = operations_of(copy := deepcopy(world), copy.boot)
    cuts = [at for at, name in enumerate(names) if "/Image/" in name and name.startswith("remove")]
    assert len({names[at].partition(":")[0] for at in cuts}) == 2
    for at in cuts:
        unit = deepcopy(world)
        cut_at(unit, unit.boot, at)
        assert settle(unit)[-1] == "switched root"
        assert IMAGE_NAME in images(unit)


def test_old_logs_make_room_on_a_recovery_that_is_full_of_them(world: World) -> None:
    for day in range(1, 29):
        put(world, "RECOVERY", f"/log/recov202501{day:02}_0000.log", bytes(4096))
    put(world, "RECOVERY", "/log/mfg20240101_0000.log", b"from the factory")
    put(world, "RECOVERY", "/log/notes.txt", b"of a person")
    volume = recovery(world)
    volume.size = volume.current.size()
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    left = world.machine.tree("RECOVERY").children("/log")
    assert len([name for name in left if name.startswith("recov2025")]) == 20
    assert {"mfg20240101_0000.log", "notes.txt", "recovery_history.json"} <= set(left)
    assert result(world).imaging_attempts == 2


# --- the history file -------------------------------------------------------------------------------------------------


def test_a_torn_history_is_replaced_by_the_one_before(world: World) -> None:
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    world.machine.restart()
    assert json.loads(data(world, "RECOVERY", f"{HISTORY}.previous"))["ImageResults"][0]["ImagingAttempts"] == 1
    put(world, "RECOVERY", HISTORY, data(world, "RECOVERY", HISTORY)[:40])
    drop(world, "PRIMARY", FLAG)
    assert settle(world) == ("reboot", "switched root")
    assert "going on with the history before" in said(world)
    assert result(world).imaging_attempts == 2
    assert data(world, "RECOVERY", f"{HISTORY}.damaged") != b""


def test_no_cut_loses_the_history(world: World) -> None:
    drop(world, "PRIMARY", FLAG)
    names = operations_of(copy := deepcopy(world), copy.boot)
    for at, name in enumerate(names):
        if HISTORY in name:
            unit = deepcopy(world)
            cut_at(unit, unit.boot, at)
            assert settle(unit)[-1] == "switched root"
            assert result(unit).imaging_attempts >= 2
