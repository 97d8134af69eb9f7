"""Which volumes can be RECOVERY by their label. A module of its own: boots with a USB disk import it."""

from __future__ import annotations

from gprov.domain.disk.model import FileSystemKind, Volume

RECOVERY_KINDS = frozenset(kind.value for kind in (FileSystemKind.EXT2, FileSystemKind.EXT3, FileSystemKind.EXT4))


def could_be_recovery(volume: Volume, label: str) -> bool:
    """Whether the volume has the label and is of a kind that RECOVERY is ever made as. A stick with NTFS, ISO 9660
    or the like is never RECOVERY, whatever its label."""
    return volume.contents.label == label and volume.contents.kind in RECOVERY_KINDS
