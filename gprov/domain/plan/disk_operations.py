"""Operations on disks, arrays, volumes and boot entries (``gprov.domain.plan.operations``)."""

from __future__ import annotations

from dataclasses import dataclass

from gprov.domain.boot.grub.install import Loader
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayspec import ArraySpec
from gprov.domain.disk.layout import GIB, MIB, PartitionTable
from gprov.domain.disk.model import Disk, FileSystemSpec
from gprov.domain.image.contents import VerifiedImage


@dataclass(frozen=True, slots=True)
class PartitionRef:
    """A partition by disk and number: its device node need not exist yet when the plan is made."""

    disk: Disk
    number: int

    def describe(self) -> str:
        return f"partition {self.number} of {self.disk.node}"


@dataclass(frozen=True, slots=True)
class ArrayRef:
    """A software RAID array by its name: it need not exist yet when the plan is made."""

    name: str

    def describe(self) -> str:
        return f"array {self.name}"


VolumeRef = PartitionRef | ArrayRef


@dataclass(frozen=True, slots=True)
class ClearDisk:
    """Overwrite both ends with zeros (``head``, ``tail``: bytes) to remove old partition tables and RAID metadata."""

    disk: Disk
    head: int
    tail: int

    def describe(self) -> str:
        return f"clear the first {self.head // MIB} MiB and last {self.tail // MIB} MiB of {self.disk.describe()}"


@dataclass(frozen=True, slots=True)
class CreatePartitionTable:
    """``loader``: boot loader for BIOS. It is written together with the table: at no time does the disk look bootable
    without a loader."""

    disk: Disk
    table: PartitionTable
    loader: Loader | None = None

    def describe(self) -> str:
        parts = ", ".join(
            f"{part.number}: {part.label or part.role.value} {_size(part.size)}" for part in self.table.partitions
        )
        loader = " and a boot loader" if self.loader is not None else ""
        return f"write a {self.table.kind.name} partition table{loader} to {self.disk.node} ({parts})"


@dataclass(frozen=True, slots=True)
class DismantleArrays:
    """Stop the arrays on these disks and zero the superblocks of all members, before any disk is cleared. Otherwise a
    power cut could leave members from which an incomplete array is started."""

    disks: tuple[Disk, ...]

    def describe(self) -> str:
        return f"dismantle arrays on {', '.join(disk.node for disk in self.disks)}"


@dataclass(frozen=True, slots=True)
class CreateArray:
    """``members`` in the order of the array's slots."""

    spec: ArraySpec
    members: tuple[PartitionRef, ...]

    def describe(self) -> str:
        members = ", ".join(member.describe() for member in self.members)
        return f"make RAID {self.spec.level.value} array {self.spec.full_name} of {members}"


@dataclass(frozen=True, slots=True)
class StopArray:
    where: ArrayRef
    required: bool = True

    def describe(self) -> str:
        return f"stop {self.where.describe()}"


@dataclass(frozen=True, slots=True)
class MakeFileSystem:
    where: VolumeRef
    spec: FileSystemSpec

    def describe(self) -> str:
        return f"format {self.where.describe()} as {self.spec.kind.value}, label {self.spec.label}"


@dataclass(frozen=True, slots=True)
class MountVolume:
    where: VolumeRef
    target: str
    kind: str
    options: tuple[str, ...] = ()

    def describe(self) -> str:
        options = f" ({','.join(self.options)})" if self.options else ""
        return f"mount {self.where.describe()} at {self.target}{options}"


@dataclass(frozen=True, slots=True)
class UnmountVolume:
    target: str

    def describe(self) -> str:
        return f"unmount {self.target}"


@dataclass(frozen=True, slots=True)
class ExtractImage:
    image: VerifiedImage
    target: str

    def describe(self) -> str:
        return f"unpack {self.image.path} ({_size(self.image.unpacked)}) into {self.target}"


@dataclass(frozen=True, slots=True)
class UpdateBootEntries:
    """Reconcile gprov's UEFI boot entries with NVRAM; correct variables are not written again."""

    esp: PartitionRef
    branding: Branding
    extra_arguments: str = ""
    required: bool = True

    def describe(self) -> str:
        extra = f" with {self.extra_arguments!r}" if self.extra_arguments else ""
        return f"set boot entries for the kernel on {self.esp.describe()}{extra}"


@dataclass(frozen=True, slots=True)
class FlushVolume:
    """Make all earlier writes to this volume durable."""

    target: str
    required: bool = True

    def describe(self) -> str:
        return f"flush {self.target} to stable storage"


def _size(size: int) -> str:
    return f"{size / GIB:.1f} GiB" if size >= GIB else f"{size // MIB} MiB"
