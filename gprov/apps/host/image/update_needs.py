"""What gprov-update needs of the root file system that it runs in: Python and libcrypto."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from gprov.apps.host.initramfs.hostfiles import os_errors_translated
from gprov.domain.errors import BadInput, Problem

_PYTHON = re.compile(r"usr/bin/python3(?:\.([0-9]+))?")
_OLDEST = 11
_LIBRARY = re.compile(r"(?:usr/)?lib(?:64)?/(?:[^/]+/)?libcrypto\.so\.3")
_PLACES = ("usr/bin", "usr/lib", "usr/lib64", "lib", "lib64")


def require_update_needs(what: str, paths: Iterable[str]) -> None:
    """``paths``: of what is in the root file system, relative to it; those of other files do not matter.

    Raises BadInput, with what is missing.
    """
    versions, named, library = set(), False, False
    for path in paths:
        if found := _PYTHON.fullmatch(path):
            named |= found[1] is None
            versions |= {int(found[1])} if found[1] else set()
        library |= _LIBRARY.fullmatch(path) is not None
    problems = []
    if not named:
        problems.append(Problem("/usr/bin/python3", "is missing: gprov-update needs it (package python3 of Debian)"))
    elif versions and max(versions) < _OLDEST:
        old = f"is Python 3.{max(versions)}: gprov-update needs Python 3.{_OLDEST} or later"
        problems.append(Problem("/usr/bin/python3", old))
    if not library:
        problems.append(Problem("libcrypto.so.3", "is missing: gprov-update needs it (package libssl3 of Debian)"))
    if problems:
        raise BadInput(what, problems)


def paths_of_folder(root: str) -> Iterator[str]:
    """Where programs and libraries are. Links to folders are not followed: they may lead out of ``root``."""
    with os_errors_translated(root):
        for place in _PLACES:
            folder = os.path.join(root, place)
            if os.path.isdir(folder) and not os.path.islink(folder):
                yield from _within(folder, place, deeper=True)


def _within(folder: str, place: str, *, deeper: bool) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield f"{place}/{entry.name}"
            if deeper and entry.is_dir(follow_symlinks=False):
                yield from _within(entry.path, f"{place}/{entry.name}", deeper=False)
