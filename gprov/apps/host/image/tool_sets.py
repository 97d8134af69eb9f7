"""Tools for the running system: what belongs to each, and how they get into a root file system.

The tools are shell scripts below ``tools/``, but for the agent for updates. docs/reference/image-tools.md lists them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gprov.apps.host.image.update_program import update_program
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.domain.branding import Branding
from gprov.domain.errors import DeviceMissing, RefusedByPolicy
from gprov.domain.mountpoints import MountPoints

_SOURCE = os.path.join(os.path.dirname(__file__), "tools")
_PROGRAMS = "usr/sbin"
# Programs that only print, for all users: Debian's users other than root have no sbin in PATH.
_PROGRAMS_FOR_ALL = "usr/bin"
_FOR_ALL = ("gprov-currentboot", "gprov-identify", "gprov-imgmeta", "gprov-kver")
_LIBRARY = "usr/lib/gprov"
_UNITS = "usr/lib/systemd/system"
_NAMES = f"{_LIBRARY}/names"


@dataclass(frozen=True, kw_only=True)
class ToolSet:
    """``programs``, ``library`` (what programs source), ``units`` (of systemd) and ``settings`` (of other programs,
    path relative to the root → name below ``tools/units``) by file name. ``wanted``: unit → the unit whose ``.wants``
    folder links it, so that it is enabled. ``made``: further programs, by file name, with what makes them."""

    programs: tuple[str, ...]
    library: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, Callable[[Branding], bytes]] = field(default_factory=dict)

    def files(self, branding: Branding | None = None) -> dict[str, bytes]:
        """Return the content by path relative to the root. Programs alone are executable (``is_program``)."""
        names = branding or Branding()
        found = {_path_of(name): _content("sbin", name) for name in self.programs}
        found |= {f"{_LIBRARY}/{name}": _content("lib", name) for name in self.library}
        found |= {f"{_UNITS}/{name}": _of_product(_content("units", name), names) for name in self.units}
        found |= {path: _content("units", name) for path, name in self.settings.items()}
        found |= {f"{_PROGRAMS}/{name}": make(names) for name, make in self.made.items()}
        return found | ({_NAMES: product_names(names)} if self.library else {})

    def links(self) -> dict[str, str]:
        """Return the targets of the symbolic links that enable units, by path relative to the root. They are in the
        vendor's folder: `systemctl mask` in the image disables a unit."""
        return {f"{_UNITS}/{wanting}.wants/{name}": f"../{name}" for name, wanting in self.wanted.items()}

    def install(self, root: str, branding: Branding | None = None) -> tuple[str, ...]:
        """Install and enable the tools in the root file system ``root``. Replaces an earlier version. Returns the paths
        relative to ``root``. Raises DeviceMissing (no systemd in ``root``), RefusedByPolicy (a link leads out of
        ``root``)."""
        if not os.path.isdir(os.path.join(root, _UNITS)):
            raise DeviceMissing(os.path.join(root, _UNITS), "missing: not a root file system with systemd")
        files, links = self.files(branding), self.links()
        with os_errors_translated(root):
            for name in set(_FOR_ALL).intersection(self.programs):
                _inside(root, f"{_PROGRAMS}/{name}")  # where earlier versions have it
            for path, content in files.items():
                target = _inside(root, path)
                with open(target, "wb") as file:
                    file.write(content)
                os.chmod(target, mode_of(path))
            for path, name in links.items():
                os.symlink(name, _inside(root, path))
        return (*files, *links)


NETSAVE = ToolSet(
    programs=("gprov-netsave",),
    units=(
        "gprov-netsave-baseline.service",
        "gprov-netsave-shutdown.service",
        "gprov-netsave.path",
        "gprov-netsave.service",
        "gprov-netsave.timer",
    ),
    wanted={
        "gprov-netsave-baseline.service": "sysinit.target",
        "gprov-netsave.path": "multi-user.target",
        "gprov-netsave.timer": "timers.target",
    },
)
BOOT_GOOD = ToolSet(
    programs=("gprov-boot-good",),
    units=("gprov-boot-good.service", "gprov-boot-recorded.service"),
    wanted={
        "gprov-boot-good.service": "multi-user.target",
        "gprov-boot-recorded.service": "gprov-boot-good.service",
    },
)
ALL_TOOLS = ToolSet(
    programs=(
        *NETSAVE.programs,
        *BOOT_GOOD.programs,
        "gprov-blink",
        "gprov-coredump-upload",
        "gprov-currentboot",
        "gprov-erase",
        "gprov-factory-restore",
        "gprov-identify",
        "gprov-imgmeta",
        "gprov-kver",
        "gprov-lcd-message",
        "gprov-nic-config",
    ),
    library=("common.sh", "efi.awk", "json.awk", "request.sh"),
    units=(
        *NETSAVE.units,
        *BOOT_GOOD.units,
        "gprov-coredump-upload.service",
        "gprov-coredump-upload.timer",
        "gprov-nic-config.service",
    ),
    settings={"usr/lib/systemd/coredump.conf.d/50-gprov.conf": "coredump.conf"},
    wanted={
        **NETSAVE.wanted,
        **BOOT_GOOD.wanted,
        "gprov-coredump-upload.timer": "timers.target",
        "gprov-nic-config.service": "sysinit.target",
    },
)


UPDATE = ToolSet(
    programs=(),
    units=("gprov-update.service",),
    wanted={"gprov-update.service": "multi-user.target"},
    made={"gprov-update": update_program},
)
# The agent needs what confirms a start and what requests a restore.
TOOLS_AND_UPDATE = ToolSet(
    programs=ALL_TOOLS.programs,
    library=ALL_TOOLS.library,
    units=(*ALL_TOOLS.units, *UPDATE.units),
    settings=ALL_TOOLS.settings,
    wanted={**ALL_TOOLS.wanted, **UPDATE.wanted},
    made=UPDATE.made,
)


def mode_of(path: str) -> int:
    """Permissions of a file of ``ToolSet.files``."""
    return 0o755 if os.path.dirname(path) in (_PROGRAMS, _PROGRAMS_FOR_ALL) else 0o644


def _path_of(program: str) -> str:
    return f"{_PROGRAMS_FOR_ALL if program in _FOR_ALL else _PROGRAMS}/{program}"


def product_names(branding: Branding) -> bytes:
    """The names of a product that tools need, as assignments of a shell."""
    names = {
        "recovery_label": branding.recovery_label,
        "config": branding.config_folder,
        "log": branding.log_folder,
        "image_prefix": branding.image_prefix,
        "mac_prefix": branding.mac_prefix,
    }
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in names.items())
    return "".join(("# Names of this product, by gprov image tools.\n", *lines)).encode()


def _content(folder: str, name: str) -> bytes:
    return read_file(os.path.join(_SOURCE, folder, name))


def _of_product(unit: bytes, branding: Branding) -> bytes:
    """A unit, written for the default names, with those of a product."""
    usual, default = MountPoints(), Branding()
    own = MountPoints.named(branding)
    unit = unit.replace(usual.recovery.encode(), own.recovery.encode())
    unit = unit.replace(_mount_unit(usual.recovery).encode(), _mount_unit(own.recovery).encode())
    return unit.replace(f"{default.config_folder}/".encode(), f"{branding.config_folder}/".encode())


def parents(paths: Iterator[str]) -> list[str]:
    """All folders above these paths, each behind its own parent."""
    return sorted({str(folder) for path in paths for folder in Path(path).parents if str(folder) != "."})


def _mount_unit(path: str) -> str:
    """As systemd-escape(1) makes it, of a path with folders of any ASCII characters."""
    escaped = re.sub(r"[^A-Za-z0-9:_./]|^[.]", lambda one: rf"\x{ord(one[0]):02x}", path.strip("/"))
    return escaped.replace("/", "-") + ".mount"


def _inside(root: str, path: str) -> str:
    """Return the path in the root. Creates its folder and removes an existing file."""
    target = os.path.join(root, path)
    folder = os.path.dirname(target)
    if not Path(folder).resolve().is_relative_to(Path(root).resolve()):
        raise RefusedByPolicy(f"{folder} leads out of {root}")
    new = [parent for parent in (Path(folder), *Path(folder).parents) if not parent.exists()]
    os.makedirs(folder, exist_ok=True)
    for parent in new:  # whatever the umask
        parent.chmod(0o755)
    if os.path.lexists(target):
        os.unlink(target)
    return target
