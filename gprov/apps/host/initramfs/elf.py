"""Reads the libraries that a program or library needs from the dynamic section of little-endian ELF files.

Source: System V ABI, chapters 4 and 5, decoded by pyelftools. The files are not executed: programs of the initramfs
may not run on the build host.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from gprov.domain.errors import BadInput, Problem

_NEEDED = "DT_NEEDED"
_MACHINES = ((64, "EM_X86_64"), (32, "EM_386"))
# Dynamic entries with text values, and their attribute in pyelftools.
_TEXTS = {_NEEDED: "needed", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}


@dataclass(frozen=True, slots=True)
class ElfDependencies:
    """``bits``: 64 or 32 (x86-64 or i386). ``interpreter``: path of the dynamic loader, "" for a library or static
    program. ``libraries``: the DT_NEEDED names in order. ``run_path``: extra folders to search, ``$ORIGIN`` not yet
    replaced."""

    bits: int
    interpreter: str
    libraries: tuple[str, ...]
    run_path: tuple[str, ...]


def is_elf(content: bytes) -> bool:
    return content.startswith(b"\x7fELF")


def elf_dependencies(content: bytes, name: str) -> ElfDependencies:
    """Read the dependencies of a file; ``name``: for messages. Raises BadInput unless it is an ELF file of x86-64 or
    i386."""
    try:
        file = ELFFile(io.BytesIO(content))
        if (file.elfclass, file["e_machine"]) not in _MACHINES or not file.little_endian:
            raise BadInput(name, [Problem("", "neither a 64-bit nor a 32-bit x86 ELF file")])
        return _read_dependencies(file)
    # pyelftools uses assert for some fields, and does not catch errors of struct, str and BytesIO.
    except (ELFError, AssertionError, ValueError, OverflowError) as exc:
        raise BadInput(name, [Problem("", f"not an ELF file, or damaged: {exc}")]) from exc


def _read_dependencies(file: ELFFile) -> ElfDependencies:
    interpreter = ""
    entries: list[tuple[str, str]] = []
    for segment in file.iter_segments():
        if isinstance(segment, InterpSegment):
            interpreter = segment.get_interp_name()
        elif isinstance(segment, DynamicSegment):
            entries += _texts(segment)
    libraries = tuple(text for tag, text in entries if tag == _NEEDED)
    paths = (text for tag, text in entries if tag != _NEEDED)
    run_path = tuple(part for path in paths for part in path.split(":") if part)
    return ElfDependencies(file.elfclass, interpreter, libraries, run_path)


def _texts(segment: DynamicSegment) -> Iterator[tuple[str, str]]:
    """Yield tag and text of the entries that name libraries or folders, in order."""
    for tag in segment.iter_tags():
        kind = tag.entry.d_tag
        if kind in _TEXTS:
            yield kind, str(getattr(tag, _TEXTS[kind]))
