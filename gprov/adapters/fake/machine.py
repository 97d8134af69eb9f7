"""One coherent simulated machine: disks, mounts, firmware, clock, people. The fake ports are views of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gprov.adapters.fake.clock import FakeClock, SeededRandomness
from gprov.adapters.fake.power import MachineStopped, Stop
from gprov.adapters.fake.storage import FakeDisk, FakePartition, FakeVolume, Tree
from gprov.domain.boot.firmware import FirmwareKind, Variable, VariableName
from gprov.domain.disk.model import Bus, Contents, DeviceNumber, Disk, FileSystemKind, MountPoint, Partition
from gprov.domain.errors import DeviceMissing
from gprov.domain.platform.inventory import Cpus, Inventory
from gprov.domain.unit.nics import Nic

# Called before every port operation, with its name; a test raises MachineStopped here to cut the power.
Hook = Callable[[str], None]


def _ram() -> FakeVolume:
    return FakeVolume(FileSystemKind.EXT4, "", "", 1 << 30)


@dataclass
class FakeMount:
    point: MountPoint
    volume: FakeVolume
    read_only: bool


@dataclass
class SimulatedMachine:
    """State that survives reboots (disks, NVRAM, SMBIOS) and state that does not (mounts, RAM, boot arguments)."""

    firmware: FirmwareKind = FirmwareKind.UEFI
    smbios: bytes = b""
    disks: list[FakeDisk] = field(default_factory=list)
    nvram: dict[VariableName, Variable] = field(default_factory=dict)
    nics: tuple[Nic, ...] = (Nic("eth0", "56:78:90:00:00:01", "e1000", True),)
    inventory: Inventory = field(
        default_factory=lambda: Inventory(Cpus(("Simulated CPU",), 2, 1), 1 << 30, pci=(), usb=())
    )
    clock: FakeClock = field(default_factory=FakeClock)
    seed: int = 0
    hook: Hook | None = None
    torn_cuts: bool = False

    mounts: list[FakeMount] = field(default_factory=list)
    ram: FakeVolume = field(default_factory=_ram)
    switched_to: str | None = None
    stopped: Stop | None = None
    messages: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    operator_present: bool = False
    operator_at: float = 0.0
    nvram_writes: int = 0
    _minor: int = 0

    def __post_init__(self) -> None:
        self.random = SeededRandomness(self.seed)

    def add_disk(
        self, size: int, *, bus: Bus = Bus.ATA, model: str = "QEMU HARDDISK", serial: str = "", appears_at: float = 0.0
    ) -> FakeDisk:
        """Plug in an empty disk; it gets the next free name of its bus."""
        index = sum(1 for disk in self.disks if (disk.bus is Bus.NVME) == (bus is Bus.NVME))
        name = f"nvme{index}n1" if bus is Bus.NVME else f"sd{chr(ord('a') + index)}"
        vendor = "QEMU" if bus is Bus.USB else "ATA"
        disk = FakeDisk(name, self._number(), size, bus, model, vendor, serial, appears_at=appears_at)
        self.disks.append(disk)
        return disk

    def touch(self, operation: str) -> None:
        """Every fake port calls this first: the place where faults and power cuts strike. Without power nothing
        happens any more, whatever a flow still wants to tidy up."""
        if self.stopped is not None:
            raise MachineStopped(self.stopped)
        if self.hook is None:
            return
        try:
            self.hook(operation)
        except MachineStopped as stopped:
            self.stopped = stopped.how
            raise

    def restart(self) -> None:
        """Power is back: memory and mounts are gone, what was not flushed is lost (or, with ``torn_cuts``, an
        arbitrary part of it)."""
        survives = (lambda _: self.random.token(1)[0] < 128) if self.torn_cuts else None
        for disk in self.disks:
            for volume in disk.volumes():
                volume.cut(survives)
        self.mounts.clear()
        self.ram = _ram()
        self.switched_to = None
        self.stopped = None
        self.clock.restart()

    def flush(self) -> None:
        """What sync(2) does."""
        for disk in self.disks:
            for volume in disk.volumes():
                volume.sync()

    def present(self) -> tuple[FakeDisk, ...]:
        now = self.clock.monotonic()
        return tuple(disk for disk in self.disks if disk.appears_at <= now)

    def disk(self, device: DeviceNumber) -> FakeDisk:
        for disk in self.present():
            if disk.device == device:
                return disk
        raise DeviceMissing(str(device), "no such disk")

    def partition(self, node: str) -> tuple[FakeDisk, FakePartition]:
        for disk in self.present():
            for part in disk.partitions:
                if node == f"/dev/{disk.partition_name(part.number)}":
                    return disk, part
        raise DeviceMissing(node, "no such partition")

    def new_partition(self, number: int, start: int, size: int, label: str) -> FakePartition:
        return FakePartition(number, start, size, label, self.new_uuid(), self._number())

    def new_uuid(self) -> str:
        text = self.random.token(16).hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def volume_at(self, path: str) -> tuple[FakeMount | None, FakeVolume, str]:
        """The volume that holds an absolute path (mount points and links followed), and the path within it."""
        best: FakeMount | None = None
        for mount in self.mounts:
            target = mount.point.target
            if (path == target or path.startswith(target + "/")) and (
                best is None or len(target) >= len(best.point.target)
            ):
                best = mount
        if best is None:
            return None, self.ram, path
        return best, best.volume, path[len(best.point.target) :] or "/"

    def describe_disks(self) -> tuple[Disk, ...]:
        return tuple(_as_disk(disk) for disk in sorted(self.present(), key=lambda disk: disk.name))

    def tree(self, label: str) -> Tree:
        """What the volume with this label holds now: for assertions. Raises DeviceMissing."""
        for disk in self.disks:
            for volume in disk.volumes():
                if volume.label == label:
                    return volume.current
        raise DeviceMissing(label, "no volume has this label")

    def storage(self) -> dict[str, object]:
        """Everything that is on any disk, as a value that compares equal while nothing changed."""
        return {
            disk.name: (
                disk.table,
                [
                    (part.number, part.start, part.size, part.label, part.uuid, _stored(part.volume))
                    for part in disk.partitions
                ],
                {start: _stored(volume) for start, volume in disk.remains.items()},
            )
            for disk in self.disks
        }

    def labels(self) -> tuple[str, ...]:
        return tuple(volume.label for disk in self.disks for volume in disk.volumes())

    def _number(self) -> DeviceNumber:
        self._minor += 1
        return DeviceNumber(8, self._minor)


def contents_of(volume: FakeVolume | None) -> Contents:
    if volume is None:
        return Contents()
    if volume.ambivalent:
        return Contents(ambivalent=True)
    return Contents(volume.kind.value, volume.label, volume.uuid)


def _stored(volume: FakeVolume | None) -> object:
    if volume is None:
        return None
    trees = ({path: tree.get(path) for path in tree.paths()} for tree in (volume.current, volume.durable))
    return volume.kind, volume.label, volume.uuid, volume.damaged, *trees


def _as_disk(disk: FakeDisk) -> Disk:
    return Disk(
        disk.name,
        disk.node,
        disk.device,
        disk.size,
        bus=disk.bus,
        vendor=disk.vendor,
        model=disk.model,
        serial=disk.serial,
        path=f"/sys/devices/simulated/{disk.name}",
        read_only=disk.write_protected,
        partitions=tuple(_as_partition(disk, part) for part in _ordered(disk.partitions)),
    )


def _as_partition(disk: FakeDisk, part: FakePartition) -> Partition:
    name = disk.partition_name(part.number)
    return Partition(name, f"/dev/{name}", part.device, part.number, part.start, part.size, part.label, part.uuid)


def _ordered(parts: Iterable[FakePartition]) -> list[FakePartition]:
    return sorted(parts, key=lambda part: part.number)
