"""All that can be observed of a simulated unit: what it did, wrote, ran, fetched and reported."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gprov.adapters.fake.machine.storage import FakeVolume
from gprov.domain.errors import GprovError
from gprov.domain.formats.json.value import Json
from gprov.domain.platform.unused import unused_values
from tests.unit.flow.driver import UnitDriver
from tests.unit.keys.parsed_keys import Place

SWITCHES = "PROVISION_MFG_TEST"
FACTS = "/etc/provisioning/platform_facts.json"

Start = Callable[[UnitDriver], object]


@dataclass(frozen=True)
class Outcome:
    """``acts``: everything but ``passed_on``, the file for programs in the image, and warnings that a value has no
    effect."""

    acts: tuple[object, ...]
    passed_on: str


def outcome(unit: UnitDriver, *starts: Start, switches: str = "") -> Outcome:
    """Of these starts, one after the other; one that fails ends in its error. ``switches``: test switches,
    which programs see as a variable that does not count."""
    ended, contents = [], list[str]()
    for start in starts:
        ended.append(_ended(unit, start))
        contents += _contents(unit)
    factory, machine, processes = unit.factory, unit.machine, unit.processes
    reported = (factory.states, factory.code_names, factory.reported_macs, factory.documents, factory.reports)
    acts = (
        tuple(ended),
        tuple(_lines(unit)),
        repr(reported),
        repr(factory.handed_out),
        repr([(run.argv, sorted(run.env.items() - {(SWITCHES, switches)})) for run in processes.runs]),
        tuple(line for line in contents if FACTS not in line),
        repr(machine.bmc.board) if machine.bmc is not None else "",
        repr(machine.setups),
        machine.clock.monotonic(),
    )
    return Outcome(acts, "\n".join(line for line in contents if FACTS in line))


def changed(document: Json, place: Place, value: Json) -> Json:
    """A copy with another value at this place; None removes it."""
    result: Json = copy.deepcopy(document)
    inner = result
    for step in place[:-1]:
        inner = inner[step]  # type: ignore[index]
    if value is None:
        del inner[place[-1]]  # type: ignore[union-attr]
    else:
        inner[place[-1]] = value  # type: ignore[index]
    return result


def other_value(value: Json) -> Json:
    """Another one of the same type, which most keys accept."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 2 + 1
    if isinstance(value, str):
        return f"{value}x"
    return None


def encoded(document: Json) -> bytes:
    return json.dumps(document).encode()


def _ended(unit: UnitDriver, start: Start) -> object:
    try:
        return start(unit)
    except GprovError as error:
        return type(error).__name__, str(error), error.details()


def _lines(unit: UnitDriver) -> Iterator[str]:
    silent = {f"{one.code_name}: {unused}" for one in unit.world.platforms for unused in unused_values(one)}
    silent.add("test switches were set: no QA document, this unit is not fit for production")
    yield from (line for line in unit.log().splitlines() if line not in silent and FACTS not in line)


def _contents(unit: UnitDriver) -> Iterator[str]:
    """Tables, partitions and files of all disks and arrays."""
    for disk in unit.machine.disks:
        yield f"{disk.serial} {disk.table} {sorted(disk.areas)}"
        for part in disk.partitions:
            yield f"{part.number} {part.start} {part.size} {part.label} {part.member is None}"
            yield from _volume(part.volume)
    for array in unit.machine.arrays():
        yield from _volume(array.device.volume)


def _volume(volume: FakeVolume | None) -> Iterator[str]:
    if volume is not None:
        yield f"{volume.kind} {volume.label}"
        yield from (f"{path} {node}" for path, node in (*volume.durable.items(), *volume.in_place.items()))
