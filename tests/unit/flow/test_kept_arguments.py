"""Kernel arguments that the factory gave a unit are in its boot entries, or its menus, for ever."""

from __future__ import annotations

import shlex

import pytest

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.firmware.uefi import choose_entry
from gprov.adapters.fake.machine.stop import Stop
from gprov.adapters.fake.machine.storage import FakeVolume, Node
from gprov.apps.host.simulation.world import World, new_world
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.menus import RECOVERY_TITLE
from gprov.domain.event_text import body_text
from gprov.domain.files import FileType
from gprov.domain.formats.efi.load_option import decode_arguments, parse_load_option

WORKAROUND = "pci=nomsi nomodeset"
FOREVER = f"{WORKAROUND} PROVISION_KEY_WINDOW=0"
KEPT = "/boot.args"


def provisioned(firmware: FirmwareKind) -> World:
    world = new_world(firmware=firmware)
    assert world.provision(PROVISION_BOOT_ARGS=WORKAROUND, PROVISION_KEY_WINDOW="0") is Stop.REBOOT
    assert world.boot() is Stop.REBOOT
    assert world.boot() is Stop.SWITCHED_ROOT
    return world


@pytest.fixture(params=list(FirmwareKind), ids=lambda firmware: firmware.value)
def unit(request: pytest.FixtureRequest) -> World:
    return provisioned(request.param)


@pytest.fixture
def on_uefi() -> World:
    return provisioned(FirmwareKind.UEFI)


def put(world: World, path: str, content: bytes) -> None:
    world.machine.tree("RECOVERY").put(path, Node(type=FileType.FILE, content=content))
    world.machine.flush()


def kept(world: World) -> bytes:
    node = world.machine.tree("RECOVERY").get(KEPT)
    assert node is not None
    assert node.mode == 0o600
    return node.content


def restore(world: World) -> None:
    world.machine.tree("PRIMARY").drop("/boot.normal")
    world.machine.flush()
    assert world.boot() is Stop.REBOOT


def boot_volume(world: World) -> FakeVolume:
    [volume] = [volume for disk in world.machine.disks for volume in disk.volumes() if volume.label == "BOOT"]
    return volume


def passed_on(world: World) -> str:
    """What a normal boot is told, besides what it is for: by the firmware's entry, or by the menu's."""
    if world.machine.firmware is FirmwareKind.UEFI:
        options = [
            parse_load_option(variable.data)
            for name, variable in world.machine.nvram.items()
            if name.name.startswith("Boot0")
        ]
        [line] = [decode_arguments(option.data) for option in options if option.description == "Normal Boot"]
    else:
        node = boot_volume(world).current.get("/gprov/normal.cfg")
        assert node is not None
        [line, *_] = [line for line in node.content.decode().splitlines() if "real_root=" in line]
    words = shlex.split(line)
    return " ".join(words[[word.startswith("real_root=") for word in words].index(True) + 1 :])


def test_the_second_restore_knows_what_the_first_was_given(unit: World) -> None:
    assert passed_on(unit) == FOREVER
    assert unit.machine.tree("RECOVERY").get("/fr.data") is None
    for _ in range(2):
        restore(unit)
        assert passed_on(unit) == FOREVER
        assert kept(unit) == f"{FOREVER}\n".encode()


def test_a_restore_that_was_told_nothing_knows_them_all(on_uefi: World) -> None:
    """The firmware has lost its variables, and starts the fallback loader, without arguments."""
    on_uefi.machine.nvram.clear()
    restore(on_uefi)
    assert passed_on(on_uefi) == FOREVER


def test_a_new_value_counts_from_then_on(unit: World) -> None:
    put(unit, "/fr.data", b'{"BootArgs": "pci=noaer PROVISION_ROOT_WAIT=60"}')
    for _ in range(2):
        restore(unit)
        assert passed_on(unit) == "pci=noaer nomodeset PROVISION_KEY_WINDOW=0 PROVISION_ROOT_WAIT=60"


def test_a_person_takes_an_argument_away(unit: World) -> None:
    put(unit, KEPT, b"pci=nomsi\n\n")
    restore(unit)
    assert passed_on(unit) == "pci=nomsi PROVISION_KEY_WINDOW=0"
    assert kept(unit) == b"pci=nomsi PROVISION_KEY_WINDOW=0\n"


@pytest.mark.parametrize("damage", [b"\0" * 4096, b"x" * 5000, b"a=" + b"x" * 4000, b"a\xff"])
def test_damage_does_not_stop_a_restore(unit: World, damage: bytes) -> None:
    sink = MemorySink()
    unit.sinks = (sink,)
    put(unit, KEPT, damage)
    restore(unit)
    assert any("kept boot arguments not used" in body_text(event.body) for event in sink.events)
    assert passed_on(unit) == "PROVISION_KEY_WINDOW=0"
    assert kept(unit) == b"PROVISION_KEY_WINDOW=0\n"
    assert unit.boot() is Stop.SWITCHED_ROOT


def test_arguments_that_no_entry_can_hold_do_not_cost_the_kept_ones(unit: World) -> None:
    put(unit, "/fr.data", b'{"BootArgs": "a=' + b"x" * 5000 + b'"}')
    restore(unit)
    assert passed_on(unit) == FOREVER


def test_kept_arguments_that_no_entry_can_hold_do_not_cost_the_given_ones(unit: World) -> None:
    """Nobody else knows them: ``fr.data`` goes with this restore."""
    put(unit, KEPT, b"a=" + b"x" * 4000)
    put(unit, "/fr.data", b'{"BootArgs": "pci=noaer"}')
    restore(unit)
    assert passed_on(unit) == "pci=noaer PROVISION_KEY_WINDOW=0"
    assert kept(unit) == b"pci=noaer PROVISION_KEY_WINDOW=0\n"


def test_quotes_hide_nothing_that_a_start_is_for(unit: World) -> None:
    """GRUB's menus pass words on without them."""
    put(unit, KEPT, b'DATA"_ERASE"=1 pci=nomsi')
    restore(unit)
    assert passed_on(unit) == "pci=nomsi PROVISION_KEY_WINDOW=0"
    assert unit.boot() is Stop.SWITCHED_ROOT


@pytest.mark.parametrize("value", ["0", "1"])
@pytest.mark.parametrize("path", [KEPT, "/fr.data"])
def test_no_word_makes_a_unit_restore_itself_for_ever(unit: World, path: str, value: str) -> None:
    """Somebody copied what the kernel had been told by a loader that starts recovery by itself."""
    word = f"PROVISION_LOADER_FALLBACK={value}"
    put(unit, path, word.encode() if path == KEPT else f'{{"BootArgs": "{word}"}}'.encode())
    restore(unit)
    assert unit.boot() is Stop.SWITCHED_ROOT
    if unit.machine.firmware is FirmwareKind.BIOS:
        unit.machine.restart()
        choose_entry(unit.machine, RECOVERY_TITLE, "")
        assert unit.boot() is Stop.SWITCHED_ROOT
