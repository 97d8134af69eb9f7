"""``gprov-netsave`` for images: a script and systemd units that keep a unit's network configuration on RECOVERY.

It is put into a root file system before an image is made of that. Nothing of it runs on the host.
"""

from __future__ import annotations

import os
from pathlib import Path

from gprov.apps.build.hostfiles import read_file, translated
from gprov.domain.errors import DeviceMissing, RefusedByPolicy

_SOURCE = os.path.join(os.path.dirname(__file__), "unitfiles")
_PROGRAM = "gprov-netsave"
_PROGRAMS = "usr/sbin"
_UNITS = "usr/lib/systemd/system"
# What starts by itself: unit by the target that wants it, as `systemctl enable` would link it.
_WANTED = {
    "gprov-netsave-baseline.service": "sysinit.target",
    "gprov-netsave.path": "multi-user.target",
    "gprov-netsave.timer": "timers.target",
}


def netsave_files() -> dict[str, bytes]:
    """Content by path below a root. The program, and only that, is executable."""
    names = sorted(os.listdir(_SOURCE))
    return {
        f"{_PROGRAMS if name == _PROGRAM else _UNITS}/{name}": read_file(os.path.join(_SOURCE, name)) for name in names
    }


def install_netsave(root: str) -> tuple[str, ...]:
    """Put it into the root file system in that folder, enabled; returns the paths below it. What is there of an earlier
    version is replaced. Raises DeviceMissing (no systemd there), RefusedByPolicy (a link leads out of the folder)."""
    if not os.path.isdir(os.path.join(root, _UNITS)):
        raise DeviceMissing(os.path.join(root, _UNITS), "is not there: no root file system with systemd")
    files = netsave_files()
    with translated(root):
        for path, content in files.items():
            target = _inside(root, path)
            with open(target, "wb") as file:
                file.write(content)
            os.chmod(target, 0o755 if path.startswith(_PROGRAMS) else 0o644)
        for name, wanting in _WANTED.items():
            link = _inside(root, f"etc/systemd/system/{wanting}.wants/{name}")
            os.symlink(f"/{_UNITS}/{name}", link)
    return (*files, *(f"etc/systemd/system/{wanting}.wants/{name}" for name, wanting in _WANTED.items()))


def _inside(root: str, path: str) -> str:
    """A path below the root where nothing is: its folder is made, what was there is removed."""
    target = os.path.join(root, path)
    folder = os.path.dirname(target)
    if not Path(folder).resolve().is_relative_to(Path(root).resolve()):
        raise RefusedByPolicy(f"{folder} leads out of {root}")
    os.makedirs(folder, mode=0o755, exist_ok=True)
    if os.path.lexists(target):
        os.unlink(target)
    return target
