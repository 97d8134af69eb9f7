"""Volumes of another name are mounted elsewhere, in the system as in gprov itself."""

from __future__ import annotations

from gprov.domain.branding import Branding
from gprov.domain.disk.model import FileSystemKind
from gprov.domain.disk.primary_fstab import FstabFacts, FstabVolume, primary_fstab
from gprov.domain.formats.owner import Owner
from gprov.domain.mountpoints import MountPoints


def test_mount_points_are_named_after_the_volumes() -> None:
    assert MountPoints.named(Branding()) == MountPoints()
    mount_points = MountPoints.named(Branding(recovery_label="RESCUE", esp_label="EFI", primary_label="ROOT"))
    ext4, vfat = FileSystemKind.EXT4, FileSystemKind.VFAT
    facts = FstabFacts(
        root=FstabVolume("LABEL=ROOT", ext4),
        recovery=FstabVolume("UUID=1", ext4),
        esp=FstabVolume("UUID=2", vfat),
        mount_points=mount_points,
    )
    entries = primary_fstab(facts, Owner(1000, 1000))
    assert [entry.target for entry in entries] == ["/", "/mnt/RESCUE", "/mnt/RESCUE/EFI"]
    assert (mount_points.recovery, mount_points.esp, mount_points.primary) == (
        "/mnt/RESCUE",
        "/mnt/RESCUE/EFI",
        "/mnt/ROOT",
    )
