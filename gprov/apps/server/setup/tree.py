"""The files of a folder that is taken over."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from gprov.apps.server.setup.reading import MOST_BYTES
from gprov.domain.errors import DeviceFault, DeviceMissing
from gprov.domain.factory.setup.gprovision import is_database


@dataclass(frozen=True, slots=True)
class Tree:
    """Relative paths. ``files``: regular ones, with their size; ``databases``: folders of log servers, whose files are
    not among ``files``; ``skipped``: reason by path."""

    files: Mapping[str, int]
    databases: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def small_json(self) -> list[str]:
        return sorted(path for path, size in self.files.items() if path.endswith(".json") and size <= MOST_BYTES)


def read_tree(folder: str) -> Tree:
    """Links are not followed. Raises DeviceMissing, DeviceFault."""
    if not os.path.isdir(folder):
        raise DeviceMissing(folder, "no such folder")
    files: dict[str, int] = {}
    skipped: dict[str, str] = {}
    databases: list[str] = []

    def refuse(exc: OSError) -> None:
        raise DeviceFault(str(exc.filename), f"cannot be read: {exc.strerror}", errno=exc.errno) from exc

    for parent, folders, names in os.walk(folder, onerror=refuse):
        relative = os.path.relpath(parent, folder)
        if is_database(names):
            databases.append(relative)
            folders.clear()
            continue
        folders.sort()
        linked = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in sorted([*names, *linked]):
            path = os.path.normpath(os.path.join(relative, name))
            found = os.lstat(os.path.join(parent, name))
            if stat.S_ISREG(found.st_mode):
                files[path] = found.st_size
            else:
                what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no regular file"
                skipped[path] = f"is {what}: copy what it stands for by hand if units need it"
    return Tree(files, tuple(databases), skipped)
