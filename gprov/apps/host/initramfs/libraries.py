"""Finds shared libraries: the closure over DT_NEEDED, with the search path of the distribution's loader."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from gprov.apps.host.initramfs.elf import elf_dependencies, is_elf
from gprov.apps.host.initramfs.hostfiles import read_file
from gprov.apps.host.initramfs.rootfs import inside
from gprov.domain.errors import DeviceMissing

# Built-in search path of Debian's loader, the same on a unit (ld.so.cache is only an index).
SEARCH_PATH = ("/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/lib64")
LIBRARY_FOLDER = "/usr/lib/x86_64-linux-gnu"


class Libraries:
    """Collects the libraries of programs. ``files`` maps the path in the initramfs to the host's file."""

    def __init__(self, search_path: tuple[str, ...] = SEARCH_PATH) -> None:
        self._search_path = search_path
        self._files: dict[str, str] = {}

    def add_dependencies_of(self, host_path: str) -> None:
        """Add the loader and all direct and indirect libraries of a program or library. A file that is not ELF (a
        script, data) has none. Raises DeviceMissing for a library that is not installed."""
        pending = [host_path]
        seen = set(self._files.values())
        while pending:
            path = pending.pop()
            for target, found in self._direct(path).items():
                self._files.setdefault(target, found)
                if found not in seen:
                    seen.add(found)
                    pending.append(found)

    def add(self, name: str, package: str) -> None:
        """Add a library that programs open by name at run time, with its dependencies."""
        path = self._find(name, (), f"it is in the Debian package {package}")
        self._files.setdefault(inside(f"{LIBRARY_FOLDER}/{name}"), path)
        self.add_dependencies_of(path)

    def files(self) -> Mapping[str, str]:
        return dict(self._files)

    def _direct(self, path: str) -> dict[str, str]:
        content = read_file(path)
        if not is_elf(content):
            return {}
        dependencies = elf_dependencies(content, path)
        found: dict[str, str] = {}
        if dependencies.interpreter:
            found[inside(dependencies.interpreter)] = os.path.realpath(dependencies.interpreter)
        extra = tuple(part.replace("$ORIGIN", os.path.dirname(path)) for part in dependencies.run_path)
        for name in dependencies.libraries:
            source = self._find(name, extra, f"{path} needs it")
            # A library from a run path keeps its path, so that the program finds it.
            private = not source.startswith(tuple(f"{folder}/" for folder in self._search_path))
            found[inside(source if private else f"{LIBRARY_FOLDER}/{name}")] = os.path.realpath(source)
        return found

    def _find(self, name: str, extra: Iterable[str], reason: str) -> str:
        for folder in (*extra, *self._search_path):
            path = os.path.normpath(os.path.join(folder, name))
            if os.path.exists(path):
                return path
        raise DeviceMissing(name, f"no such shared library; {reason}")
