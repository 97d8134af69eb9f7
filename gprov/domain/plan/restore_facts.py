"""Input of the restore planner, collected before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gprov.domain.boot.firmware import FirmwareKind
from gprov.domain.boot.grub.install import Loader
from gprov.domain.branding import Branding
from gprov.domain.disk.arrayspec import ArraySpec
from gprov.domain.disk.layout import PartitionTable
from gprov.domain.disk.model import Disk, Volume
from gprov.domain.disk.plan_layout import primary_table
from gprov.domain.disk.uuids import volume_uuid
from gprov.domain.formats.accounts import PasswordHash
from gprov.domain.image.contents import VerifiedImage
from gprov.domain.image.name import ImageName
from gprov.domain.mountpoints import MountPoints
from gprov.domain.plan.bios import BootVolume, boot_volumes
from gprov.domain.plan.kernels import PresentKernels
from gprov.domain.platform.identify import Unit
from gprov.domain.platform.model import Lcd
from gprov.domain.unit.netsaved import SavedFile
from gprov.domain.unit.secret_file import ReplacedSecret


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """systemd-networkd configuration by path below its folder. ``preserved``: saved network configuration."""

    defaults: Mapping[str, bytes] = field(default_factory=dict)
    preserved: Mapping[str, SavedFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreFacts:
    """``targets``: the disks that PRIMARY is on, in the order of their names; ``array``: what they become, None for a
    single disk.
    ``admin_password`` is None if RECOVERY has none: the account is then locked. ``replaced_secrets``:
    those of RECOVERY that can be read there, and the files to store instead.
    On BIOS: ``loader`` for the targets; ``restore_id``, which no other restore has, for the UUIDs of new volumes;
    ``recovery_menu``: RECOVERY's as it is, empty if there is none. ``grub4dos_menu``: so is grub4dos's fallback menu;
    None if RECOVERY does not have that loader. ``kept_arguments``: so is ``boot.args`` (``keptargs``); None if it
    cannot be read, and is left as it is.
    ``foreign``: paths on RECOVERY, its root folder last, that belong to another user than root and are to be root's.
    ``recovery``: None if it cannot be used: the plan then writes to PRIMARY, boot partitions and the ESP alone.
    ``emergency_marks``: of the emergency files that are plugged in, or are recorded on RECOVERY as used before.
    ``lcd``: the display that was found.
    """

    branding: Branding
    mount_points: MountPoints
    firmware: FirmwareKind
    unit: Unit
    image: VerifiedImage
    name: ImageName
    targets: tuple[Disk, ...]
    recovery: Volume | None
    esp: Volume | None
    kernels: PresentKernels
    admin_password: PasswordHash | None
    network: NetworkFiles
    keep_options: bool
    ignore_saved_network: bool
    extra_arguments: str = ""
    force_recovery_kernel: bool = False
    array: ArraySpec | None = None
    loader: Loader | None = field(default=None, repr=False)
    restore_id: str = ""
    recovery_menu: bytes = b""
    grub4dos_menu: bytes | None = None
    replaced_secrets: tuple[ReplacedSecret, ...] = ()
    kept_arguments: bytes | None = b""
    emergency_marks: frozenset[str] = frozenset()
    foreign: tuple[str, ...] = ()
    lcd: Lcd = Lcd.NONE

    @property
    def bios(self) -> bool:
        return self.firmware is FirmwareKind.BIOS

    @property
    def primary_uuid(self) -> str:
        """UUID of PRIMARY, used by BIOS menus. Empty on UEFI: boot entries use the label, so that they need no update
        (NVRAM wear)."""
        return volume_uuid(self.restore_id, "primary") if self.bios else ""

    @property
    def tables(self) -> list[tuple[Disk, PartitionTable]]:
        raid = self.array is not None
        return [
            (disk, primary_table(self.firmware, disk.size, raid=raid, names=self.branding)) for disk in self.targets
        ]

    @property
    def boot_volumes(self) -> tuple[BootVolume, ...]:
        return boot_volumes(self.tables, self.mount_points, self.restore_id) if self.bios else ()
