"""Reading images: xz-compressed tar archives of a root file system. Unpacking is ``gprov.ports.destructive``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gprov.domain.image.contents import VerifiedImage

# Done and total, in bytes of the compressed file.
ProgressReport = Callable[[int, int], None]


class Archives(Protocol):
    def verify(self, path: str, progress: ProgressReport, most: int | None = None) -> VerifiedImage:
        """Read the image from its first to its last byte and check all checksums and tar headers. An image whose stated
        size is more than ``most`` bytes unpacked is refused before anything of it is decoded.

        Raises IntegrityFault (naming file and offset), BadInput (facts inside that do not parse),
        DeviceFault (the medium cannot be read). Writes nothing.
        """
