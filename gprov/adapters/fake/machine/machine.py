"""The simulated machine: disks, mounts, firmware, clock and operator in one model. The fake ports are views of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from gprov.adapters.fake.bmc.controller import FakeController
from gprov.adapters.fake.burnin.bench import LoadModel
from gprov.adapters.fake.machine.contents import media_state
from gprov.adapters.fake.machine.faults import Fault, FaultKind
from gprov.adapters.fake.machine.lookup import disk_with, partition_at, volume_labelled
from gprov.adapters.fake.machine.running_arrays import arrays_on, mark_below, note_array_write
from gprov.adapters.fake.machine.setup import FakeSetup
from gprov.adapters.fake.machine.stop import MachineStopped, StopReason
from gprov.adapters.fake.machine.storage import (
    FakeArray,
    FakeDisk,
    FakeMount,
    FakePartition,
    FakeVolume,
    RunningFakeArray,
    Tree,
    ram,
)
from gprov.adapters.fake.machine.tpm import FakeTpmChip
from gprov.adapters.fake.system.clock import FakeClock, SeededRandomness
from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.disk.model import Bus
from gprov.domain.display.views import View
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.formats.efi.variables import Variable, VariableName
from gprov.domain.platform.inventory import Cpus, Inventory
from gprov.domain.platform.model import Lcd
from gprov.domain.unit.nics import Nic

# Called with the name of each port operation before it begins; raises MachineStopped for a power cut.
Hook = Callable[[str], None]


@dataclass(kw_only=True)
class SimulatedMachine:
    """State that survives reboots (disks, NVRAM, SMBIOS) and state that does not (mounts, RAM, boot arguments).

    ``bios_order``: serial numbers of the disks that a BIOS tries first. ``menu_choice``: entries chosen in the boot
    loader's next menu and in its submenu. ``messages``: texts that a person was shown; ``shown``: what is on the
    displays. ``operator_from``, ``operator_until``: monotonic times between which the operator is present.
    ``media_seconds``: how long a search of a removable volume takes; None: it never ends. ``nvram_before``: previous
    values of variables whose write is unflushed. ``tpm``, ``bmc``: None for a machine without. ``setups``: by the
    configuration tool that changes them. ``verified``: images found good since power-on. ``kernel_keys``:
    identifiers of keys for encrypted folders that the kernel has.
    ``load_model``: its behaviour in a burn-in.
    """

    firmware: FirmwareKind = FirmwareKind.UEFI
    smbios: bytes = b""
    disks: list[FakeDisk] = field(default_factory=list)
    nvram: dict[VariableName, Variable] = field(default_factory=dict)
    tpm: FakeTpmChip | None = None
    setups: dict[str, FakeSetup] = field(default_factory=dict)
    bmc: FakeController | None = None
    nics: tuple[Nic, ...] = (Nic(name="eth0", mac="56:78:90:00:00:01", driver="e1000", carrier=True),)
    inventory: Inventory = field(
        default_factory=lambda: Inventory(Cpus(("Simulated CPU",), 2, 1), 1 << 30, pci=(), usb=())
    )
    clock: FakeClock = field(default_factory=FakeClock)
    seed: int = 0
    hook: Hook | None = None
    torn_cuts: bool = False

    mounts: list[FakeMount] = field(default_factory=list)
    ram: FakeVolume = field(default_factory=ram)
    running: list[RunningFakeArray] = field(default_factory=list)
    switched_to: str | None = None
    stopped: StopReason | None = None
    messages: list[str] = field(default_factory=list)
    shown: View | None = None
    keys: list[str] = field(default_factory=list)
    bios_order: tuple[str, ...] = ()
    menu_choice: tuple[str, ...] = ()
    operator_present: bool = False
    lcd: Lcd = Lcd.NONE
    operator_from: float = 0.0
    operator_until: float = inf
    media_seconds: float | None = 0.0
    nvram_writes: int = 0
    nvram_before: dict[VariableName, Variable | None] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    kernel_keys: set[bytes] = field(default_factory=set)
    load_model: LoadModel = field(default_factory=LoadModel)
    _minor: int = 0

    def __post_init__(self) -> None:
        self.random = SeededRandomness(self.seed)

    def add_disk(
        self, size: int, *, bus: Bus = Bus.ATA, model: str = "QEMU HARDDISK", serial: str = "", appears_at: float = 0.0
    ) -> FakeDisk:
        """Attach an empty disk; it gets the next free name of its bus."""
        index = sum(1 for disk in self.disks if disk_name(disk.bus, 0) == disk_name(bus, 0))
        disk = FakeDisk(
            name=disk_name(bus, index),
            device=self._number(),
            size=size,
            bus=bus,
            model=model,
            vendor="QEMU" if bus is Bus.USB else "ATA",
            serial=serial,
            appears_at=appears_at,
        )
        self.disks.append(disk)
        return disk

    def begin_write(self, operation: str) -> None:
        """Called by every changing operation of the fakes before it begins and between its stages: faults and power
        cuts happen here. Raises MachineStopped on a stopped machine."""
        self.begin_read(operation)
        if self.hook is None:
            return
        try:
            self.hook(operation)
        except MachineStopped as stopped:
            self.stopped = stopped.reason
            raise

    def begin_read(self, operation: str) -> None:
        """Called by every reading operation of the fakes. Faults happen here, but no power cuts."""
        if self.stopped is not None:
            raise MachineStopped(self.stopped)
        for fault in self.faults:
            if fault.triggers(operation):
                self._apply_fault(fault)

    def _apply_fault(self, fault: Fault) -> None:
        if fault.kind is FaultKind.VANISH:
            self.detach_disk(fault.disk, reappears=fault.reappears)
        else:
            self.clock.advance(fault.seconds)

    def take_write_fault(self, operation: str) -> FaultKind | None:
        """Return and count the write fault for this operation, or None."""
        return next((fault.kind for fault in self.faults if fault.affects_write(operation)), None)

    def detach_disk(self, serial: str, *, reappears: bool) -> None:
        """Detach a disk from the running machine. Running arrays with enough members continue without it."""
        for disk in self.disks:
            if disk.serial == serial and not disk.detached:
                disk.detached, disk.reappears = True, reappears
        present = self._parts_present()
        for one in self.running:
            if one.has_enough_members(present):
                one.record(present)

    def restart(self) -> None:
        """Restore power: memory and mounts are empty, unflushed changes are lost (with ``torn_cuts``, an arbitrary part
        of them)."""
        choose = self.random.below if self.torn_cuts else None
        for disk in self.disks:
            disk.apply_power_cut(choose)
            disk.detached, disk.reappears = disk.detached and not disk.reappears, False
        for array in self.arrays():
            array.device.apply_power_cut(choose)
        for volume in self.volumes():
            volume.apply_power_cut(choose)
        for name, before in self.nvram_before.items():
            if choose is None or choose(2):
                self._put_variable(name, before)
        self.nvram_before.clear()
        for setup in self.setups.values():
            setup.restart()
        if self.tpm is not None:
            self.tpm.restart()
        self.mounts.clear()
        self.running.clear()
        self.ram = ram()
        self.switched_to = None
        self.stopped = None
        self.verified.clear()
        self.kernel_keys.clear()
        self.clock.restart()

    def _put_variable(self, name: VariableName, variable: Variable | None) -> None:
        if variable is None:
            self.nvram.pop(name, None)
        else:
            self.nvram[name] = variable

    def flush(self) -> None:
        """sync(2)."""
        for volume in self.volumes():
            if self.reachable(volume):
                volume.sync()

    def arrays(self) -> tuple[FakeArray, ...]:
        """Arrays that have a superblock on at least one partition."""
        return arrays_on(self.disks)

    def volumes(self) -> tuple[FakeVolume, ...]:
        """On all disks and arrays."""
        on_arrays = (array.device.volume for array in self.arrays())
        on_disks = (volume for disk in self.disks for volume in disk.volumes())
        return (*on_disks, *(volume for volume in on_arrays if volume is not None))

    def note_array_write(self, part: FakePartition) -> None:
        """Record a write to an array: missing members are out of date from now on. Other partitions: no effect."""
        note_array_write(self.running, part, self._parts_present())

    def mark(self, disk: FakeDisk, part: FakePartition, name: str) -> None:
        """Fill the media below a partition, or below the members of an array, with a content that stands for
        ``name``."""
        if not mark_below(self.disks, self.running, part, name):
            disk.mark(part, name)

    def _parts_present(self) -> frozenset[str]:
        return frozenset(part.uuid for disk in self.present() for part in disk.partitions)

    def present(self) -> tuple[FakeDisk, ...]:
        now = self.clock.monotonic()
        return tuple(
            disk for disk in self.disks if disk.appears_at <= now and not disk.detached and not disk.without_size
        )

    def reachable(self, volume: FakeVolume) -> bool:
        """Return whether the volume's disk is attached, or its array has enough members. Memory is always reachable."""
        holders = [disk for disk in self.disks if any(volume is one for one in disk.volumes())]
        arrays = [one for one in self.running if one.array.device.volume is volume]
        present = self._parts_present()
        return not any(disk.detached for disk in holders) and all(one.has_enough_members(present) for one in arrays)

    def disk(self, device: DeviceNumber) -> FakeDisk:
        return disk_with(self.present(), device)

    def partition(self, node: str) -> tuple[FakeDisk, FakePartition]:
        """Return a partition or array with its disk; for an array, the disk of its first attached member."""
        return partition_at(self.present(), self.running, node)

    def new_partition(self, number: int, start: int, size: int, label: str) -> FakePartition:
        return FakePartition(
            number=number, start=start, size=size, label=label, uuid=self.new_uuid(), device=self._number()
        )

    def new_uuid(self) -> str:
        text = self.random.token(16).hex()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def volume_tree(self, label: str) -> Tree:
        """Current tree of the volume with this label, for assertions. Raises DeviceMissing."""
        return volume_labelled(self.volumes(), label).current

    def media_state(self) -> dict[str, object]:
        """Contents of all disks, without the files that count boots, as a value for comparisons."""
        return media_state(self.disks, self.arrays())

    def _number(self) -> DeviceNumber:
        self._minor += 1
        return DeviceNumber(8, self._minor)


def disk_name(bus: Bus, index: int) -> str:
    """As the kernel names the whole disks of a bus, in the order in which it finds them. ``index``: from 0."""
    match bus:
        case Bus.NVME:
            return f"nvme{index}n1"
        case Bus.MMC:
            return f"mmcblk{index}"
        case Bus.VIRTIO:
            return f"vd{chr(ord('a') + index)}"
        case Bus.ATA | Bus.SCSI | Bus.USB | Bus.UNKNOWN:
            return f"sd{chr(ord('a') + index)}"
