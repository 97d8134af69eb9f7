"""Each text that a simulated unit shows has an entry: a second look at the runbook, beside the one at the source."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gprov.adapters.fake.machine.faults import FaultKind
from gprov.adapters.fake.net.origin import ServerFault
from gprov.apps.host.simulation.replay import Replay
from gprov.apps.host.simulation.script import DISK_NAMES, Image, parse_script
from gprov.domain.errors import GprovError
from gprov.domain.formats.json.value import Json
from tests.unit.flow import units
from tests.unit.flow.driver import FailsAt, UnitDriver
from tests.unit.runbook.shown_by_units import Looked, unknown_parts

RUNNING = "provision\nstart\nstart\n"
UNIT = "unit firmware={} disks={} seed=1\n"
KEYS = ("resume", "latest", "original", "choose", "nothing")

SCRIPTS = {
    **{
        f"server {fault.value}, {file}": f"server {fault.value} file={file}\nprovision\n"
        for fault in ServerFault
        for file in ("image", "data")
    },
    "server down": "server down\nprovision\n",
    **{
        f"image {image.value}": f"{RUNNING}drop {image.value} day=20\nchoose restore\nstart\nstart\n" for image in Image
    },
    **{f"keys {keys}": f"{RUNNING}drop good day=9\nkeys {keys}\nstart\nstart\n" for keys in KEYS},
    "erase": f"{RUNNING}choose erase\nkeys erase\nstart\nstart\nstart\n",
    **{f"without {disk}": f"{RUNNING}pull {disk}\nstart\nstart\n" for disk in DISK_NAMES if disk != "primary1"},
    **{
        f"flag, {kind.value}": f"{RUNNING}remove flag\nfault {kind.value} after=9 times=3\nstart\nstart\n"
        for kind in FaultKind
        if kind not in (FaultKind.REFUSED, FaultKind.VANISH, FaultKind.SLOW)
    },
    "vanish": f"{RUNNING}remove flag\nfault vanish disk=primary0 back=next after=20\nstart\nstart\n",
}


def looked(script: str, *, firmware: str = "uefi", disks: str = "sata") -> Looked:
    """What a unit shows while a script is replayed."""
    replay = Replay(parse_script("script", UNIT.format(firmware, disks) + script))
    sink = Looked()
    replay.world.sinks = (*replay.world.sinks, sink)
    for step in replay.script.steps:
        replay.step(step)
    look_at_displays(replay.world.machine.messages, sink)
    return sink


def look_at_displays(messages: list[str], sink: Looked) -> None:
    for text in messages:
        sink.look(text)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_scripts(script: str) -> None:
    sink = looked(script)
    assert sink.seen
    assert sorted(sink.unknown) == []


@pytest.mark.parametrize("disks", ["raid1", "raid5"])
def test_arrays(disks: str) -> None:
    sink = looked(
        f"{RUNNING}pull primary1\nstart\nplug primary1\nstart\npull primary0\npull primary1\nstart\n", disks=disks
    )
    assert sorted(sink.unknown) == []


def test_bios() -> None:
    sink = looked(f"{RUNNING}choose restore\nstart\nstart\nremove menus\nstart\n", firmware="bios")
    assert sorted(sink.unknown) == []


def change_manuf(**values: Json) -> Callable[[UnitDriver], None]:
    return lambda unit: unit.change_manuf(**values)


def no_json(unit: UnitDriver) -> None:
    for url in list(unit.origin.content):
        if url.endswith(".json"):
            unit.origin.content[url] = b"{"


BAD_FACTORIES: dict[str, Callable[[UnitDriver], None]] = {
    "no JSON": no_json,
    "no files": change_manuf(Files=[]),
    "files of another type": change_manuf(Files="x"),
    "unknown key": change_manuf(Qwertz=1),
    "no validation": change_manuf(ValidationData=[]),
    "steps": change_manuf(CustomPlatCfgSteps={"QEMU-mfg_test": [{"When": "BeforeQA", "Commands": ["{{.nothing}}"]}]}),
    "burn-in": change_manuf(BurnIn=[{"DevCodeName": "other"}]),
    "server that is silent": lambda unit: setattr(unit.factory, "down", True),
}


@pytest.mark.parametrize("change", BAD_FACTORIES.values(), ids=BAD_FACTORIES.keys())
def test_bad_factories(change: Callable[[UnitDriver], None]) -> None:
    unit, sink = units.blank(), Looked()
    unit.world.sinks = (*unit.world.sinks, sink)
    change(unit)
    try:
        unit.provision()
    except GprovError as error:
        sink.look(str(error))
        for line in error.details():
            sink.look(line)
    look_at_displays(unit.machine.messages, sink)
    assert sink.seen
    assert sorted(sink.unknown) == []


@pytest.mark.parametrize("start", ["provision", "restore"])
def test_each_failing_operation(start: str) -> None:
    """An input or output error at each operation of a flow, three at a time, so that some retries fail as well."""
    first = units.blank() if start == "provision" else units.provisioned()
    run = UnitDriver.provision if start == "provision" else UnitDriver.boot
    sink = Looked()
    for at in range(0, len(first.operations(run)), 3):
        unit = first.copy()
        unit.world.sinks = (sink,)
        unit.machine.hook = FailsAt(at, 3)
        try:
            run(unit)
        except GprovError as error:
            sink.look(str(error))
        look_at_displays(unit.machine.messages, sink)
    assert len(sink.seen) > 40
    assert sorted(sink.unknown) == []


def test_a_text_without_an_entry_is_found() -> None:
    assert unknown_parts("qwertz uiop is not an entry") == ("qwertz uiop is not an entry",)
    assert unknown_parts("no remote log: qwertz uiop is none") == ("qwertz uiop is none",)


@pytest.mark.nightly
def test_random_lives() -> None:
    choice = random.Random(17)
    lines = [
        *(f"fault {kind} after={{n}} times={{m}}" for kind in ("eio", "enospc", "differs", "short", "silent")),
        "fault eio after={m} times=3 where=/mnt/RECOVERY",
        "fault vanish disk={disk} back=next after={n}",
        *(f"server {fault.value} file={{file}}" for fault in ServerFault),
        *(f"drop {image.value} day={{day}}" for image in Image),
        *(f"keys {keys}" for keys in KEYS),
        *(
            "choose restore",
            "choose erase\nkeys erase",
            "remove flag",
            "remove nvram",
            "remove history",
            "remove options",
        ),
        *("pull {disk}", "plug {disk}", "cut start at={n}", "cut provision at={n}", "provision", "start", "start"),
    ]
    unknown: set[str] = set()
    for _ in range(80):
        steps = [
            choice.choice(lines).format(
                n=choice.randrange(90),
                m=choice.randrange(1, 4),
                day=choice.randrange(1, 28),
                disk=choice.choice(["primary0", "recovery"]),
                file=choice.choice(["image", "kernel", "data"]),
            )
            + "\nstart"
            for _ in range(12)
        ]
        firmware, disks = choice.choice(["uefi", "bios"]), choice.choice(["sata", "raid1", "raid5"])
        unknown |= looked(RUNNING + "\n".join(steps), firmware=firmware, disks=disks).unknown
    assert not unknown, "\n".join(sorted(unknown))
