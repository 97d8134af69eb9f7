"""Which members of an image a restore plan needs."""

from __future__ import annotations

from gprov.domain.branding import Branding
from gprov.domain.formats.image.capture import BOOT_FOLDER, CapturedNames


def captured_names(branding: Branding) -> CapturedNames:
    init = branding.real_init.strip("/").encode()
    return CapturedNames(
        BOOT_FOLDER + branding.boot_kernel.encode(),
        f"{branding.config_folder.strip('/')}/imgmeta.json".encode(),
        frozenset((init, init.removeprefix(b"usr/"))),
        frozenset((b"etc/passwd", b"etc/group", b"etc/shadow", b"etc/fstab")),
    )
