"""Images: xz-compressed tar archives of a root file system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gprov.domain.image.contents import VerifiedImage

# done and total in bytes of the compressed file
ProgressReport = Callable[[int, int], None]


class Archives(Protocol):
    def verify(self, path: str, progress: ProgressReport, most: int | None = None) -> VerifiedImage:
        """Read the image from its first to its last byte and check everything that its format promises. One that says
        it unpacks to more than ``most`` bytes is refused before anything of it is unpacked.

        Raises IntegrityFault (naming file and offset), BadInput (facts inside that do not parse),
        DeviceFault (the medium cannot be read). Writes nothing.
        """

    def extract(self, image: VerifiedImage, target: str, progress: ProgressReport) -> None:
        """Unpack into the empty folder ``target`` with owners (numeric), modes, times, links, devices, sparse
        files, ACLs and extended attributes of all namespaces. Not flushed: the caller syncs the volume.

        Checks again that what it decodes is what was verified. Raises IntegrityFault, ToolFailed, DeviceFault.
        """
