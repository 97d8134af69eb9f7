"""Installs services (a program and its systemd units) in a root file system, before an image is made of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.domain.errors import DeviceMissing, RefusedByPolicy

_SOURCE = os.path.join(os.path.dirname(__file__), "systemd_units")
_PROGRAMS = "usr/sbin"
_UNITS = "usr/lib/systemd/system"


@dataclass(frozen=True)
class ImageService:
    """``wanted``: enabled unit → the unit whose ``.wants`` folder links it, as by `systemctl enable`."""

    program: str
    units: tuple[str, ...]
    wanted: Mapping[str, str]

    def files(self) -> dict[str, bytes]:
        """Return the content by path relative to the root. Only the program is executable."""
        return {
            f"{_PROGRAMS if name == self.program else _UNITS}/{name}": read_file(os.path.join(_SOURCE, name))
            for name in (self.program, *self.units)
        }

    def install(self, root: str) -> tuple[str, ...]:
        """Install and enable the service in the root file system ``root``. Replaces an earlier version. Returns the
        paths relative to ``root``. Raises DeviceMissing (no systemd in ``root``), RefusedByPolicy (a link leads out of
        ``root``)."""
        if not os.path.isdir(os.path.join(root, _UNITS)):
            raise DeviceMissing(os.path.join(root, _UNITS), "missing: not a root file system with systemd")
        files = self.files()
        links = {f"etc/systemd/system/{wanting}.wants/{name}": name for name, wanting in self.wanted.items()}
        with os_errors_translated(root):
            for path, content in files.items():
                target = _inside(root, path)
                with open(target, "wb") as file:
                    file.write(content)
                os.chmod(target, 0o755 if path.startswith(_PROGRAMS) else 0o644)
            for path, name in links.items():
                os.symlink(f"/{_UNITS}/{name}", _inside(root, path))
        return (*files, *links)


NETSAVE = ImageService(
    "gprov-netsave",
    (
        "gprov-netsave-baseline.service",
        "gprov-netsave-shutdown.service",
        "gprov-netsave.path",
        "gprov-netsave.service",
        "gprov-netsave.timer",
    ),
    {
        "gprov-netsave-baseline.service": "sysinit.target",
        "gprov-netsave.path": "multi-user.target",
        "gprov-netsave.timer": "timers.target",
    },
)
BOOT_GOOD = ImageService(
    "gprov-boot-good",
    ("gprov-boot-good.service", "gprov-boot-recorded.service"),
    {
        "gprov-boot-good.service": "multi-user.target",
        "gprov-boot-recorded.service": "gprov-boot-good.service",
    },
)


def _inside(root: str, path: str) -> str:
    """Return the path in the root. Creates its folder and removes an existing file."""
    target = os.path.join(root, path)
    folder = os.path.dirname(target)
    if not Path(folder).resolve().is_relative_to(Path(root).resolve()):
        raise RefusedByPolicy(f"{folder} leads out of {root}")
    os.makedirs(folder, mode=0o755, exist_ok=True)
    if os.path.lexists(target):
        os.unlink(target)
    return target
