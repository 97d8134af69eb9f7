"""Starting the array that the root may be on, while the root is searched for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gprov.apps.init.ports import InitPorts
from gprov.apps.init.tries import Tries
from gprov.apps.unit.devices.arrays import array_volumes, arrays_told_of
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.boot.decision import MOUNT_ATTEMPTS
from gprov.domain.disk.arrays import ArrayState, FoundArray
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.errors import BadInput, DeviceFault, GprovError
from gprov.ports.arrays import Arrays
from gprov.ports.block import BlockDevices


@dataclass(frozen=True)
class SeenArrays:
    """``volumes``: on arrays that run. ``waiting``: arrays of the wanted name that do not."""

    volumes: tuple[Volume, ...] = ()
    waiting: tuple[FoundArray, ...] = ()


def report_array(array: FoundArray, folder: str, ports: InitPorts, bus: EventBus) -> None:
    """Tell everybody if a disk of the array that the system starts from is missing. ``folder``: where the restore left
    word of what its disks are called."""
    if array.state is ArrayState.CLEAN and not array.stale:
        return
    names = _disk_names(folder, ports, bus) if array.missing else {}
    missing = [f"slot {slot} ({names[slot]})" if slot in names else f"slot {slot}" for slot in array.missing]
    text = f"RAID {array.level} array {array.name} is {array.state.value}"
    if missing:
        text += f"; disk missing: {', '.join(missing)}"
    if array.stale:
        text += f"; disk not up to date: {', '.join(member.describe() for member in array.stale)}"
    bus.warning(text)
    ports.operator.show(text)


def _disk_names(folder: str, ports: InitPorts, bus: EventBus) -> Mapping[int, str]:
    from gprov.domain.disk.arrayrecord import ARRAY_FILE, parse_array_record

    files, path = ports.search.files, f"{folder}/{ARRAY_FILE}"
    try:
        return parse_array_record(path, files.read(path)) if files.status(path) is not None else {}
    except (BadInput, DeviceFault) as error:
        bus.warning(str(error))
        return {}


@dataclass(kw_only=True)
class ArrayStarter:
    """Starts arrays named ``name`` at once when all members are here that were in them to the last. Without some of
    them only when it is told to; and what has another name, never. ``started``: by UUID, as they were then."""

    arrays: Callable[[], Arrays]
    blocks: BlockDevices
    name: str
    bus: EventBus
    started: dict[str, FoundArray] = field(default_factory=dict)
    _tries: Tries = field(default_factory=Tries)
    _ignored: set[str] = field(default_factory=set)

    def look(self, disks: Sequence[Disk], volumes: Sequence[Volume], elapsed: float) -> SeenArrays:
        """``elapsed``: seconds on any clock that the caller keeps to."""
        arrays = self.arrays()
        waiting = []
        for array in arrays_told_of(arrays, volumes, self.bus):
            if array.short_name != self.name:
                self._ignore(array)
            elif not (array.complete and self._due(array.uuid, elapsed) and self.start(array, elapsed)):
                tried = self._tries.last(array.uuid)
                over = tried is not None and not self._due(array.uuid, elapsed)
                waiting.append(replace(array, failure=tried.error) if tried is not None and over else array)
        return SeenArrays(array_volumes(arrays, self.blocks, disks, self.bus), tuple(waiting))

    def start(self, array: FoundArray, elapsed: float) -> bool:
        """Start it as it is. What fails is reported, and tried again by a later look or call."""
        tell = self.bus.log if not array.missing and not array.stale else self.bus.warning
        tell(f"starting {array.describe()}")
        try:
            self.arrays().assemble(array.uuid, [member.node for member in array.members])
        except GprovError as error:
            self.bus.error(error)
            self._tries.failed(array.uuid, str(error), elapsed)
            return False
        self.started[array.uuid] = array
        return True

    def _due(self, uuid: str, elapsed: float) -> bool:
        tried = self._tries.last(uuid)
        return (tried is None or tried.attempts < MOUNT_ATTEMPTS) and self._tries.due(uuid, elapsed)

    def _ignore(self, array: FoundArray) -> None:
        if array.uuid not in self._ignored:
            self._ignored.add(array.uuid)
            self.bus.log(f"left alone: {array.describe()}")
