"""Finding RECOVERY on a unit, and choosing the disk that becomes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gprov.domain.disk.model import Bus, Contents, Disk, Volume
from gprov.domain.disk.recovery import (
    attachment_problem,
    attachment_rule,
    check_single_recovery,
    choose_recovery_disk,
    conversion_hint,
    find_recovery,
    why_not_recovery,
)
from gprov.domain.disk.recovery_label import could_be_recovery
from gprov.domain.errors import HardwareMismatch
from gprov.domain.formats.disk.device_number import DeviceNumber
from gprov.domain.mfg.spec import DiskSpec
from gprov.domain.platform.default_table import default_table
from gprov.domain.platform.model import LocateMethod, RecoveryMedia, ValidateMethod

GB = 10**9


def disk(name: str, size: int, minor: int, bus: Bus = Bus.USB, vendor: str = "", model: str = "") -> Disk:
    return Disk(
        name=name, node=f"/dev/{name}", device=DeviceNumber(8, minor), size=size, bus=bus, vendor=vendor, model=model
    )


def volume(on: Disk, label: str) -> Volume:
    return Volume(
        disk=on, node=f"{on.node}1", device=DeviceNumber(8, on.device.minor + 1), contents=Contents("ext4", label)
    )


def test_found_by_label_alone() -> None:
    key, data = disk("sda", 8 * GB, 0), disk("sdb", 100 * GB, 16)
    volumes = [volume(data, "PRIMARY"), volume(key, "RECOVERY")]
    assert find_recovery(volumes, "RECOVERY") == volumes[1]
    assert find_recovery(volumes, "recovery") is None


def test_the_platform_rule_decides_between_two() -> None:
    key, dom = disk("sda", 8 * GB, 0), disk("sdb", 8 * GB, 16, Bus.ATA)
    volumes = [volume(key, "RECOVERY"), volume(dom, "RECOVERY")]
    assert find_recovery(volumes, "RECOVERY", ValidateMethod.SATA) == volumes[1]
    assert find_recovery(volumes, "RECOVERY", ValidateMethod.USB) == volumes[0]
    with pytest.raises(HardwareMismatch, match="2 volumes are labelled RECOVERY: /dev/sda1, /dev/sdb1"):
        find_recovery(volumes, "RECOVERY")


def test_the_label_on_the_wrong_kind_of_disk_is_refused_not_ignored() -> None:
    with pytest.raises(HardwareMismatch, match="attached by ata, must be usb"):
        find_recovery([volume(disk("sda", 8 * GB, 0, Bus.ATA), "RECOVERY")], "RECOVERY", ValidateMethod.USB)


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        (ValidateMethod.NONE, set(Bus)),
        (ValidateMethod.USB, {Bus.USB}),
        (ValidateMethod.SATA, {Bus.ATA}),
        (ValidateMethod.P9, set()),
    ],
)
def test_attachment_rules(rule: ValidateMethod, good: set[Bus]) -> None:
    assert {bus for bus in Bus if not attachment_problem(disk("sda", GB, 0, bus), rule)} == good


SPEC = DiskSpec(size=8 * GB, tolerance_percent=5, vendor="SanDisk", model="Ultra Fit")


def test_one_candidate_is_taken_however_its_name_is_padded() -> None:
    key = disk("sdb", 8 * GB, 16, vendor="SANDISK ", model="Ultra Fit       ")
    assert choose_recovery_disk([disk("sda", 8 * GB, 0, vendor="Other"), key], SPEC, {}) == key


def test_two_candidates_are_refused_by_name() -> None:
    disks = [
        disk(f"sd{letter}", 8 * GB, minor, vendor="SanDisk", model="Ultra Fit")
        for letter, minor in zip("ab", (0, 16), strict=True)
    ]
    with pytest.raises(HardwareMismatch, match="2 candidates match: /dev/sda, /dev/sdb"):
        choose_recovery_disk(disks, SPEC, {})
    assert choose_recovery_disk(disks, SPEC, {disks[0].device: "has a file system mounted at /"}) == disks[1]


def test_none_names_the_nearest_and_what_is_wrong_with_it() -> None:
    near = disk("sdb", 8 * GB + 1, 16, vendor="SanDisk", model="Ultra Fit")
    far = disk("sda", 100 * GB, 0, Bus.ATA)
    barred = disk("sdc", 8 * GB, 32, vendor="SanDisk", model="Ultra Fit")
    with pytest.raises(HardwareMismatch, match=r"nearest is /dev/sdb .*: size is 8000000001 bytes") as caught:
        choose_recovery_disk([far, near, barred], DiskSpec(size=8 * GB), {barred.device: "was booted from"})
    assert any("was booted from" in line for line in caught.value.details())


def test_no_disks_at_all() -> None:
    with pytest.raises(HardwareMismatch, match="no disk to choose from"):
        choose_recovery_disk([], SPEC, {})


def test_the_bus_counts_when_choosing_too() -> None:
    with pytest.raises(HardwareMismatch, match="must be usb"):
        choose_recovery_disk([disk("sda", 8 * GB, 0, Bus.ATA)], DiskSpec(size=8 * GB), {}, ValidateMethod.USB)


def test_a_volume_that_would_be_a_second_recovery_is_refused_before_the_first_is_made() -> None:
    chosen, other, inside = disk("sda", 8 * GB, 0), disk("sdb", 8 * GB, 16), disk("sdc", 8 * GB, 32, Bus.ATA)
    volumes = [volume(chosen, "RECOVERY"), volume(other, "RECOVERY"), volume(inside, "RECOVERY")]
    with pytest.raises(HardwareMismatch, match=r"made on /dev/sda, but another .* RECOVERY: /dev/sdb1$"):
        check_single_recovery(volumes, "RECOVERY", chosen, ValidateMethod.USB)
    with pytest.raises(HardwareMismatch, match="/dev/sdb1, /dev/sdc1"):
        check_single_recovery(volumes, "RECOVERY", chosen)
    check_single_recovery([volumes[0], volumes[2]], "RECOVERY", chosen, ValidateMethod.USB)


def test_a_recovery_that_is_no_device_is_refused() -> None:
    platform = default_table()[0]
    assert attachment_rule(platform) is ValidateMethod.USB
    for media in (
        RecoveryMedia(locate=LocateMethod.P9, validate=ValidateMethod.NONE, fs_types=()),
        RecoveryMedia(locate=LocateMethod.BY_LABEL, validate=ValidateMethod.P9),
    ):
        with pytest.raises(HardwareMismatch, match=r"QEMU-mfg-test: .*9p.* not supported: give .* a disk .*byLabel"):
            attachment_rule(replace(platform, recovery_media=media))


@pytest.mark.parametrize(
    "kind", ["ntfs", "iso9660", "LVM2_member", "vfat", "crypto_LUKS", "udf", "exfat", "swap", "xfs"]
)
def test_a_file_system_that_gprov_never_makes_is_no_recovery(kind: str) -> None:
    """It neither is RECOVERY nor keeps a unit from finding its own."""
    key, stick = disk("sda", 8 * GB, 0), disk("sdb", 8 * GB, 16)
    own, other = volume(key, "RECOVERY"), replace(volume(stick, "RECOVERY"), contents=Contents(kind, "RECOVERY"))
    assert find_recovery([own, other], "RECOVERY") == own
    assert find_recovery([other], "RECOVERY") is None
    check_single_recovery([own, other], "RECOVERY", key)
    assert why_not_recovery(other) == f"holds {kind}, must be ext2 or ext3 or ext4"
    assert ("is that of gprovision" in conversion_hint([other])) == (kind in ("ntfs", "vfat"))
    assert why_not_recovery(own) == ""


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_file_systems_of_recovery(kind: str) -> None:
    own = replace(volume(disk("sda", 8 * GB, 0), "RECOVERY"), contents=Contents(kind, "RECOVERY"))
    assert find_recovery([own], "RECOVERY") == own
    assert not could_be_recovery(own, "OTHER")
