"""Archive for the root of an image: what the running system needs of a kernel besides the kernel itself."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gprov.apps.host.initramfs.cache import Cache
from gprov.apps.host.initramfs.firmware import FirmwareFile
from gprov.apps.host.initramfs.hostfiles import copy_file, fresh_folder, staged_file
from gprov.ports.process import Processes

_SECONDS = 900.0
_TAR = (
    "tar", "--create", "--zstd", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0",
    "--format=gnu", "--mode=u=rwX,go=rX",
)  # fmt: skip


def write_system_tree(
    processes: Processes, cache: Cache, modules: str | None, firmware: Sequence[FirmwareFile], target: str
) -> None:
    """Write a tar archive (zstd) with ``usr/lib/modules`` and ``usr/lib/firmware``. ``modules``: folder from
    ``install_modules``. The same files give the same bytes, with one version of zstd."""
    with cache.lock("system-tree", lambda: None):
        staging = fresh_folder(cache.path("work", "system-tree"))
        if modules is not None:
            processes.run(("cp", "--archive", "--link", f"{modules}/.", staging), timeout=_SECONDS)
        for file in firmware:
            copy_file(file.source, os.path.join(staging, file.target))
        with staged_file(target) as temporary:
            # Without the folders usr and usr/lib: they belong to the root.
            parts = sorted(f"usr/lib/{name}" for name in os.listdir(os.path.join(staging, "usr/lib")))
            processes.run((*_TAR, "--file", temporary, "-C", staging, *parts), timeout=_SECONDS)
        cache.remove(staging)
