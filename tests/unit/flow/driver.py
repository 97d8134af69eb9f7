"""What tests of flows do with a simulated unit: change its files, start it, cut its power, read what it reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy

import pytest

from gprov.adapters.fake.archive.artifacts import build_image, build_kernel
from gprov.adapters.fake.events.sinks import MemorySink
from gprov.adapters.fake.firmware.uefi import select_boot_entry
from gprov.adapters.fake.machine.machine import SimulatedMachine
from gprov.adapters.fake.machine.stop import StopReason
from gprov.adapters.fake.machine.storage import FakeDisk, FakeVolume, Node
from gprov.adapters.fake.net.factory import FakeFactory
from gprov.adapters.fake.net.origin import FakeOrigin
from gprov.adapters.fake.system.process import FakeProcesses
from gprov.apps.host.simulation.cuts import cut_at, operations_of, settle
from gprov.apps.host.simulation.factory_files import MANUF_URL
from gprov.apps.host.simulation.world import World
from gprov.domain.disk.model import Bus
from gprov.domain.errors import DeviceFault, GprovError
from gprov.domain.event_text import body_text, severity_of
from gprov.domain.events import LogLine, Severity
from gprov.domain.files import FileType
from gprov.domain.formats.bzimage import parse_bzimage
from gprov.domain.formats.json.value import Json

FLAG = "/boot.normal"
HISTORY = "/log/recovery_history.json"
BUDGET = "/log/start_budget.json"
# Both copies of the kernel on the ESP.
KERNELS = ("/norm_boot", "/EFI/BOOT/BOOTX64.EFI")
# Kernel arguments of the boot entry for a normal start.
NORMAL = {"real_root": "LABEL=PRIMARY"}
# An image newer than the one that a unit is provisioned with.
NEWER = "WIDGET.LNX.SHINY.2026-02-01.10.upd"
# A time, in seconds after power-on, that no start reaches.
NEVER = 1e9

# Counts that a start or restore leaves and that a cut only delays.
_STARTS = ("/boots_started", "_budget.json")
_RESTORES = (HISTORY, BUDGET)


class UnitDriver:
    """One simulated unit and its factory. ``sink`` keeps the events of this unit since it was made or copied."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sink = MemorySink()
        world.sinks = (self.sink,)

    @property
    def machine(self) -> SimulatedMachine:
        return self.world.machine

    @property
    def factory(self) -> FakeFactory:
        return self.world.factory

    @property
    def origin(self) -> FakeOrigin:
        return self.world.origin

    @property
    def processes(self) -> FakeProcesses:
        return self.world.processes

    def copy(self) -> UnitDriver:
        """An independent unit in the same state, which has reported nothing yet."""
        return UnitDriver(deepcopy(self.world, {id(self.world.sinks): ()}))

    # --- starts ---

    def boot(self, environment: dict[str, str] | None = None) -> StopReason:
        return self.world.boot(environment)

    def provision(self, **arguments: str) -> StopReason:
        return self.world.provision(**arguments)

    def provision_fails(self, **arguments: str) -> GprovError:
        """Provision; the error that this must end in."""
        with pytest.raises(GprovError) as caught:
            self.world.provision(**arguments)
        return caught.value

    def settle(self, *, in_factory: bool = False, most: int = 8) -> tuple[str, ...]:
        """Start the unit until its system runs, at most so often; what each start ended in."""
        return settle(self.world, in_factory=in_factory, most=most)

    def choose_restore(self) -> None:
        """Choose the entry for a restore in the menu of the next start. Raises DeviceMissing if no menu shows it."""
        select_boot_entry(self.machine, self.world.branding.restore_entry)

    # --- power cuts ---

    def operations(self, start: Callable[[UnitDriver], StopReason] = boot) -> tuple[str, ...]:
        """Names of the operations of one start, in order; they are carried out by a copy."""
        copy = self.copy()
        return operations_of(copy.world, lambda: start(copy))

    def cut(self, at: int, start: Callable[[UnitDriver], StopReason] = boot) -> str:
        """Cut the power just before operation ``at`` of a start; the operation's name, "" if the start ended before."""
        return cut_at(self.world, lambda: start(self), at)

    def cut_everywhere(
        self, start: Callable[[UnitDriver], StopReason] = boot, *, torn: bool = False, in_factory: bool = False
    ) -> Iterator[tuple[str, UnitDriver]]:
        """For each operation of a start: its name, and a copy whose power was cut just before it and whose system runs
        after further starts, as it must. ``torn``: an arbitrary part of what was not flushed survives the cut."""
        for at, name in enumerate(self.operations(start)):
            unit = self.copy()
            unit.machine.torn_cuts = torn
            assert unit.cut(at, start) == name
            history = unit.settle(in_factory=in_factory)
            assert history[-1] == "switched root", f"cut at {name}: {history}"
            yield name, unit

    # --- files and volumes ---

    def put(self, label: str, path: str, content: bytes | Node) -> None:
        """Set a file and flush it, as a person or an update service does between two starts."""
        node = Node(type=FileType.FILE, content=content) if isinstance(content, bytes) else content
        self.machine.volume_tree(label).put(path, node)
        self.machine.flush()

    def remove(self, label: str, path: str) -> None:
        """Remove a file, or a folder with all that is below, and flush that."""
        self.machine.volume_tree(label).drop(path)
        self.machine.flush()

    def remove_flag(self) -> None:
        """Without its flag file PRIMARY is restored at the next start."""
        self.remove("PRIMARY", FLAG)

    def exists(self, label: str, path: str) -> bool:
        return self.machine.volume_tree(label).get(path) is not None

    def node(self, label: str, path: str) -> Node:
        """A file, folder or link that must be there."""
        node = self.machine.volume_tree(label).get(path)
        assert node is not None, f"{label} has no {path}"
        return node

    def read(self, label: str, path: str) -> bytes:
        """The content of a file that must be there."""
        return self.node(label, path).content

    def build_number(self, label: str, path: str) -> int | None:
        """Of a kernel that must be there."""
        return parse_bzimage(self.read(label, path)).build_number

    def files(self, label: str) -> dict[str, Node | None]:
        """All that a volume holds, without counts of starts."""
        tree = self.machine.volume_tree(label)
        return {path: tree.get(path) for path in tree.paths() if not path.endswith(_STARTS)}

    def kept_on_recovery(self) -> dict[str, Node | None]:
        """All that RECOVERY holds, without counts of restores and starts."""
        tree = self.machine.volume_tree("RECOVERY")
        return {path: tree.get(path) for path in tree.paths() if not path.startswith(_RESTORES)}

    def volumes(self, label: str) -> list[FakeVolume]:
        return [volume for volume in self.machine.volumes() if volume.label == label]

    def volume(self, label: str) -> FakeVolume:
        [volume] = self.volumes(label)
        return volume

    # --- images ---

    def add_image(self, name: str = NEWER, *, kernel: int = 100, files: Mapping[str, bytes] | None = None) -> None:
        """Put an image on RECOVERY; its kernel has this build number, and it holds these ``files`` besides."""
        self.put("RECOVERY", f"/Image/{name}", build_image(build_kernel(kernel), extra=dict(files or {})))

    def systems(self) -> list[str]:
        """Names of the images that PRIMARY says it was made from: one, if all is well."""
        tags = [path for path in self.machine.volume_tree("PRIMARY").paths() if path.endswith(".disktag")]
        return [f"{tag.removeprefix('/').removesuffix('.disktag')}.upd" for tag in tags]

    # --- disks ---

    def writes(self) -> list[int]:
        return [disk.writes for disk in self.machine.disks]

    def add_second_recovery(self) -> None:
        """A USB stick with the same volumes as RECOVERY's."""
        recovery = self.machine.disks[1]
        twin = self.machine.add_disk(recovery.size, bus=Bus.USB, serial="twin")
        twin.partitions, twin.table = list(recovery.partitions), recovery.table

    def add_copy_of_primary(self, size: int, bus: Bus) -> FakeDisk:
        """Another disk with a copy of the first disk's partitions."""
        original = self.machine.disks[0]
        disk = self.machine.add_disk(size, bus=bus, serial="copy")
        disk.partitions, disk.table = deepcopy(original.partitions), original.table
        disk.partitions[0].device = type(disk.device)(8, 99)
        return disk

    # --- factory ---

    def change_manuf(self, **values: Json) -> None:
        """Serve manufData.json with other values at its top level."""
        document = json.loads(self.origin.content[MANUF_URL])
        self.origin.content[MANUF_URL] = json.dumps({**document, **values}).encode()

    # --- what the unit reported ---

    def log(self, *severities: Severity) -> str:
        """The text of all events, or of those with one of these severities: log lines, steps, states, milestones."""
        bodies = [event.body for event in self.sink.events]
        return "\n".join(body_text(body) for body in bodies if not severities or severity_of(body) in severities)

    def lines(self, *severities: Severity) -> str:
        """Log lines alone, or those with one of these severities."""
        bodies = [event.body for event in self.sink.events if isinstance(event.body, LogLine)]
        return "\n".join(body.text for body in bodies if not severities or body.severity in severities)

    def told(self) -> str:
        """All that left the unit in events and requests, with every field, to search it for secrets."""
        return repr([event.body for event in self.sink.events]) + repr(self.factory.received)

    def errors(self) -> str:
        return self.lines(Severity.ERROR)

    def warnings(self) -> str:
        return self.lines(Severity.WARNING)


class FailsAt:
    """A hook for a machine: ``count`` operations fail from the one with this number (from 0) on; others do not."""

    def __init__(self, at: int, count: int = 1) -> None:
        self._seen = 0
        self._failing = range(at, at + count)

    def __call__(self, operation: str) -> None:
        self._seen += 1
        if self._seen - 1 in self._failing:
            raise DeviceFault(operation, "input/output error")
