"""The built-in default platform table: virtual machines for tests."""

from __future__ import annotations

from dataclasses import replace

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.platform.model import Lcd, Platform, RaidLevel, RecoveryMedia, ValidateMethod, Virtualization
from gprov.domain.unit.nics import NicInfo


def default_table() -> tuple[Platform, ...]:
    """Built on demand, so that a normal boot does not spend time on it."""
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
    recovery_dom = replace(machine.recovery_media, validate=ValidateMethod.SATA)
    recovery_anywhere = replace(machine.recovery_media, validate=ValidateMethod.NONE)
    return (
        machine,
        replace(_named(machine, "ipmi"), ipmi=True),
        replace(_named(machine, "raid1"), data_disks=2, raid_level=RaidLevel.RAID1),
        replace(_named(machine, "raid5"), data_disks=3, raid_level=RaidLevel.RAID5),
        replace(_named(machine, "huge"), disk_size=3 << 40),
        replace(_named(machine, "dom"), recovery_media=recovery_dom),
        replace(_named(machine, "internal"), recovery_media=recovery_anywhere),
        replace(_named(machine, "small"), disk_size=1 << 30),
        replace(_named(machine, "smallraid1"), disk_size=1 << 30, data_disks=2, raid_level=RaidLevel.RAID1),
    )


def _named(machine: Platform, suffix: str) -> Platform:
    """The same virtual machine with another name."""
    return replace(machine, code_name=f"{machine.code_name}-{suffix}", product=f"{machine.product}_{suffix}")
