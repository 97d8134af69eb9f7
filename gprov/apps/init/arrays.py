"""Assembling the array that the root volume may be on, during the search for the root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gprov.apps.init.attempts import FailedAttempts
from gprov.apps.init.ports import InitPorts
from gprov.apps.unit.composition.context import UnitContext
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.devices.arrays import array_volumes, find_inactive_arrays
from gprov.domain.boot.decide_root import MOUNT_ATTEMPTS
from gprov.domain.disk.arrays import ArrayState, FoundArray
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.errors import BadInput, DeviceFault, GprovError


@dataclass(frozen=True)
class ArrayScan:
    """``volumes``: on running arrays. ``waiting``: inactive arrays with PRIMARY's name."""

    volumes: tuple[Volume, ...] = ()
    waiting: tuple[FoundArray, ...] = ()


def report_array(array: FoundArray, ports: InitPorts, context: UnitContext) -> None:
    """Report a degraded array on the bus and to the operator. The root must be mounted: the record of the disks' names
    is read from it."""
    if array.state is ArrayState.CLEAN and not array.stale:
        return
    names = _disk_names(ports.volumes, context) if array.missing else {}
    missing = [f"slot {slot} ({names[slot]})" if slot in names else f"slot {slot}" for slot in array.missing]
    text = f"RAID {array.level} array {array.name} is {array.state.value}"
    if missing:
        text += f"; disk missing: {', '.join(missing)}"
    if array.stale:
        text += f"; disk not up to date: {', '.join(member.describe() for member in array.stale)}"
    context.bus.warning(text)
    ports.operator.show(text)


def _disk_names(ports: VolumePorts, context: UnitContext) -> Mapping[int, str]:
    from gprov.domain.disk.arrayrecord import ARRAY_FILE, parse_array_record

    files = ports.files
    path = f"{context.mount_points.root}{context.branding.config_folder}/{ARRAY_FILE}"
    try:
        return parse_array_record(path, files.read(path)) if files.status(path) is not None else {}
    except (BadInput, DeviceFault) as error:
        context.bus.warning(str(error))
        return {}


@dataclass(kw_only=True)
class ArrayStarter:
    """Assembles arrays that have the name of PRIMARY. One whose up-to-date members are all present is assembled at
    once, one with missing members only by ``start``. Arrays with other names are never assembled.

    ``started``: the arrays that were assembled, by UUID, in their state before that.
    """

    ports: VolumePorts
    context: UnitContext
    started: dict[str, FoundArray] = field(default_factory=dict, init=False)
    _failures: FailedAttempts = field(default_factory=FailedAttempts, init=False)
    _ignored: set[str] = field(default_factory=set, init=False)

    def scan(self, disks: Sequence[Disk], volumes: Sequence[Volume], elapsed: float) -> ArrayScan:
        """``elapsed``: seconds on any monotonic clock."""
        arrays, bus = self.ports.arrays(), self.context.bus
        waiting = []
        for array in find_inactive_arrays(arrays, volumes, bus):
            if array.short_name != self.context.branding.primary_label:
                self._ignore(array)
            elif not (array.complete and self._due(array.uuid, elapsed) and self.start(array, elapsed)):
                last = self._failures.last(array.uuid)
                failed = last is not None and not self._due(array.uuid, elapsed)
                waiting.append(replace(array, start_error=last.error) if last is not None and failed else array)
        return ArrayScan(array_volumes(arrays, self.ports.blocks, disks, bus), tuple(waiting))

    def start(self, array: FoundArray, elapsed: float) -> bool:
        """Assemble it with the members that are present. A failure is reported; a later ``scan`` or ``start`` tries
        again."""
        bus = self.context.bus
        report = bus.log if not array.missing and not array.stale else bus.warning
        report(f"starting {array.describe()}")
        try:
            self.ports.arrays().assemble(array.uuid, [member.node for member in array.members])
        except GprovError as error:
            bus.error(error)
            self._failures.add(array.uuid, str(error), elapsed)
            return False
        self.started[array.uuid] = array
        return True

    def _due(self, uuid: str, elapsed: float) -> bool:
        last = self._failures.last(uuid)
        return (last is None or last.attempts < MOUNT_ATTEMPTS) and self._failures.due(uuid, elapsed)

    def _ignore(self, array: FoundArray) -> None:
        if array.uuid not in self._ignored:
            self._ignored.add(array.uuid)
            self.context.bus.log(f"left alone: {array.describe()}")
