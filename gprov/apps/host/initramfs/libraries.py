"""Finds shared libraries: the closure over DT_NEEDED, with the search path of the distribution's loader."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gprov.apps.host.initramfs.elf import elf_dependencies, is_elf
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.initramfs.rootfs import inside
from gprov.domain.errors import DeviceMissing

# Built-in search path of Debian's loader, the same on a unit (ld.so.cache is only an index).
SEARCH_PATH = ("/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64")
LIBRARY_FOLDER = "/usr/lib/x86_64-linux-gnu"
# Where Debian has 32-bit libraries: packages of amd64 (libc6-i386, lib32stdc++6), and packages of i386 (libc6:i386).
SEARCH_PATH_32 = ("/usr/lib32", "/usr/lib/i386-linux-gnu")
# The one folder that the 32-bit loaders of both search.
LIBRARY_FOLDER_32 = "/usr/lib"
_HINT_32 = "; 32-bit libraries are in libc6-i386, lib32gcc-s1, lib32stdc++6, lib32z1, or in packages of i386"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where libraries of one word size are: ``search`` on the host, ``folder`` in the initramfs."""

    search: tuple[str, ...]
    folder: str
    hint: str = ""

    def holds(self, path: str) -> bool:
        return path.startswith(tuple(f"{folder}/" for folder in self.search))


class Libraries:
    """Collects the libraries of programs. ``files`` maps the path in the initramfs to the host's file."""

    def __init__(
        self, search_path: tuple[str, ...] = SEARCH_PATH, search_path_32: tuple[str, ...] = SEARCH_PATH_32
    ) -> None:
        self._places = {
            64: _Place(search_path, LIBRARY_FOLDER),
            32: _Place(search_path_32, LIBRARY_FOLDER_32, _HINT_32),
        }
        self._files: dict[str, str] = {}

    def add_dependencies_of(self, host_path: str, provided: Collection[str] = ()) -> None:
        """Add the loader and all direct and indirect libraries of a program or library. A file that is not ELF (a
        script, data) has none. ``provided``: names of libraries that come with it. Raises DeviceMissing for a library
        that is not installed."""
        pending = [host_path]
        seen = set(self._files.values())
        while pending:
            path = pending.pop()
            for target, found in self._direct(path, provided).items():
                self._files.setdefault(target, found)
                if found not in seen:
                    seen.add(found)
                    pending.append(found)

    def add(self, name: str, package: str, bits: int = 64) -> None:
        """Add a library that programs open by name at run time, with its dependencies."""
        place = self._places[bits]
        path = _find(name, place.search, f"it is in the Debian package {package}")
        self._files.setdefault(inside(f"{place.folder}/{name}"), path)
        self.add_dependencies_of(path)

    def files(self) -> Mapping[str, str]:
        return dict(self._files)

    def _direct(self, path: str, provided: Collection[str]) -> dict[str, str]:
        content = read_file(path)
        if not is_elf(content):
            return {}
        dependencies = elf_dependencies(content, path)
        place = self._places[dependencies.bits]
        found: dict[str, str] = {}
        if dependencies.interpreter:
            loader = os.path.realpath(dependencies.interpreter)
            if not os.path.exists(loader):
                raise DeviceMissing(dependencies.interpreter, f"no such loader; {path} needs it{place.hint}")
            found[inside(dependencies.interpreter)] = loader
        extra = tuple(part.replace("$ORIGIN", os.path.dirname(path)) for part in dependencies.run_path)
        for name in dependencies.libraries:
            if name in provided:
                continue
            source = _find(name, (*extra, *place.search), f"{path} needs it{place.hint}")
            # A library from a run path keeps its path, so that the program finds it.
            target = f"{place.folder}/{name}" if place.holds(source) else source
            found[inside(target)] = os.path.realpath(source)
        return found


def _find(name: str, folders: Iterable[str], reason: str) -> str:
    for folder in folders:
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.exists(path):
            return path
    raise DeviceMissing(name, f"no such shared library; {reason}")
