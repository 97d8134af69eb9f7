"""A person at the unit: key press, menu, each of its choices, and silence."""

from __future__ import annotations

from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import Node
from gprov.apps.host.simulation.cuts import settle
from gprov.apps.host.simulation.world import IMAGE_NAME, World, new_world
from gprov.domain.boot.menu import ITEMS, Item
from gprov.domain.events import LogLine, Severity
from gprov.domain.files import FileType

OLDEST = "WIDGET.LNX.SHINY.2025-02-01.10.upd"
NEWEST = "WIDGET.LNX.SHINY.2026-02-01.10.upd"


@pytest.fixture(scope="module")
def unit() -> World:
    """A running unit with an older and a newer image than the one that it runs."""
    world = new_world()
    assert world.provision() is Stop.REBOOT
    assert settle(world) == ("reboot", "switched root")
    for name in (OLDEST, NEWEST):
        node = Node(type=FileType.FILE, content=build_image(build_kernel(100), extra={f"etc/{name}": b""}))
        world.machine.tree("RECOVERY").put(f"/Image/{name}", node)
    world.machine.flush()
    world.machine.restart()
    return world


@pytest.fixture
def world(unit: World) -> World:
    copy = deepcopy(unit)
    copy.machine.operator_present = True
    copy.sinks = (MemorySink(),)
    return copy


def key(item: Item) -> str:
    return str(ITEMS.index(item))


def runs(world: World) -> str:
    tags = [path for path in world.machine.tree("PRIMARY").paths() if path.endswith(".disktag")]
    assert len(tags) == 1
    return tags[0].removeprefix("/").removesuffix(".disktag") + ".upd"


def errors(world: World) -> list[str]:
    sink = world.sinks[0]
    assert isinstance(sink, MemorySink)
    bodies = [event.body for event in sink.events]
    return [body.text for body in bodies if isinstance(body, LogLine) and body.severity is Severity.ERROR]


def test_without_a_key_the_unit_boots_when_the_window_closes(world: World) -> None:
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == pytest.approx(10, abs=0.3)
    assert world.machine.messages == ["Press any key for the boot menu (10 s)"]


def test_where_nobody_can_press_a_key_nothing_is_waited_for(unit: World) -> None:
    world = deepcopy(unit)
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == 0
    assert world.machine.messages == []


def test_a_window_of_no_time_is_not_waited_for(world: World) -> None:
    assert world.boot({"real_root": "LABEL=PRIMARY", "PROVISION_KEY_WINDOW": "0"}) is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == 0


@pytest.mark.parametrize(
    "keys",
    [
        ["any", key(Item.RESUME), "yes"],
        ["any", "2"],
        ["any", "6"],
        ["any", key(Item.RESTORE_LATEST), "no", "2"],
        ["any", key(Item.ERASE), "no", key(Item.POWER_OFF), "no", key(Item.RESUME), "yes"],
        ["any", key(Item.ERASE), "yes", "no", "2"],
    ],
)
def test_who_resumes_gets_the_system(world: World, keys: list[str]) -> None:
    world.machine.keys = keys
    before = world.machine.storage()
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.keys == []
    assert world.machine.storage() == before


def test_silence_in_the_menu_twice_resumes(world: World) -> None:
    world.machine.keys = ["any"]
    before = world.machine.storage()
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.clock.monotonic() == pytest.approx(600, abs=11)
    assert world.machine.storage() == before


def test_a_choice_that_nobody_confirms_is_none(world: World) -> None:
    world.machine.keys = ["any", key(Item.RESTORE_LATEST)]
    before = world.machine.storage()
    assert world.boot() is Stop.SWITCHED_ROOT
    assert world.machine.storage() == before


def test_power_off(world: World) -> None:
    world.machine.keys = ["any", key(Item.POWER_OFF), "yes"]
    before = world.machine.storage()
    assert world.boot() is Stop.POWER_OFF
    assert world.machine.storage() == before
    world.machine.operator_present = False
    assert world.boot() is Stop.SWITCHED_ROOT


@pytest.mark.parametrize(
    ("keys", "image"),
    [
        (["any", key(Item.RESTORE_LATEST), "yes"], NEWEST),
        (["any", key(Item.RESTORE_OLDEST), "yes"], OLDEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "0"], NEWEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "1"], IMAGE_NAME),
        (["any", key(Item.RESTORE_CHOSEN), "yes", "2"], OLDEST),
        (["any", key(Item.RESTORE_CHOSEN), "yes"], NEWEST),
    ],
)
def test_restores_by_menu(world: World, keys: list[str], image: str) -> None:
    world.machine.keys = keys
    assert world.boot() is Stop.REBOOT
    world.machine.operator_present = False
    assert world.boot() is Stop.SWITCHED_ROOT
    assert runs(world) == image


def test_a_chosen_image_that_is_damaged_gives_way_to_the_newest(world: World) -> None:
    node = world.machine.tree("RECOVERY").get(f"/Image/{OLDEST}")
    assert node is not None
    world.machine.tree("RECOVERY").put(f"/Image/{OLDEST}", Node(type=FileType.FILE, content=node.content[:-4]))
    world.machine.keys = ["any", key(Item.RESTORE_CHOSEN), "yes", "2"]
    assert world.boot() is Stop.REBOOT
    assert runs(world) == NEWEST
    assert any(OLDEST in text for text in errors(world))


@pytest.mark.parametrize(("word", "image"), [("oldest", OLDEST), ("-Oldest", OLDEST), ("menu", NEWEST), ("", NEWEST)])
def test_the_boot_entry_s_wish_without_anybody_there(unit: World, word: str, image: str) -> None:
    world = deepcopy(unit)
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()
    before = world.machine.clock.slept
    assert world.boot({"real_root": "LABEL=PRIMARY", "PREFERRED_UPDATE": word}) is Stop.REBOOT
    assert runs(world) == image
    assert world.machine.clock.slept < before + 10, "only what lets devices settle"


def refused_visibly(world: World, what: str) -> None:
    assert any(f"{what} is not supported by this version; nothing was done" in text for text in errors(world))
    assert any(what in message for message in world.machine.messages)
    assert world.machine.clock.slept >= 300


def test_erase_by_menu_is_refused_visibly(world: World) -> None:
    world.machine.keys = ["any", key(Item.ERASE), "yes", "yes"]
    before = world.machine.storage()
    assert world.boot() is Stop.REBOOT
    refused_visibly(world, "Erase")
    assert world.machine.storage() == before


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"DATA_ERASE": "1"}, "Erase"),
        ({"DATA_ERASE": "UNRECOVERABLE_ERROR"}, "ShowEraseFailure"),
        ({"real_root": "LABEL=PRIMARY", "frmode": "shell"}, "OpenShell"),
    ],
)
def test_what_this_version_cannot_do_is_refused_visibly(world: World, arguments: dict[str, str], what: str) -> None:
    before = world.machine.storage()
    assert world.boot(arguments) is Stop.REBOOT
    refused_visibly(world, what)
    assert world.machine.storage() == before
    world.machine.operator_present = False
    assert world.boot() is Stop.SWITCHED_ROOT


def test_a_menu_while_the_root_is_missing_does_not_lead_to_a_restore(world: World) -> None:
    world.machine.disks[0].appears_at = 1e9
    world.machine.keys = ["any", key(Item.RESUME), "yes"]
    assert world.boot({"real_root": "LABEL=PRIMARY"}) is Stop.REBOOT
    assert any("the root does not appear" in text for text in errors(world))
    assert runs(world) == IMAGE_NAME
