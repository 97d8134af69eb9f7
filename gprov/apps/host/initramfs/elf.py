"""What a program or library says about its needs: the dynamic section of 64-bit little-endian ELF files.

Source: System V ABI, chapters 4 and 5; constants from <elf.h>. Read here rather than asked of the loader, so that
nothing of what is packed has to run on the build host.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gprov.domain.errors import BadInput, Problem

_IDENT = b"\x7fELF\x02\x01"  # 64 bit, little endian
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 15, 29
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")  # type, flags, offset, vaddr, paddr, filesz, memsz, align
_DYNAMIC = struct.Struct("<qQ")


@dataclass(frozen=True, slots=True)
class Needs:
    """``interpreter``: path of the loader, "" for a library or static program. ``libraries``: the DT_NEEDED names in
    order. ``run_path``: extra folders to look in, ``$ORIGIN`` not yet replaced."""

    interpreter: str
    libraries: tuple[str, ...]
    run_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def is_elf(content: bytes) -> bool:
    return content.startswith(b"\x7fELF")


def needs(content: bytes, name: str) -> Needs:
    """Read the needs of a file; ``name`` is for errors. Raises BadInput if it is no x86-64 style ELF file."""
    if not content.startswith(_IDENT):
        raise BadInput(name, [Problem("", "not a 64-bit little-endian ELF file")])
    try:
        return _needs(content)
    except (struct.error, ValueError, OverflowError) as exc:
        raise BadInput(name, [Problem("", f"damaged ELF file: {exc}")]) from exc


def _needs(content: bytes) -> Needs:
    segments = _segments(content)
    interpreter = next((_text(content, part.offset) for part in segments if part.kind == _PT_INTERP), "")
    dynamic = next((part for part in segments if part.kind == _PT_DYNAMIC), None)
    if dynamic is None:
        return Needs(interpreter, (), ())
    entries = _dynamic(content, dynamic)
    strings = next((value for tag, value in entries if tag == _DT_STRTAB), None)
    if strings is None:
        raise ValueError("no string table")
    base = _offset(segments, strings)
    libraries = tuple(_text(content, base + value) for tag, value in entries if tag == _DT_NEEDED)
    paths = [_text(content, base + value) for tag, value in entries if tag in (_DT_RPATH, _DT_RUNPATH)]
    return Needs(interpreter, libraries, tuple(part for path in paths for part in path.split(":") if part))


def _segments(content: bytes) -> list[_Segment]:
    (table,) = struct.unpack_from("<Q", content, 0x20)  # e_phoff
    size, count = struct.unpack_from("<HH", content, 0x36)  # e_phentsize, e_phnum
    if count and size < _PROGRAM_HEADER.size:
        raise ValueError("program headers too small")
    segments = []
    for index in range(count):
        kind, _, offset, address, _, length, _, _ = _PROGRAM_HEADER.unpack_from(content, table + index * size)
        segments.append(_Segment(kind, offset, address, length))
    return segments


def _dynamic(content: bytes, part: _Segment) -> list[tuple[int, int]]:
    entries = []
    for position in range(part.offset, part.offset + part.size, _DYNAMIC.size):
        tag, value = _DYNAMIC.unpack_from(content, position)
        if tag == _DT_NULL:
            break
        entries.append((tag, value))
    return entries


def _offset(segments: list[_Segment], address: int) -> int:
    for part in segments:
        if part.kind == _PT_LOAD and part.address <= address < part.address + part.size:
            return address - part.address + part.offset
    raise ValueError(f"address {address:#x} is in no segment")


def _text(content: bytes, offset: int) -> str:
    end = content.index(b"\0", offset)
    return content[offset:end].decode()
