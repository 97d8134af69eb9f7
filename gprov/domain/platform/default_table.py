"""The platform table of whoever has none: virtual machines for trying gprov out."""

from __future__ import annotations

from dataclasses import replace

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.platform.model import Lcd, Platform, RaidLevel, RecoveryMedia, ValidateMethod, Virtualization
from gprov.domain.unit.nics import NicInfo


def default_table() -> tuple[Platform, ...]:
    """A function, since a normal boot should not pay for it."""
    machine = Platform(
        code_name="QEMU-mfg-test",
        family_name="qemu",
        manufacturer="GPROV_QEMU",
        product="mfg_test",
        model_regex=".*",
        serial_field="system-serial-number",
        nic_info=NicInfo(wan_index=0, names=("Port 1 (WAN)",)),
        data_disks=1,
        disk_size=20 << 30,
        recovery_media=RecoveryMedia(validate=ValidateMethod.USB, fs_types=(FileSystemKind.EXT4,), ssd=True),
        lcd=Lcd.NONE,
        disk_is_ssd=True,
        virtualization=Virtualization.QEMU,
        prototype=True,
    )
    return (
        machine,
        _variant(machine, "ipmi", ipmi=True),
        _variant(machine, "raid1", data_disks=2, raid_level=RaidLevel.RAID1),
        _variant(machine, "raid5", data_disks=3, raid_level=RaidLevel.RAID5),
        _variant(machine, "huge", disk_size=3 << 40),
        _variant(machine, "dom", recovery_media=replace(machine.recovery_media, validate=ValidateMethod.SATA)),
    )


def _variant(
    machine: Platform,
    suffix: str,
    *,
    ipmi: bool = False,
    data_disks: int = 1,
    raid_level: RaidLevel | None = None,
    disk_size: int = 20 << 30,
    recovery_media: RecoveryMedia | None = None,
) -> Platform:
    """The same virtual machine with other hardware, which has names of its own."""
    return replace(
        machine,
        code_name=f"{machine.code_name}-{suffix}",
        product=f"{machine.product}_{suffix}",
        ipmi=ipmi,
        data_disks=data_disks,
        raid_level=raid_level,
        disk_size=disk_size,
        recovery_media=recovery_media or machine.recovery_media,
    )
