"""Provisioning as process 1 runs it: with the unit's own container, and with a failure that is shown."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.host.simulation.new_worlds import new_world
from gprov.apps.host.simulation.world import World, plug_in
from gprov.apps.init.container import InitContainer
from gprov.apps.mfg.main import HOLD_SECONDS, container_for, provision
from gprov.apps.unit.composition.wiring import set_value
from gprov.domain.boot.args import BootArguments, parse_boot_arguments
from gprov.domain.branding import Branding
from gprov.domain.disk.model import Bus
from gprov.domain.display.render import next_change, render
from gprov.domain.display.screen import Geometry
from gprov.domain.display.text import wrap
from gprov.domain.display.views import MessageView
from gprov.domain.platform.inventory import Cpus


def unit_of(world: World, **arguments: str) -> tuple[BootArguments, InitContainer]:
    container = InitContainer()
    plug_in(container, world)
    parsed = parse_boot_arguments({"mfgurl": MANUF_URL, **arguments}, world.branding)
    set_value(container.arguments, parsed)
    return parsed, container


def test_a_success_reboots_at_once() -> None:
    world = new_world()
    with pytest.raises(MachineStopped) as stopped:
        provision(*unit_of(world))
    assert stopped.value.reason is StopReason.REBOOT
    assert len(world.factory.documents) == 1
    assert world.machine.clock.slept < 60


@pytest.mark.parametrize(
    ("arguments", "held"),
    [({}, HOLD_SECONDS), ({"PROVISION_FAILURE_HOLD": "7"}, 7.0), ({"PROVISION_FAILURE_HOLD": "300"}, 300.0)],
)
def test_a_failure_is_shown_for_long_and_said_once(arguments: dict[str, str], held: float) -> None:
    world, sink = new_world(), MemorySink()
    del world.machine.disks[1]
    parsed, unit = unit_of(world, **arguments)
    unit.bus().attach(sink)
    with pytest.raises(MachineStopped) as stopped:
        provision(parsed, unit)
    assert stopped.value.reason is StopReason.REBOOT
    assert world.machine.clock.slept >= held
    assert world.machine.clock.slept < held + 120
    assert any("is not as specified" in message for message in world.machine.messages)
    assert world.attention.alarms >= max(1, held // 60)
    said = [repr(event.body) for event in sink.events if "is not as specified" in repr(event.body)]
    assert len(said) == 1
    assert sink.closed


def test_every_difference_is_shown_until_the_restart_and_scrolls_on_a_display() -> None:
    """The text that stays: on a display of four rows of 20 characters, which shows each line of it in turn."""
    world = new_world()
    stick = world.machine.add_disk(8 << 30, bus=Bus.USB, serial="stick")
    world.machine.inventory = replace(world.machine.inventory, cpus=Cpus(("Slow",), 1, 1))
    document = json.loads(world.origin.content[MANUF_URL])
    document["ValidationData"][0]["CPUInfo"] = {"Model": "Fast"}
    world.origin.content[MANUF_URL] = json.dumps(document).encode()
    with pytest.raises(MachineStopped):
        provision(*unit_of(world))
    shown = world.machine.messages[-1]
    assert "CPUInfo.Model\n  required: 'Fast'\n  detected: 'Slow'" in shown
    assert "MainDiskConfigs[0]\n  required: 1 x 21474836480 bytes ± 1 % (any model)\n  detected: " in shown
    assert f"1 x {stick.size} bytes" in shown
    view, geometry = MessageView(shown), Geometry(20, 4)
    seen: set[str] = set()
    seconds = 0.0
    for _ in range(200):
        seen.update(line.rstrip() for line in render(view, geometry, seconds).lines)
        seconds = next_change(view, geometry, seconds)
    assert set(wrap(shown, 20)) <= seen


def test_what_an_adopter_puts_into_the_unit_s_container_counts_for_provisioning_too() -> None:
    world = new_world()
    _, unit = unit_of(world)
    brand = Branding(image_prefix="ACME.LNX.BOX.")
    set_value(unit.branding, brand)
    container = container_for(unit)
    assert container.branding() is brand
    assert container.clock() is world.machine.clock
    assert container.bus() is unit.bus()
    assert container.volume_ports().files is unit.files()
    sink = MemorySink()
    set_value(unit.file_sink_at, lambda _folder: sink)
    assert container_for(unit).file_sink_at()("/nowhere") is sink


def test_the_log_file_of_provisioning_is_named_for_it() -> None:
    unit = InitContainer()
    assert "/provision" in container_for(unit).file_sink_at()("/nowhere").name
    assert "/recov" in unit.file_sink_at()("/nowhere").name
