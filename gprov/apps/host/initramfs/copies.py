"""Copies files and folders of an adopter into an initramfs: programs of vendors with their data and libraries."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator

from gprov.apps.host.initramfs.cpio import folder, regular, symlink
from gprov.apps.host.initramfs.hostfiles import os_errors_translated, read_file
from gprov.apps.host.initramfs.libraries import Libraries
from gprov.apps.host.initramfs.parts import Part, PartKind
from gprov.apps.host.initramfs.rootfs import RootTree, inside
from gprov.domain.errors import BadInput, DeviceMissing, Problem
from gprov.domain.mfg.stepenv import SHEBANG_BYTES, interpreter

_ANY_EXECUTE = 0o111
_BIN = ("usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin")


def add_copy(tree: RootTree, libraries: Libraries, target: str, source: str) -> None:
    """Add a file, or a folder with all that it holds, at the absolute path ``target``: permissions and links stay,
    everything belongs to root. Libraries that the programs need come along, except for those that the folder holds: the
    program finds these by its run path, or a step names their folder in ``AddLibPath``.

    Raises DeviceMissing (source, library), BadInput (neither file, folder nor link)."""
    part = Part(PartKind.COPY, target)
    if not os.path.lexists(source):
        raise DeviceMissing(source, f"no such file or folder; copies.{target} of the specification names it")
    paths = [source, *_below(source)]
    provided = {os.path.basename(path) for path in paths}
    for path in paths:
        relative = os.path.relpath(path, source)
        _add(tree, libraries, part, path, inside(os.path.normpath(os.path.join(target, relative))), provided)


def check_interpreters(tree: RootTree) -> None:
    """Raise BadInput with each executable script whose interpreter is not in the finished tree."""
    problems = []
    for node in tree.nodes():
        executable = stat.S_ISREG(node.mode) and node.mode & _ANY_EXECUTE
        program = interpreter(node.content[:SHEBANG_BYTES]) if executable else None
        if program is not None and not _has(tree, program):
            problems.append(Problem(f"/{node.path}", f"its first line names {program}, which is not in the initramfs"))
    if problems:
        raise BadInput("initramfs", problems)


def _has(tree: RootTree, program: str) -> bool:
    """``program``: a path, or a name to search."""
    if program.startswith("/"):
        return tree.has(inside(program))
    return any(tree.has(f"{place}/{program}") for place in _BIN)


def _add(tree: RootTree, libraries: Libraries, part: Part, path: str, target: str, provided: Collection[str]) -> None:
    with os_errors_translated(path):
        mode = os.lstat(path).st_mode
        link = os.readlink(path) if stat.S_ISLNK(mode) else ""
    if link:
        tree.add(symlink(target, link), part)
    elif stat.S_ISDIR(mode):
        tree.add(folder(target, stat.S_IMODE(mode)), part)
    elif stat.S_ISREG(mode):
        tree.add(regular(target, read_file(path), stat.S_IMODE(mode)), part)
        libraries.add_dependencies_of(path, provided)
    else:
        raise BadInput("copies", [Problem(path, "is neither a file nor a folder nor a link")])


def _below(source: str) -> Iterator[str]:
    """Everything below a folder, in a fixed order; nothing for a file. Links are not followed."""
    if os.path.islink(source) or not os.path.isdir(source):
        return
    with os_errors_translated(source):
        names = sorted(os.listdir(source))
    for name in names:
        yield (path := os.path.join(source, name))
        yield from _below(path)
