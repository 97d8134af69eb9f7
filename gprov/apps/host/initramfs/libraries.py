"""Finds shared libraries: the closure over DT_NEEDED, with the search path of their system's loader."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from gprov.apps.host.initramfs.elf import elf_dependencies, is_elf
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.initramfs.rootfs import inside
from gprov.apps.host.initramfs.sources import HOST, SourceSystem
from gprov.domain.errors import DeviceMissing

# The one folder that the 32-bit loaders of all search.
LIBRARY_FOLDER_32 = "/usr/lib"
_HINT_32 = "; 32-bit libraries are in libc6-i386, lib32gcc-s1, lib32stdc++6, lib32z1, or in packages of i386"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where libraries of one word size are: ``search`` in their system, ``folder`` in the initramfs."""

    search: tuple[str, ...]
    folder: str
    hint: str = ""

    def holds(self, path: str) -> bool:
        return path.startswith(tuple(f"{folder}/" for folder in self.search))


class Libraries:
    """Collects the libraries of programs. ``files`` maps the path in the initramfs to the host's file."""

    def __init__(self, system: SourceSystem = HOST) -> None:
        self._system = system
        self._places = {
            64: _Place(system.search_path, system.library_folder),
            32: _Place(system.search_path_32, LIBRARY_FOLDER_32, _HINT_32 if system.is_host else ""),
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
        name = self._system.libraries.get(name, name)
        _, path = self._find(name, place.search, self._system.hint(package))
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
            loader = self._system.locate(dependencies.interpreter)
            if loader is None:
                raise DeviceMissing(dependencies.interpreter, f"no such loader; {path} needs it{place.hint}")
            found[inside(dependencies.interpreter)] = loader
        origin = os.path.dirname(self._system.inner(path))
        extra = tuple(part.replace("$ORIGIN", origin) for part in dependencies.run_path)
        for name in dependencies.libraries:
            if name in provided:
                continue
            library, file = self._find(name, (*extra, *place.search), f"{path} needs it{place.hint}")
            # A library from a run path keeps its path, so that the program finds it.
            target = f"{place.folder}/{name}" if place.holds(library) else library
            found[inside(target)] = file
        return found

    def _find(self, name: str, folders: Iterable[str], reason: str) -> tuple[str, str]:
        """Return the library's path in its system, and the host's path of its file."""
        for folder in folders:
            path = os.path.normpath(os.path.join(folder, name))
            file = self._system.locate(path)
            if file is not None:
                return path, file
        raise DeviceMissing(name, f"no such shared library; {reason}")
