"""The executor: runs plans through the ports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import assert_never

from gprov.apps.unit.boot.secure_boot import startable_kernels
from gprov.apps.unit.composition.volume_ports import VolumePorts
from gprov.apps.unit.execution.boot_entry_update import update_boot_entries
from gprov.apps.unit.execution.destructive_ports import DestructivePorts
from gprov.apps.unit.execution.dismantling import dismantle_arrays
from gprov.apps.unit.execution.fetch import fetch_file
from gprov.apps.unit.execution.file_operations import FileOperation, perform_on_files
from gprov.apps.unit.reporting.bus import EventBus
from gprov.domain.disk.arrays import RunningArray
from gprov.domain.disk.model import Disk, Partition
from gprov.domain.errors import GprovError, InternalError, RefusedByPolicy
from gprov.domain.events import OperationPhase, OperationReport
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.plan.disk_operations import (
    ArrayRef,
    ClearDisk,
    CreateArray,
    CreatePartitionTable,
    DismantleArrays,
    ExtractImage,
    FlushVolume,
    MakeFileSystem,
    MountVolume,
    PartitionRef,
    StopArray,
    UnmountVolume,
    UpdateBootEntries,
    VolumeRef,
)
from gprov.domain.plan.file_operations import (
    CopyKernel,
    FetchFile,
    RemovePath,
    ReplacePlainText,
    SetOwner,
    WriteFile,
)
from gprov.domain.plan.operations import Operation, Plan
from gprov.ports.network import Http

# Operations with the attribute ``required``.
_OPTIONAL_OPERATIONS = (
    UpdateBootEntries,
    RemovePath,
    CopyKernel,
    ReplacePlainText,
    StopArray,
    WriteFile,
    SetOwner,
    FlushVolume,
)


@dataclass(frozen=True, kw_only=True)
class PlanPorts(VolumePorts):
    """The ports that operations need, except the destructive ones."""

    http: Http


class Executor:
    """Runs the operations of a plan in order and reports start, progress and end or failure of each. Stops at the first
    required operation that fails. Partitions and arrays that one plan made can be used in the next."""

    def __init__(self, ports: PlanPorts, destructive: DestructivePorts, bus: EventBus) -> None:
        self._ports = ports
        self._destructive = destructive
        self._bus = bus
        self._disks: dict[DeviceNumber, Disk] = {}
        self._arrays: dict[str, RunningArray] = {}
        self._completed: list[Operation] = []

    @property
    def completed(self) -> Plan:
        """The operations that succeeded so far, of all plans."""
        return tuple(self._completed)

    def run(self, plan: Plan) -> None:
        """Raises the error of the required operation that failed."""
        for operation in plan:
            self._run_operation(operation)

    def _run_operation(self, operation: Operation) -> None:
        text = operation.describe()
        started = self._ports.clock.monotonic()
        self._bus.operation(OperationReport(text, OperationPhase.STARTED))
        try:
            self._perform(operation)
        except GprovError as error:
            seconds = self._ports.clock.monotonic() - started
            self._bus.operation(OperationReport(text, OperationPhase.FAILED, seconds, str(error)))
            if isinstance(operation, _OPTIONAL_OPERATIONS) and not operation.required:
                self._bus.warning(f"{error}; going on without: {text}")
                return
            raise
        self._completed.append(operation)
        self._bus.operation(OperationReport(text, OperationPhase.DONE, self._ports.clock.monotonic() - started))

    def _perform(self, operation: Operation) -> None:
        ports, destructive = self._ports, self._destructive
        match operation:
            case ClearDisk():
                destructive.partitioner.clear(operation.disk, operation.head, operation.tail)
            case CreatePartitionTable():
                written = destructive.partitioner.write(operation.disk, operation.table, operation.loader)
                self._disks[operation.disk.device] = written
            case DismantleArrays() | CreateArray() | StopArray():
                self._perform_on_arrays(operation)
            case MakeFileSystem():
                destructive.filesystem_maker.make(self._node(operation.where), operation.spec)
            case MountVolume():
                ports.mounts.mount(self._node(operation.where), operation.target, operation.kind, operation.options)
            case UnmountVolume():
                ports.mounts.unmount(operation.target)
            case ExtractImage():
                progress = partial(self._bus.progress, f"unpack {operation.image.path}")
                destructive.image_unpacker.extract(operation.image, operation.target, progress)
            case FetchFile():
                fetch_file(ports.http, ports.files, operation, self._bus)
            case UpdateBootEntries():
                esp = self._partition(operation.esp)
                update_boot_entries(ports.firmware(), destructive.variable_writer, esp, operation, self._bus)
            case _:
                self._perform_on_files(operation)

    def _perform_on_files(self, operation: FileOperation) -> None:
        if isinstance(operation, CopyKernel):
            self._require_startable(operation.source)
        perform_on_files(self._ports.files, operation)

    def _require_startable(self, kernel: str) -> None:
        """Raises RefusedByPolicy for a kernel that the firmware would not start: Secure Boot."""
        startable = startable_kernels(self._ports, self._bus)
        reason = startable.refusal(self._ports.files, kernel) if startable is not None else ""
        if reason:
            raise RefusedByPolicy(f"{kernel}: Secure Boot is on, and the firmware would not start it: {reason}")

    def _node(self, place: VolumeRef) -> str:
        match place:
            case PartitionRef():
                return self._partition(place).node
            case ArrayRef():
                return self._array(place).node
            case _:
                assert_never(place)

    def _perform_on_arrays(self, operation: DismantleArrays | CreateArray | StopArray) -> None:
        writer = self._destructive.array_writer
        match operation:
            case DismantleArrays():
                dismantle_arrays(self._ports, writer, operation.disks, self._bus)
            case CreateArray():
                nodes = [self._partition(member).node for member in operation.members]
                self._arrays[operation.spec.name] = writer.create(operation.spec, nodes)
            case StopArray():
                self._ports.arrays().stop(self._array(operation.where))
                del self._arrays[operation.where.name]
            case _:
                assert_never(operation)

    def _array(self, ref: ArrayRef) -> RunningArray:
        if ref.name not in self._arrays:
            raise InternalError(f"the plan uses {ref.describe()} before it exists")
        return self._arrays[ref.name]

    def _partition(self, ref: PartitionRef) -> Partition:
        disk = self._disks.get(ref.disk.device, ref.disk)
        for partition in disk.partitions:
            if partition.number == ref.number:
                return partition
        raise InternalError(f"the plan uses {ref.describe()} before it exists")
