"""The platform table of whoever has none: virtual machines for trying gprov out."""

from __future__ import annotations

from dataclasses import replace

from gprov.domain.disk.model import FileSystemKind
from gprov.domain.platform.model import Lcd, Platform, RecoveryMedia, ValidateMethod, Virtualization
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
    return (machine, replace(machine, code_name="QEMU-mfg-test-ipmi", product="mfg_test_ipmi", ipmi=True))
