"""Reading images: xz-compressed tar archives of a root file system. Unpacking is ``gprov.ports.destructive``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gprov.domain.image.contents import VerifiedImage

# Done and total, in bytes of the compressed file.
ProgressReport = Callable[[int, int], None]


class Archives(Protocol):
    def verify(self, path: str, progress: ProgressReport, most: int) -> VerifiedImage:
        """Read the image from its first to its last byte and check all checksums and tar headers. An image whose stated
        size is more than ``most`` bytes unpacked is refused before anything of it is decoded.

        Raises IntegrityFault (naming file and offset), BadInput (facts inside that do not parse),
        DeviceFault (the medium cannot be read). Writes nothing.
        """

    def verify_stored(self, expected: VerifiedImage, progress: ProgressReport, most: int) -> None:
        """Read the file at ``expected.path`` from its first to its last byte and compare it with the size, the SHA-256
        and the unpacked size that a signed manifest states. Nothing is decoded: what the manifest says about the
        content is taken as it is. ``ImageUnpacker.extract`` of ``expected`` then decodes the image once. An image
        that unpacks to more than ``most`` bytes is refused before it is hashed.

        Raises IntegrityFault, DeviceFault (the medium cannot be read). Writes nothing.
        """
