"""A platform: properties of a model of appliance, and the data that identifies it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.unit.nics import NicInfo

SET_TOLERANCE_PCT = 1  # what md accepts between the members of an array
TARGET_TOLERANCE_PCT = 5


class RaidLevel(IntEnum):
    """Levels of software RAID; the value is md's number."""

    RAID0 = 0
    RAID1 = 1
    RAID5 = 5
    RAID6 = 6
    RAID10 = 10

    @property
    def min_disks(self) -> int:
        """Minimum number of disks of an array."""
        return {RaidLevel.RAID5: 3, RaidLevel.RAID6: 4, RaidLevel.RAID10: 4}.get(self, 2)


class FakeraidType(Enum):
    """Metadata formats of firmware RAID."""

    DDF = "DDF"
    IMSM = "iMSM"


class LocateMethod(Enum):
    """How RECOVERY is found."""

    BY_LABEL = "byLabel"
    P9 = "9p"


class ValidateMethod(Enum):
    """How the RECOVERY disk must be attached."""

    NONE = "none"
    USB = "usb"
    SATA = "sata"
    P9 = "9p"


class Lcd(Enum):
    """Crystalfontz displays."""

    CFA635 = "635"
    CFA631 = "631"
    NONE = "none"


class Virtualization(IntEnum):
    """Kinds of virtual machines; the value is that of ``Virttype``."""

    BARE_METAL = 0
    HYPER_V = 1
    KVM = 2
    QEMU = 3
    VIRTUAL_BOX = 4
    VMWARE = 5


@dataclass(frozen=True, slots=True)
class ModelField:
    """SMBIOS field of the model if it is not the system's SKU number: structure type and dmidecode's label."""

    type: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryMedia:
    """``fs_types``: file systems for RECOVERY, preferred one first; empty for 9p. ``extra_options``: mount options,
    separated by commas, that follow the usual ones or, with ``override_options``, replace them.
    ``admin_owns_folders``: the image's account for people owns the folders of images and logs."""

    locate: LocateMethod = LocateMethod.BY_LABEL
    validate: ValidateMethod = ValidateMethod.NONE
    fs_types: tuple[FileSystemKind, ...] = (FileSystemKind.EXT4,)
    extra_options: str = ""
    override_options: bool = False
    ssd: bool = False
    admin_owns_folders: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One model of appliance: one entry of ``Variants``.

    ``manufacturer`` and ``product`` are the base board's (or the system's) names, ``model_regex`` is searched in its
    SKU number or in ``model_field``; ``cpu`` lists processor versions, empty for any. ``serial_field`` is a keyword
    of dmidecode. ``disk_size`` in bytes; ``set_tolerance_pct``: between the data disks, ``target_tolerance_pct``: of
    each data disk against ``disk_size``. ``raid_level`` None: no software RAID.
    """

    code_name: str
    family_name: str
    manufacturer: str
    product: str
    model_regex: str
    serial_field: str
    nic_info: NicInfo
    data_disks: int
    disk_size: int
    recovery_media: RecoveryMedia
    lcd: Lcd
    raid_level: RaidLevel | None = None
    model_field: ModelField | None = None
    cpu: tuple[str, ...] = ()
    ipmi: bool = False
    ipmi_channel: int = 0
    disk_is_ssd: bool = False
    fakeraid_type: FakeraidType | None = None
    bios_config_tool: str = ""
    ipmi_config_tool: str = ""
    virtualization: Virtualization = Virtualization.BARE_METAL
    partition_offset: str = ""
    low_memory: bool = False
    prototype: bool = False
    set_tolerance_pct: int = SET_TOLERANCE_PCT
    target_tolerance_pct: int = TARGET_TOLERANCE_PCT
